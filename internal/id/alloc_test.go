//go:build !race

package id_test

import (
	"testing"

	"parley/internal/id"
)

// Under the race detector sync.Pool drops values at random, so that the codec
// allocates there.
func TestCodecDoesNotAllocate(t *testing.T) {
	c := newCodec(t, 1) // not parallel: AllocsPerRun counts the whole process
	if got := testing.AllocsPerRun(1000, func() {
		c.Open(id.KindMessage, c.Seal(id.KindMessage, 7))
	}); got != 0 {
		t.Errorf("Seal and Open allocate %v times, want 0", got)
	}
}
