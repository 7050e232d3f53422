package ratelimit_test

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/internal/ratelimit"
)

const minute = time.Minute

// start is a whole minute, as the contracts' examples use.
var start = time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)

func TestTakeCountsDown(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 10)
	now := start.Add(10 * time.Second)
	reset := start.Add(minute)
	want := []ratelimit.Quota{
		{Limit: 3, Remaining: 2, Reset: reset, OK: true},
		{Limit: 3, Remaining: 1, Reset: reset, OK: true},
		{Limit: 3, Remaining: 0, Reset: reset, OK: true},
		{Limit: 3, Remaining: 0, Reset: reset},
		{Limit: 3, Remaining: 0, Reset: reset},
	}
	for i, w := range want {
		if diff := cmp.Diff(w, f.Take(now, "a", 3)); diff != "" {
			t.Errorf("take %d (-want +got):\n%s", i+1, diff)
		}
	}
	other := ratelimit.Quota{Limit: 3, Remaining: 2, Reset: reset, OK: true}
	if diff := cmp.Diff(other, f.Take(now, "b", 3)); diff != "" {
		t.Errorf("another key (-want +got):\n%s", diff)
	}
}

// A refused request that counted would keep a caller out after its limit is raised.
func TestRefusedIsNotCounted(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 10)
	for range 50 {
		f.Take(start, "a", 2)
	}
	if got := f.Peek(start, "a", 10).Remaining; got != 8 {
		t.Errorf("Remaining under a limit of 10 = %d, want 8", got)
	}
	if got := f.Peek(start, "a", 1); got.OK || got.Remaining != 0 {
		t.Errorf("under a limit of 1: %+v, want refused with 0 remaining", got)
	}
}

func TestLimitBelowOne(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 10)
	for _, limit := range []int{0, -5} {
		if got := f.Take(start, "a", limit); got.OK || got.Remaining != 0 {
			t.Errorf("limit %d: %+v, want refused with 0 remaining", limit, got)
		}
	}
}

func TestPeekDoesNotCount(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 1)
	fresh := ratelimit.Quota{Limit: 1, Remaining: 1, Reset: start.Add(minute), OK: true}
	for range 3 {
		if diff := cmp.Diff(fresh, f.Peek(start, "a", 1)); diff != "" {
			t.Errorf("before a take (-want +got):\n%s", diff)
		}
	}
	// Peeking at one key must not have used up the room for another.
	f.Take(start, "b", 1)
	spent := ratelimit.Quota{Limit: 1, Remaining: 0, Reset: start.Add(minute)}
	if diff := cmp.Diff(spent, f.Peek(start, "b", 1)); diff != "" {
		t.Errorf("after a take (-want +got):\n%s", diff)
	}
}

func TestWindowEdges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		window time.Duration
		now    time.Time
		reset  time.Time
	}{
		{"first instant", minute, start, start.Add(minute)},
		{"last instant", minute, start.Add(minute - 1), start.Add(minute)},
		{"next window", minute, start.Add(minute), start.Add(2 * minute)},
		{"five minutes", 5 * minute, start.Add(7 * minute), start.Add(10 * minute)},
		{"epoch", minute, time.Unix(0, 0), time.Unix(60, 0)},
		{"before the epoch", minute, time.Unix(-1, 0), time.Unix(0, 0)},
		{"whole minute before the epoch", minute, time.Unix(-60, 0), time.Unix(0, 0)},
		{"another zone", minute, start.In(time.FixedZone("", 5*3600+1800)), start.Add(minute)},
	} {
		got := ratelimit.NewFixed(tc.window, 10).Take(tc.now, "a", 1)
		if !got.Reset.Equal(tc.reset) || !got.OK {
			t.Errorf("%s: Reset %v, OK %v, want %v, true", tc.name, got.Reset, got.OK, tc.reset)
		}
	}
}

func TestNewWindowStartsFresh(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 10)
	f.Take(start, "a", 1)
	if got := f.Take(start.Add(minute-1), "a", 1); got.OK {
		t.Errorf("last instant of the window: %+v, want refused", got)
	}
	if got := f.Take(start.Add(minute), "a", 1); !got.OK {
		t.Errorf("first instant of the next window: %+v, want allowed", got)
	}
	if got := f.Take(start.Add(minute+1), "a", 1); got.OK {
		t.Errorf("second request of the next window: %+v, want refused", got)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	q := ratelimit.Quota{Reset: start}
	for _, tc := range []struct {
		before time.Duration
		want   int
	}{
		{minute, 60},
		{59*time.Second + 1, 60},
		{59 * time.Second, 59},
		{time.Second, 1},
		{1, 1},
		{0, 1},
		{-time.Hour, 1},
	} {
		if got := q.RetryAfter(start.Add(-tc.before)); got != tc.want {
			t.Errorf("RetryAfter %v before = %d, want %d", tc.before, got, tc.want)
		}
	}
}

func TestClockStepsBackByLittle(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 10)
	if got := f.Take(start, "a", 1); !got.OK {
		t.Fatalf("first take: %+v, want allowed", got)
	}
	// To and fro over the edge of the window: never a second request.
	for i := range 20 {
		now := start.Add(time.Duration(i%2-1) * time.Second)
		got := f.Take(now, "a", 1)
		if got.OK || !got.Reset.Equal(start.Add(minute)) {
			t.Errorf("take %d at %v: %+v, want refused until %v", i, now, got, start.Add(minute))
		}
	}
}

// A clock that leapt ahead by a year and was put right must neither hand out
// windows as it steps nor keep callers out for that year.
func TestClockStepsBackByMuch(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 10)
	ahead := start.AddDate(1, 0, 0)
	f.Take(ahead, "a", 1)
	for i, now := range []time.Time{start, ahead, start, ahead.Add(time.Second), start.Add(minute - 1)} {
		got := f.Take(now, "a", 1)
		if got.OK || got.RetryAfter(now) > 120 {
			t.Errorf("take %d at %v: %+v, want refused for at most two windows", i, now, got)
		}
	}
	if got := f.Take(start.Add(minute), "a", 1); !got.OK {
		t.Errorf("a window after the step: %+v, want allowed", got)
	}
	if got := f.Take(start.Add(minute+1), "a", 1); got.OK || !got.Reset.Equal(start.Add(2*minute)) {
		t.Errorf("after the fresh window began: %+v, want refused until %v", got, start.Add(2*minute))
	}
}

func TestExtremeTimes(t *testing.T) {
	t.Parallel()
	f := ratelimit.NewFixed(minute, 10)
	for _, now := range []time.Time{{}, time.Unix(1<<62, 0), time.Unix(-1<<62, 0), start, {}} {
		if got := f.Take(now, "a", 0); got.OK {
			t.Errorf("Take at %v: %+v, want refused", now, got)
		}
	}
}

func TestKeysBeyondTheCap(t *testing.T) {
	t.Parallel()
	const maxKeys, limit, strangers = 8, 2, 1000
	f := ratelimit.NewFixed(minute, maxKeys)
	for i := range maxKeys {
		f.Take(start, "known "+strconv.Itoa(i), limit)
	}
	allowed := 0
	for i := range strangers {
		key := "stranger " + strconv.Itoa(i)
		for range limit + 1 {
			if f.Take(start, key, limit).OK {
				allowed++
			}
		}
	}
	if low, high := limit, maxKeys*limit; allowed < low || allowed > high {
		t.Errorf("strangers were allowed %d requests, want %d to %d", allowed, low, high)
	}
	for i := range maxKeys {
		if got := f.Take(start, "known "+strconv.Itoa(i), limit); !got.OK || got.Remaining != 0 {
			t.Errorf("known key %d after the flood: %+v, want its second request allowed", i, got)
		}
	}
	if got := f.Take(start.Add(minute), "stranger 0", limit); !got.OK || got.Remaining != limit-1 {
		t.Errorf("a stranger in the next window: %+v, want a count of its own", got)
	}
}

// For any requests, under a clock that goes forward with jitter of less than a
// window: no key gets more than its limit in a window, and, while keys fit, it
// gets all of it.
func TestNeverMoreThanLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		maxKeys := rapid.IntRange(1, 6).Draw(t, "max_keys")
		limit := rapid.IntRange(0, 4).Draw(t, "limit")
		f := ratelimit.NewFixed(minute, maxKeys)

		type bucket struct {
			window int64
			key    string
		}
		allowed := map[bucket]int{}
		clock, latest := start, int64(0)
		seen := map[string]bool{}
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			clock = clock.Add(time.Duration(rapid.Int64Range(0, int64(minute)/4).Draw(t, "step")))
			now := clock.Add(-time.Duration(rapid.Int64Range(0, int64(minute)-1).Draw(t, "jitter")))
			key := strconv.Itoa(rapid.IntRange(0, 9).Draw(t, "key"))

			// A late reading belongs to the window that is being counted.
			if w := now.Unix() / 60; w > latest {
				latest, seen = w, map[string]bool{}
			}
			b := bucket{latest, key}
			peek, got := f.Peek(now, key, limit), f.Take(now, key, limit)

			if got.OK != peek.OK {
				t.Fatalf("Peek said %v, Take %v", peek.OK, got.OK)
			}
			if got.OK {
				allowed[b]++
				seen[key] = true
			}
			if allowed[b] > limit {
				t.Fatalf("key %s was allowed %d requests in a window, limit %d", key, allowed[b], limit)
			}
			if !got.OK && allowed[b] < limit && len(seen) < maxKeys {
				t.Fatalf("key %s was refused after %d requests, limit %d", key, allowed[b], limit)
			}
			if got.Remaining < 0 || got.Remaining > limit {
				t.Fatalf("Remaining = %d, want 0 to %d", got.Remaining, limit)
			}
			if got.Reset.Unix()%60 != 0 || !got.Reset.After(now) {
				t.Fatalf("Reset = %v at %v, want a later whole minute", got.Reset, now)
			}
		}
	})
}

func TestConcurrentTakesAreExact(t *testing.T) {
	t.Parallel()
	const goroutines, each, limit = 20, 500, 777
	f := ratelimit.NewFixed(minute, 4)
	var allowed [3]atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range each * len(allowed) {
				k := i % len(allowed)
				if f.Take(start, strconv.Itoa(k), limit).OK {
					allowed[k].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for k := range allowed {
		if got := allowed[k].Load(); got != limit {
			t.Errorf("key %d was allowed %d requests, want %d", k, got, limit)
		}
	}
}

func TestKnownKeyDoesNotAllocate(t *testing.T) {
	f := ratelimit.NewFixed(minute, 4) // not parallel: AllocsPerRun counts the whole process
	f.Take(start, "a", 1)
	if got := testing.AllocsPerRun(1000, func() { f.Take(start, "a", 1<<30) }); got != 0 {
		t.Errorf("Take allocates %v times, want 0", got)
	}
}

func TestNewFixedPanics(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		window  time.Duration
		maxKeys int
	}{{0, 1}, {-minute, 1}, {minute, 0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewFixed(%v, %d) did not panic", tc.window, tc.maxKeys)
				}
			}()
			ratelimit.NewFixed(tc.window, tc.maxKeys)
		}()
	}
}

func BenchmarkTake(b *testing.B) {
	f := ratelimit.NewFixed(minute, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		f.Take(start, "account 4711", 1<<30)
	}
}

func BenchmarkTakeParallel(b *testing.B) {
	f := ratelimit.NewFixed(minute, 100_000)
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("account %d", i)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			f.Take(start, keys[i%len(keys)], 1<<30)
		}
	})
}

func BenchmarkTakeNewKeys(b *testing.B) {
	f := ratelimit.NewFixed(minute, 100_000)
	keys := make([]string, 1_000_000)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.Take(start, keys[i%len(keys)], 100)
	}
}
