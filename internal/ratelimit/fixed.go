package ratelimit

import (
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// Fixed limits requests per key in fixed windows aligned to multiples of the
// window since the Unix epoch. It is safe for concurrent use.
//
// Keys are kept as 64-bit hashes under a secret seed, so the memory for a key
// does not depend on its length, and no call keeps the caller's string alive.
// Two keys share a count by accident with a chance of 2^-64 per pair.
//
// Memory is bounded by maxKeys, about 50 bytes each. Once that many distinct
// keys were counted in a window, the keys seen so far keep their own counts and
// any further ones share maxKeys overflow counts, chosen by hash, until the
// window ends. So a flood of invented keys neither grows memory nor resets
// anybody's count: it can only make newcomers share, and to lock a newcomer out
// it must also use up the limit of the one count the newcomer's hash falls on,
// which it cannot aim at. Sharing never allows a key more than its limit.
//
// A clock that steps back does not begin a new window: counts stay until the
// clock has passed the end of their window, or has gone on by a whole window
// from where it fell back to. The second case keeps a clock that was wrong by
// a year for a moment from freezing the counts for that year.
type Fixed struct {
	window  int64 // nanoseconds
	maxKeys int
	seed    maphash.Seed

	mu       sync.Mutex
	index    int64          // number of the window that is counted, from the epoch
	low      int64          // earliest time seen since that window began, Unix nanoseconds
	counts   map[uint64]int // by hash of the key
	overflow []int          // by hash modulo maxKeys; nil until needed
}

// NewFixed makes a limiter for windows of the given length that tells up to
// maxKeys keys apart per window. It panics unless both are positive.
func NewFixed(window time.Duration, maxKeys int) *Fixed {
	if window <= 0 || maxKeys < 1 {
		panic(fmt.Sprintf("ratelimit: window %v, %d keys", window, maxKeys))
	}
	return &Fixed{
		window:  int64(window),
		maxKeys: maxKeys,
		seed:    maphash.MakeSeed(),
		index:   math.MinInt64, // older than any window, so the first call begins one
		counts:  make(map[uint64]int),
	}
}

// Take counts one request of key if fewer than limit were counted in the
// window of now. A refused request is not counted. Remaining is what is left
// after this request.
func (f *Fixed) Take(now time.Time, key string, limit int) Quota {
	return f.count(now, key, limit, 1)
}

// Peek is the quota of key without counting anything: OK tells whether a Take
// would be allowed, Remaining how many would.
func (f *Fixed) Peek(now time.Time, key string, limit int) Quota {
	return f.count(now, key, limit, 0)
}

func (f *Fixed) count(now time.Time, key string, limit, add int) Quota {
	hash := maphash.String(f.seed, key)
	nanos := now.UnixNano()
	index := floorDiv(nanos, f.window)

	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance(nanos, index)

	used := f.used(hash)
	ok := used < limit
	if ok && add > 0 {
		used += add
		f.setUsed(hash, used)
	}
	// After a step back the counts go at the end of their own window, or a
	// window after the step, whichever comes first: no later than the end of
	// the window after the one now is in.
	last := min(f.index, index+1)
	return Quota{
		Limit:     limit,
		Remaining: max(0, limit-used),
		Reset:     time.Unix(0, (last+1)*f.window).UTC(),
		OK:        ok,
	}
}

// advance begins a new window if nanos is past the current one, or if the
// clock stepped back and has gone on by a window since. The caller holds mu.
func (f *Fixed) advance(nanos, index int64) {
	recovered := index < f.index && nanos-f.low >= f.window
	if index <= f.index && !recovered {
		f.low = min(f.low, nanos)
		return
	}
	f.index, f.low = index, nanos
	// The old maps go to the collector as a whole. Clearing would take as long
	// as the fullest window ever was, under the lock, and keep its memory.
	f.counts = make(map[uint64]int)
	f.overflow = nil
}

// used is the count that the key's requests go to. The caller holds mu.
func (f *Fixed) used(hash uint64) int {
	if n, known := f.counts[hash]; known || f.overflow == nil {
		return n
	}
	return f.overflow[hash%uint64(f.maxKeys)]
}

// setUsed stores what used reads. The caller holds mu.
func (f *Fixed) setUsed(hash uint64, n int) {
	if _, known := f.counts[hash]; known || len(f.counts) < f.maxKeys {
		f.counts[hash] = n
		return
	}
	if f.overflow == nil {
		f.overflow = make([]int, f.maxKeys)
	}
	f.overflow[hash%uint64(f.maxKeys)] = n
}

// floorDiv rounds towards minus infinity, so that windows before the epoch
// are aligned too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
