package webhook

import "time"

// Form is how deliveries to the webhooks of one surface are worded and carried.
type Form struct {
	Encoder
	Policy
}

// Policy is how the webhooks of one surface are called, and when they are given up.
type Policy struct {
	// AtOnce is how many attempts may be under way for one hook. Where it is more than
	// one, a delivery that fails or hangs does not hold up the others: their order is
	// not kept.
	AtOnce int
	// Waits come before the second attempt at a delivery and each further one; what
	// fails after the last is given up.
	Waits []time.Duration
	// Spread is by which part of it, at most, a wait is longer or shorter, at random.
	Spread float64
	// Final has a delivery given up at once when another attempt would fare no better.
	Final bool
	// Backlog is how many deliveries may wait for one hook: beyond that the oldest are
	// dropped. 0: as many as come.
	Backlog int
	// Breaker puts a hook that keeps failing on hold, with all that waits for it.
	Breaker bool
	// Health has it noted how a hook fares, for its owner to see.
	Health bool
}

// AgentChatPolicy is that of /v1 (AC 18.6, 18.7).
func AgentChatPolicy() Policy {
	return Policy{
		AtOnce: 1,
		Waits: []time.Duration{
			10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
			time.Hour, 6 * time.Hour, 24 * time.Hour,
		},
		Breaker: true,
	}
}

// AIClientPolicy is that of /ai (AI 9.5).
func AIClientPolicy() Policy {
	return Policy{
		AtOnce:  4,
		Waits:   []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute},
		Spread:  0.2,
		Final:   true,
		Backlog: 1000,
		Health:  true,
	}
}

// retryAfter is how long a delivery waits after so many failed attempts; ok is false
// when it is to be given up. random is from 0 to below 1.
func (p *Policy) retryAfter(failures int, random float64) (wait time.Duration, ok bool) {
	if failures > len(p.Waits) {
		return 0, false
	}
	wait = p.Waits[failures-1]
	return wait + time.Duration(float64(wait)*p.Spread*(2*random-1)), true
}
