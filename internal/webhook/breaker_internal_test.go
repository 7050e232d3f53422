package webhook

import (
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
)

// The breaker of AC 18.7, told as a story: F and S are a failure and a success, a
// number waits so many seconds. It ends closed, or open for so many seconds.
func TestBreaker(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		story string
		open  time.Duration
	}{
		{"a few failures", "F F F F", 0},
		{"five in a row", "F F F F F", 5 * time.Minute},
		{"five in a row over days", "F 86400 F 86400 F 86400 F 86400 F", 5 * time.Minute},
		{"a success in between", "F F F F S F F F F", 0},
		{"ten within a minute", "F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F", 5 * time.Minute},
		{"ten in more than a minute", "F S 7 F S 7 F S 7 F S 7 F S 7 F S 7 F S 7 F S 7 F S 7 F", 0},
		{
			"ten within a minute, after an older one",
			"F S 55 F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F S 6 F", 5 * time.Minute,
		},
		{"the probe fails", "F F F F F 300 F", 5 * time.Minute},
		{"the probe fails again", "F F F F F 300 F 300 F", 5 * time.Minute},
		{"the probe succeeds", "F F F F F 300 S", 0},
		{"all is forgotten then", "F F F F F 300 S F F F F", 0},
	} {
		at, b := start, chat.Breaker{}
		for step := range strings.FieldsSeq(tc.story) {
			switch step {
			case "F":
				b = failed(b, at)
			case "S":
				b = succeeded(b)
			default:
				wait, err := time.ParseDuration(step + "s")
				if err != nil {
					t.Fatal(err)
				}
				at = at.Add(wait)
			}
		}
		want := time.Time{}
		if tc.open > 0 {
			want = at.Add(tc.open)
		}
		if !b.OpenUntil.Equal(want) {
			t.Errorf("%s: open until %v, want %v (%+v)", tc.name, b.OpenUntil, want, b)
		}
		if len(b.Recent) > breakerCount {
			t.Errorf("%s: remembers %d failures, want %d at most", tc.name, len(b.Recent), breakerCount)
		}
	}
}

// A breaker that is given to failed stays as it was: a transaction may run twice.
func TestFailedKeepsItsArgument(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	before := failed(failed(chat.Breaker{}, at), at.Add(time.Second))
	first := before.Recent[0]
	failed(before, at.Add(time.Hour))
	if len(before.Recent) != 2 || !before.Recent[0].Equal(first) {
		t.Errorf("the argument was changed: %v", before.Recent)
	}
}
