package mail_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"parley/internal/mail"
)

var today = time.Date(2026, 11, 21, 21, 26, 5, 0, time.UTC)

func now() time.Time { return today }

// send sends a code over a server to ann.
func send(ctx context.Context, t *testing.T, o mail.SMTPOptions) error {
	t.Helper()
	o.Host = "127.0.0.1"
	sender, err := mail.New(mail.Options{
		SMTP: &o, From: "Parley <parley@example.org>", Log: slog.New(slog.DiscardHandler), Now: now,
	})
	if err != nil {
		t.Fatalf("make the sender: %v", err)
	}
	m := mail.CodeMail(mail.PurposeRegister, "042917", "ann", 10*time.Minute)
	m.To = "ann@example.com"
	return sender.Send(ctx, m)
}

func TestAMailServerTakesMails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		server     manners
		encryption mail.Encryption
		user       string
		encrypted  bool
	}{
		{name: "in the clear", encryption: mail.OpportunisticTLS},
		{name: "STARTTLS", server: manners{startTLS: true}, encrypted: true},
		{name: "STARTTLS if offered", server: manners{startTLS: true}, encryption: mail.OpportunisticTLS, encrypted: true},
		{name: "STARTTLS and a password", server: manners{startTLS: true, user: "ann", password: "secret"}, user: "ann", encrypted: true},
		{name: "implicit TLS", server: manners{implicitTLS: true}, encryption: mail.ImplicitTLS, encrypted: true},
		{name: "implicit TLS and a password", server: manners{implicitTLS: true, user: "ann", password: "secret"}, user: "ann", encryption: mail.ImplicitTLS, encrypted: true},
		{name: "no goodbye", server: manners{startTLS: true, answers: map[string]string{"QUIT": ""}}, encrypted: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := newMailServer(t, test.server)
			err := send(t.Context(), t, mail.SMTPOptions{
				Port: server.port, Encryption: test.encryption, Username: test.user, Password: "secret", RootCAs: server.roots,
			})
			if err != nil {
				t.Fatalf("got %v, want the mail to be taken", err)
			}
			got := <-server.taken
			if got.from != "FROM:<parley@example.org>" || got.to != "TO:<ann@example.com>" || got.encrypted != test.encrypted {
				t.Errorf("got from %q, to %q, encrypted %v; want from parley, to ann, encrypted %v", got.from, got.to, got.encrypted, test.encrypted)
			}
			checkCodeMail(t, got.data, "042917")
		})
	}
}

func TestFaultsAreToldApart(t *testing.T) {
	t.Parallel()
	says := func(verb, answer string) manners {
		return manners{startTLS: true, answers: map[string]string{verb: answer}}
	}
	for _, test := range []struct {
		name       string
		server     manners
		encryption mail.Encryption
		user       string
		distrust   bool
		want       error // nil: neither of the two
	}{
		{name: "recipient refused", server: says("RCPT", "550 no such user"), want: mail.ErrRefused},
		{name: "content refused", server: says("DATA END", "554 no"), want: mail.ErrRefused},
		{name: "recipient put off", server: says("RCPT", "450 greylisted"), want: mail.ErrUnreachable},
		{name: "too busy", server: says("CONNECT", "421 too busy"), want: mail.ErrUnreachable},
		{name: "no greeting", server: says("CONNECT", "hang"), want: mail.ErrUnreachable},
		{name: "no handshake", server: manners{implicitTLS: true, answers: says("CONNECT", "hang").answers}, encryption: mail.ImplicitTLS, want: mail.ErrUnreachable},
		{name: "silent in the middle", server: says("RCPT", "hang"), want: mail.ErrUnreachable},
		{name: "silent at the end", server: says("DATA END", "hang"), want: mail.ErrUnreachable},
		{name: "hangs up at the start", server: says("CONNECT", ""), want: mail.ErrUnreachable},
		{name: "hangs up in the middle", server: says("MAIL", ""), want: mail.ErrUnreachable},
		{name: "sender refused", server: says("MAIL", "553 not you")},
		{name: "no STARTTLS", server: manners{}},
		{name: "no TLS", server: manners{}, encryption: mail.ImplicitTLS},
		{name: "wrong certificate", server: manners{startTLS: true}, distrust: true},
		{name: "wrong certificate, opportunistic", server: manners{startTLS: true}, encryption: mail.OpportunisticTLS, distrust: true},
		{name: "wrong certificate, implicit", server: manners{implicitTLS: true}, encryption: mail.ImplicitTLS, distrust: true},
		{name: "wrong password", server: manners{startTLS: true, user: "ann", password: "other"}, user: "ann"},
		{name: "no login offered", server: manners{startTLS: true}, user: "ann"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := newMailServer(t, test.server)
			options := mail.SMTPOptions{
				Port: server.port, Encryption: test.encryption, Username: test.user, Password: "secret", RootCAs: server.roots,
			}
			if test.distrust {
				options.RootCAs = x509.NewCertPool()
			}
			if strings.Contains(fmt.Sprint(test.server.answers), "hang") {
				options.Timeout = 200 * time.Millisecond
			}
			err := send(t.Context(), t, options)
			if err == nil {
				t.Error("got no error")
			}
			for _, kind := range []error{mail.ErrRefused, mail.ErrUnreachable} {
				if got, want := errors.Is(err, kind), errors.Is(test.want, kind); got != want {
					t.Errorf("got %v; is it %q: %v, want %v", err, kind, got, want)
				}
			}
			if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok != test.distrust {
				t.Errorf("got %v; want unknown authority: %v", err, test.distrust)
			}
			select {
			case got := <-server.taken:
				t.Errorf("got a delivery %q, want none", got.data)
			default:
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatalf("stop listening: %v", err)
	}
	if err := send(t.Context(), t, mail.SMTPOptions{Port: port}); !errors.Is(err, mail.ErrUnreachable) {
		t.Errorf("got %v, want %v", err, mail.ErrUnreachable)
	}
}

func TestTheCallerGivesUp(t *testing.T) {
	t.Parallel()
	server := newMailServer(t, manners{answers: map[string]string{"CONNECT": "hang"}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := send(ctx, t, mail.SMTPOptions{Port: server.port})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, mail.ErrUnreachable) {
		t.Errorf("got %v, want a deadline exceeded by an unreachable server", err)
	}
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("waited %v, want about 50 ms", waited)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	err = send(cancelled, t, mail.SMTPOptions{Port: server.port})
	if !errors.Is(err, context.Canceled) || errors.Is(err, mail.ErrUnreachable) {
		t.Errorf("got %v, want cancelled, and no blame for the server", err)
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	t.Parallel()
	sender, err := mail.New(mail.Options{Outbox: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatalf("make the sender: %v", err)
	}
	for _, m := range []mail.Message{
		{To: "", Subject: "a"},
		{To: "ann", Subject: "a"},
		{To: "ann@example.com\r\nBcc: bob@example.com", Subject: "a"},
		{To: "ann@example.com\nBcc: bob@example.com", Subject: "a"},
		{To: "ann@example.com\r", Subject: "a"},
		{To: "ann@example.com, bob@example.com", Subject: "a"},
		{To: "Ann <ann@example.com>", Subject: "a"},
		{To: " ann@example.com", Subject: "a"},
		{To: strings.Repeat("a", 310) + "@example.com", Subject: "a"},
		{To: "ann@example.com\xff", Subject: "a"},
		{To: "ann@example.com", Subject: ""},
		{To: "ann@example.com", Subject: "a\r\nBcc: bob@example.com"},
		{To: "ann@example.com", Subject: "a\nb"},
		{To: "ann@example.com", Subject: "a\u2028b"},
		{To: "ann@example.com", Subject: strings.Repeat("a", 201)},
	} {
		if err := sender.Send(t.Context(), m); !errors.Is(err, mail.ErrInvalid) {
			t.Errorf("%q, %q: got %v, want %v", m.To, m.Subject, err, mail.ErrInvalid)
		}
	}
}

func TestNewChecksItsOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mail.Options{
		"nowhere to send":      {},
		"no host":              {SMTP: &mail.SMTPOptions{}, From: "a@example.org"},
		"no sender":            {SMTP: &mail.SMTPOptions{Host: "mail"}},
		"no port":              {SMTP: &mail.SMTPOptions{Host: "mail", Port: 65536}, From: "a@example.org"},
		"sender is no address": {SMTP: &mail.SMTPOptions{Host: "mail"}, From: "a@example.org\r\nBcc: b@example.org"},
	} {
		if _, err := mail.New(o); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// checkCodeMail checks a code mail as it went out.
func checkCodeMail(t *testing.T, raw, code string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("read the mail: %v\n%s", err, raw)
	}
	for header, want := range map[string]string{
		"To": "<ann@example.com>", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0",
		"Content-Type": "text/plain; charset=UTF-8", "Subject": "Your code to register with Parley",
	} {
		if got := m.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	if id := m.Header.Get("Message-Id"); !strings.HasPrefix(id, "<") || !strings.Contains(id, "@") {
		t.Errorf("got message id %q, want one", id)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(today) {
		t.Errorf("got date %v, %v; want %v", date, err, today)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatalf("read the body: %v", err)
	}
	if got := sixDigits.FindAllString(string(body), -1); len(got) != 1 || got[0] != code {
		t.Errorf("the text has the codes %q, want only %q", got, code)
	}
	if got := sixDigits.FindAllString(raw, -1); len(got) != 1 || got[0] != code {
		t.Errorf("the whole mail has the codes %q, want only %q\n%s", got, code, raw)
	}
}
