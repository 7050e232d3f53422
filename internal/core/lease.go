package core

// leases are who answers for an agent just now (AC 20).
type leases struct{}

func newLeases() *leases { return new(leases) }
