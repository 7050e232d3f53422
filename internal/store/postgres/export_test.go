package postgres

import "time"

// SetSettleTimeout bounds asking what became of a batch, before s is used.
func SetSettleTimeout(s *Store, d time.Duration) { s.settleTimeout = d }
