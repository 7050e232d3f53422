package core

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestCooldownIsMeasuredFromTheLastMail(t *testing.T) {
	t.Parallel()
	m := newCodeMails()
	begin := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		at      time.Duration
		address string
		want    time.Duration // to wait; 0: may be mailed
	}{
		{0, "a", 0},
		{0, "a", time.Minute},
		{30 * time.Second, "b", 0},
		{59 * time.Second, "a", time.Second},
		{time.Minute, "a", 0},
		{time.Minute, "b", 30 * time.Second},
		{90 * time.Second, "b", 0},
		{110 * time.Second, "a", 10 * time.Second},
		{149 * time.Second, "b", time.Second},
		{100 * time.Second, "b", 50 * time.Second}, // the clock stepped back
		{20 * time.Second, "b", time.Minute},       // ... and further
		{time.Hour, "b", 0},
	} {
		if got := m.take(step.address, begin.Add(step.at)); got != step.want {
			t.Errorf("%s after %v: got %v to wait, want %v", step.address, step.at, got, step.want)
		}
	}
	m.release("b")
	if got := m.take("b", begin.Add(time.Hour)); got != 0 {
		t.Errorf("after a release: got %v to wait, want none", got)
	}
}

// A flood of addresses neither grows without bound nor ends anybody's cooldown.
func TestCooldownsAreBounded(t *testing.T) {
	t.Parallel()
	m := newCodeMails()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i := range maxBuckets {
		if wait := m.take(strconv.Itoa(i), at); wait != 0 {
			t.Fatalf("address %d: got %v to wait, want none", i, wait)
		}
	}
	at = at.Add(20 * time.Second)
	for _, address := range []string{"0", "one more"} {
		if got := m.take(address, at); got != 40*time.Second {
			t.Errorf("%s: got %v to wait, want 40s", address, got)
		}
	}
	at = at.Add(40 * time.Second)
	if got := m.take("one more", at); got != 0 {
		t.Errorf("a minute later: got %v to wait, want none", got)
	}
	if got := len(m.young) + len(m.old); got > 2*maxBuckets {
		t.Errorf("got %d addresses remembered, want at most %d", got, 2*maxBuckets)
	}
}

func TestEveryReservedHandleCouldBeOne(t *testing.T) {
	t.Parallel()
	for _, h := range []string{"v1", "me", "admin", "agentchat", "null", "claude", "deleted-user"} {
		if !reservedHandle(h) {
			t.Errorf("%q: got free, want reserved", h)
		}
	}
	for _, h := range []string{"ada", "agent1", "my-agent", "administrators-cat"} {
		if reservedHandle(h) {
			t.Errorf("%q: got reserved, want free", h)
		}
	}
}

func FuzzHandleShaped(f *testing.F) {
	for _, s := range []string{"ada", "a-1", "a--b", "-ab", "ab-", "1ab", "ab", strings.Repeat("a", 31), "a\x00b", "äbc", "ABC"} {
		f.Add(s)
	}
	form := regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)
	f.Fuzz(func(t *testing.T, h string) {
		want := form.MatchString(h) && len(h) >= 3 && len(h) <= 30 && !strings.HasSuffix(h, "\n")
		if got := handleShaped(h); got != want {
			t.Errorf("handleShaped(%q): got %t, want %t", h, got, want)
		}
	})
}

// What passes can be put into the head of a mail as it is.
func FuzzCheckMailbox(f *testing.F) {
	for _, s := range []string{
		"a@example.org", "a@b", "a@b@c.d", "A <a@b.c>", "a@b.c\r\nBcc: d@e.f", `"a b"@c.d`, "ä@ö.de", "a@.b.c", "(x)a@b.c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		address := normalAddress(s)
		if checkMailbox(address) != nil {
			return
		}
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || strings.ContainsAny(address, "\r\n\x00 <>,;") {
			t.Errorf("%q passes: parsed as %v, %v", address, parsed, err)
		}
		if normalAddress(address) != address {
			t.Errorf("%q is not normal: %q", address, normalAddress(address))
		}
	})
}
