package core

import (
	"context"
	"crypto/hmac"
	"errors"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

// Codes prove that somebody reads the mail of an address (AC 4.3). One is asked
// for with sendCode or promiseCode and shown with useCode; what it is good for is
// a matter of the operations around them.

// CodePurpose says what a mailed code is for.
type CodePurpose uint8

// The purposes. The numbers are stored and never change.
const (
	CodeForRegistration CodePurpose = 1
	CodeForRecovery     CodePurpose = 2
	CodeForRotation     CodePurpose = 3
	CodeForDashboard    CodePurpose = 4
)

const (
	codeDigits   = 6
	codeLife     = 10 * time.Minute
	codeGuesses  = 5 // wrong ones; the next burns the code, right or wrong
	codeCooldown = time.Minute

	mailPatience = 30 * time.Second // for a mail that nobody waits for
	mailsAtOnce  = 64               // of those; more are dropped
)

// codeRequest is a code that somebody asked for.
type codeRequest struct {
	purpose CodePurpose
	address string         // normal, where the mail goes
	account chat.AccountID // 0: nobody's yet
	greet   string         // the handle to put into the mail, "" for none

	// What a newcomer is to be called.
	handle, displayName, description string

	// fit, unless nil, is asked in the transaction that stores the code whether the
	// code still makes sense.
	fit func(ctx context.Context, r store.Reader) error
}

// codeUse says which codes are good for something.
type codeUse struct {
	purpose CodePurpose
	owner   chat.AccountID // not_own for a code of any other; 0: whoever's
}

// CodeGuess is a code as somebody shows it.
type CodeGuess struct {
	ID   chat.CodeID
	Code string
}

// sendCode mails a code and stores it in the place of the one before: what is
// answered is its id. It fails with code_cooldown, code_hourly or code_undelivered;
// the last leaves no trace, and another code may be asked for at once.
//
// The mail goes out before the row is written, so that a mail that fails has
// nothing to take back, not even the memory of an idempotency key.
func (s *Service) sendCode(ctx context.Context, c Call, q codeRequest) (chat.CodeID, error) {
	code := s.newCode()
	if !c.Once.replays() {
		if err := s.takeCode(q.address); err != nil {
			return 0, err
		}
		if err := s.mailCode(ctx, q, code); err != nil {
			s.mails.release(q.address)
			return 0, &chat.Error{Code: chat.CodeCodeUndelivered, Cause: err}
		}
		s.countCode(q.address)
	}
	var id chat.CodeID
	err := s.perform(ctx, c, "store code", &id, func(ctx context.Context, ch *change) error {
		if q.fit != nil {
			if err := q.fit(ctx, ch); err != nil {
				return err
			}
		}
		var err error
		id, err = s.storeCode(ctx, ch, q, code)
		return err
	})
	return id, err
}

// promiseCode is sendCode for those who must not learn whether anybody has the
// address: without an account it stores a code that nobody knows, and the mail
// goes out while the caller has its answer already. A mail that fails is logged
// and uses up the cooldown, or its end would tell.
func (s *Service) promiseCode(ctx context.Context, q codeRequest) (chat.CodeID, error) {
	if err := s.takeCode(q.address); err != nil {
		return 0, err
	}
	s.countCode(q.address)
	code := secret.NewToken("") // nobody will show that
	if q.account != 0 {
		code = s.newCode()
	}
	var id chat.CodeID
	err := s.update(ctx, "store code", func(ctx context.Context, ch *change) error {
		var err error
		id, err = s.storeCode(ctx, ch, q, code)
		return err
	})
	if err != nil || q.account == 0 {
		return id, err
	}
	select {
	case s.mails.slots <- struct{}{}:
	default:
		s.log.Warn("code not mailed: too many mails are under way", "purpose", q.purpose)
		return id, nil
	}
	s.running.Go(func() {
		defer func() { <-s.mails.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailPatience)
		defer cancel()
		if err := s.mailCode(ctx, q, code); err != nil {
			s.log.Warn("code not mailed", "purpose", q.purpose, "error", err)
		}
	})
	return id, nil
}

// takeCode begins the cooldown of an address, if another code may go there now
// (AC 2.9).
func (s *Service) takeCode(address string) error {
	if s.mailer == nil && s.fixed == "" {
		return chat.Fail(chat.CodeCodeUndelivered)
	}
	if s.limitsOff {
		return nil
	}
	if wait := s.mails.take(address, s.now()); wait > 0 {
		return &chat.Error{Code: chat.CodeCodeCooldown, RetryAfter: wait}
	}
	var full *chat.Error
	if errors.As(s.spent(rateCodeHourly, address), &full) {
		s.mails.release(address)
		return &chat.Error{Code: chat.CodeCodeHourly, RetryAfter: full.RetryAfter}
	}
	return nil
}

// countCode counts a code that is on its way. The cooldown kept others from
// counting one since takeCode looked.
func (s *Service) countCode(address string) { _ = s.take(rateCodeHourly, address) }

// newCode draws a code.
func (s *Service) newCode() string {
	if s.fixed != "" {
		return s.fixed
	}
	return secret.RandomDigits(codeDigits)
}

func (s *Service) mailCode(ctx context.Context, q codeRequest, code string) error {
	if s.fixed != "" {
		return nil
	}
	return s.mailer.MailCode(ctx, CodeMail{
		Purpose: q.purpose, Address: q.address, Code: code, Handle: q.greet, Life: codeLife,
	})
}

func (s *Service) storeCode(ctx context.Context, ch *change, q codeRequest, code string) (chat.CodeID, error) {
	n, err := ch.NextID(ctx, 1)
	if err != nil {
		return 0, err
	}
	id := chat.CodeID(n)
	return id, ch.InsertMailedCode(ctx, &store.MailedCode{
		ID: id, Purpose: uint8(q.purpose), Address: q.address, Account: q.account,
		Handle: q.handle, DisplayName: q.displayName, Description: q.description,
		Digest: s.codeDigest(id, code), CreatedAt: ch.at, ExpiresAt: ch.at.Add(codeLife),
	})
}

func (s *Service) codeDigest(id chat.CodeID, code string) [32]byte {
	return s.vault.Digest("code", strconv.FormatInt(int64(id), 10), code)
}

// useCode runs fn in one transaction if a code is right, and uses the code up with
// it; when fn fails nothing has happened and the code is still good. It fails with
// field_invalid, code_expired, not_own, code_invalid or code_attempts, and a wrong
// guess counts although nothing else of the transaction does.
func (s *Service) useCode(
	ctx context.Context, in CodeGuess, use codeUse, fn func(ctx context.Context, ch *change, m *store.MailedCode) error,
) error {
	if len(in.Code) != codeDigits || strings.Trim(in.Code, "0123456789") != "" {
		return chat.FailField(chat.CodeFieldInvalid, "code")
	}
	var wrong error
	err := s.update(ctx, "use code", func(ctx context.Context, ch *change) error {
		wrong = nil
		m, err := ch.MailedCode(ctx, in.ID)
		if m, err = known(m, err, chat.CodeCodeExpired); err != nil {
			return err
		}
		if CodePurpose(m.Purpose) != use.purpose || !ch.at.Before(m.ExpiresAt) {
			return chat.Fail(chat.CodeCodeExpired)
		}
		if use.owner != 0 && m.Account != use.owner {
			return chat.Fail(chat.CodeNotOwn)
		}
		if m.Guesses >= codeGuesses {
			// By then another may be asked for.
			wrong = &chat.Error{Code: chat.CodeCodeAttempts, RetryAfter: codeCooldown}
			return ch.DeleteMailedCode(ctx, m.ID)
		}
		digest := s.codeDigest(m.ID, in.Code)
		if !hmac.Equal(m.Digest[:], digest[:]) {
			wrong = chat.Fail(chat.CodeCodeInvalid)
			return ch.CountGuess(ctx, m.ID)
		}
		if err := ch.DeleteMailedCode(ctx, m.ID); err != nil {
			return err
		}
		return fn(ctx, ch, m)
	})
	if err != nil {
		return err
	}
	return wrong
}

// codeMails remembers when addresses were last mailed a code, and bounds the mails
// that nobody waits for. What it knows of is in two parts: those of the present
// minute and those of the one before, which goes as a whole.
type codeMails struct {
	slots chan struct{} // one for each mail under way
	seed  maphash.Seed

	mu         sync.Mutex
	since      time.Time // when young began
	young, old map[uint64]time.Time
}

func newCodeMails() *codeMails {
	return &codeMails{slots: make(chan struct{}, mailsAtOnce), seed: maphash.MakeSeed()}
}

// take notes a mail to an address, or returns how long it is too early for one.
// When as many addresses as a limiter tells apart were mailed within a minute, new
// ones wait for the next.
func (m *codeMails) take(address string, now time.Time) (wait time.Duration) {
	key := maphash.String(m.seed, address)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch age := now.Sub(m.since); {
	case age < 0: // the clock stepped back: what is known stays for another while
		m.since = now
	case age >= 2*codeCooldown:
		m.old, m.young, m.since = nil, make(map[uint64]time.Time), now
	case age >= codeCooldown:
		m.old, m.young, m.since = m.young, make(map[uint64]time.Time), now
	}
	last, seen := m.young[key]
	if !seen {
		last, seen = m.old[key]
	}
	if since := now.Sub(last); seen && since < codeCooldown {
		return min(codeCooldown-since, codeCooldown) // no longer, should the clock have stepped back
	}
	if len(m.young) >= maxBuckets {
		return codeCooldown - now.Sub(m.since)
	}
	m.young[key] = now
	return 0
}

// release forgets the last mail to an address: it failed.
func (m *codeMails) release(address string) {
	key := maphash.String(m.seed, address)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.young, key)
	delete(m.old, key)
}
