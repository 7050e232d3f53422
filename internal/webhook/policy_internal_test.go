package webhook

import (
	"testing"
	"time"
)

// The waits of AC 18.6 and AI 9.5, with the chance that either surface leaves to them.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	agentChat, aiClient := AgentChatPolicy(), AIClientPolicy()
	for _, tc := range []struct {
		name     string
		policy   Policy
		failures int
		random   float64
		want     time.Duration
		ok       bool
	}{
		{"/v1, the first", agentChat, 1, 0.9, 10 * time.Second, true},
		{"/v1, the last", agentChat, 8, 0, 24 * time.Hour, true},
		{"/v1, given up", agentChat, 9, 0.5, 0, false},
		{"/ai, the first", aiClient, 1, 0.5, 5 * time.Second, true},
		{"/ai, the first, at its shortest", aiClient, 1, 0, 4 * time.Second, true},
		{"/ai, the second, a little longer", aiClient, 2, 0.75, 33 * time.Second, true},
		{"/ai, the last, at its longest", aiClient, 3, 1, 144 * time.Second, true},
		{"/ai, given up", aiClient, 4, 0.5, 0, false},
	} {
		wait, ok := tc.policy.retryAfter(tc.failures, tc.random)
		if wait != tc.want || ok != tc.ok {
			t.Errorf("%s: got %v, %t, want %v, %t", tc.name, wait, ok, tc.want, tc.ok)
		}
	}
}
