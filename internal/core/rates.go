package core

import (
	"time"

	"parley/internal/chat"
	"parley/internal/ratelimit"
)

// rate is a limit of so many acts in a fixed window, counted per key. Requests
// per surface and logins have limiters of their own.
type rate int

// The rates of AC 2.9 and AI 6. What the key is stands beside each.
const (
	rateRegister       rate = iota // client address
	rateVerify                     // client address: guesses at mailed codes
	rateRecover                    // client address
	rateRotate                     // client address
	rateCodeHourly                 // mail address, beside the cooldown in code.go
	rateSends                      // account, on its way out of /v1
	rateSystemSends                // system account
	rateGroupSends                 // group
	rateDirectory                  // account
	rateDirectoryDaily             // account
	rateMutes                      // account
	rateAvatars                    // account, its groups' pictures included
	rateProfiles                   // client address: public profiles
	rateUploads                    // account
	rateTyping                     // account
	rateDashboardCode              // client address
	rateDashboardGuess             // client address
	rateRefresh                    // client address
	rateClaims                     // client address
	rateClaimFailures              // agent
	rateSystemRotation             // everybody together
	rateSupport                    // account: commands to the support bot
	rateSupportDaily               // account
	rateSupportYoung               // account, while it is new
	rateSupportNotice              // account: being told so
	rateLogins                     // client address: attempts through /ai, right or wrong
	rateSendRequests               // account: sends through /ai, counted on arrival
	ratesEnd
)

// rateSpec is a window and how much fits into it.
type rateSpec struct {
	window time.Duration
	limit  int
	rule   string // for rate_limited, "" if clients are not told which it was
}

func rateSpecs() [ratesEnd]rateSpec {
	return [...]rateSpec{
		rateRegister:       {time.Hour, 12, ""},
		rateVerify:         {10 * time.Minute, 10, ""},
		rateRecover:        {time.Hour, 3, ""},
		rateRotate:         {time.Hour, 3, ""},
		rateCodeHourly:     {time.Hour, 20, ""},
		rateSends:          {time.Second, agentChatLimits().Sends, chat.RuleGlobal},
		rateSystemSends:    {time.Second, agentChatLimits().SystemSends, chat.RuleGlobal},
		rateGroupSends:     {time.Second, agentChatLimits().GroupSends, chat.RuleGroup},
		rateDirectory:      {time.Minute, 60, ""},
		rateDirectoryDaily: {24 * time.Hour, 1_000, ""},
		rateMutes:          {time.Second, 10, ""},
		rateAvatars:        {time.Minute, 5, ""},
		rateProfiles:       {time.Minute, 120, ""},
		rateUploads:        {time.Minute, 30, ""},
		rateTyping:         {time.Second, 10, ""},
		rateDashboardCode:  {time.Hour, 5, ""},
		rateDashboardGuess: {10 * time.Minute, 10, ""},
		rateRefresh:        {time.Minute, 30, ""},
		rateClaims:         {10 * time.Minute, 20, ""},
		rateClaimFailures:  {10 * time.Minute, 5, ""},
		rateSystemRotation: {time.Hour, 10, ""},
		rateSupport:        {30 * time.Second, 5, ""},
		rateSupportDaily:   {24 * time.Hour, 50, ""},
		rateSupportYoung:   {24 * time.Hour, 10, ""},
		rateSupportNotice:  {24 * time.Hour, 1, ""},
		rateLogins:         {5 * time.Minute, 10, ""},
		rateSendRequests:   {time.Minute, 30, ""},
	}
}

// rates counts all of them.
type rates struct {
	specs    [ratesEnd]rateSpec
	limiters [ratesEnd]*ratelimit.Fixed
}

func newRates() *rates {
	r := &rates{specs: rateSpecs()}
	for i, spec := range r.specs {
		r.limiters[i] = ratelimit.NewFixed(spec.window, maxBuckets)
	}
	return r
}

// take counts one act. It fails with rate_limited once the window is full.
func (s *Service) take(which rate, key string) error {
	if s.limitsOff {
		return nil
	}
	now := s.now()
	q := s.rates.limiters[which].Take(now, key, s.rates.specs[which].limit)
	if q.OK {
		return nil
	}
	err := limited(q, now)
	err.Rule = s.rates.specs[which].rule
	return err
}

// spent tells, without counting, whether the window is full.
func (s *Service) spent(which rate, key string) error {
	if s.limitsOff {
		return nil
	}
	return s.rates.fits(s.now(), which, key, 0)
}

// fits fails with rate_limited if, with so many acts more taken, the window of now
// would be full. It counts nothing.
func (r *rates) fits(now time.Time, which rate, key string, taken int) error {
	q := r.limiters[which].Peek(now, key, r.specs[which].limit)
	if q.Remaining > taken {
		return nil
	}
	q.Remaining = 0
	err := limited(q, now)
	err.Rule = r.specs[which].rule
	return err
}

// takeOf is take for an act of the caller, which a replayed request does not
// repeat.
func (s *Service) takeOf(c Call, which rate, key string) error {
	if c.Once.replays() {
		return nil
	}
	return s.take(which, key)
}
