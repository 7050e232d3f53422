package postgres_test

import (
	"testing"

	"parley/internal/store/storetest"
	"parley/internal/testpg"
)

// BenchmarkSend stores batches of messages in a database that holds many.
func BenchmarkSend(b *testing.B) {
	dsn := testpg.New(b)
	s, err := open(b.Context(), dsn)
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Errorf("close: %v", err)
		}
	})
	d := storetest.NewBench(b, s)
	if _, err := raw(b, dsn).ExecContext(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatalf("vacuum: %v", err)
	}
	for _, work := range d.Works() {
		b.Run(work.Name, func(b *testing.B) {
			d.Measure(b, func() error { return d.Send(b.Context(), work.Batch()) })
		})
	}
}
