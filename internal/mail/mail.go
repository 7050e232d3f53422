// Package mail hands over the few mails that Parley sends: codes and notices.
//
// With a mail server configured a mail goes there over SMTP. Without one it
// becomes a file in a folder, the outbox, so that somebody who has just started
// a server can register before setting up mail (AC 4.3). Which of the two is
// used is decided once, by New.
//
// There is no queue: Send returns when the mail server has taken the mail, or
// when the file is on disk. Who cannot wait sends from a goroutine of its own.
package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// Errors of Send, found with errors.Is. Any other error is a fault of the setup
// (a certificate that does not fit, a wrong password, a sender that the server
// does not accept), of the disk, or of the caller's context.
var (
	// ErrInvalid means that the address or the subject cannot be sent.
	ErrInvalid = errors.New("invalid mail")
	// ErrRefused means that the mail server refused the recipient, or the mail
	// to it, for good. Sending it again is of no use.
	ErrRefused = errors.New("mail refused")
	// ErrUnreachable means that the mail server could not be reached, fell
	// silent, or asked to come back later. A later try may succeed.
	ErrUnreachable = errors.New("mail server unreachable")
)

const (
	maxAddress = 320 // characters of an address (AC 4.1)
	maxSubject = 200 // characters; more is no subject but a mistake

	defaultFrom = "Parley <parley@localhost>"
)

// Message is one mail to one recipient.
type Message struct {
	To      string // a bare address, such as ann@example.org; at most 320 characters
	Subject string // one line of at most 200 characters
	Text    string // plain text in UTF-8; lines end in \n
}

// Options of a Sender.
type Options struct {
	// SMTP is the mail server; nil writes mails to the Outbox.
	SMTP *SMTPOptions
	// Outbox is the folder for mails if SMTP is nil. It is made if need be, for
	// its owner alone. Nothing is ever deleted from it but unfinished files.
	Outbox string
	// From is the sender, as an address or as "Name <address>". Empty is
	// parley@localhost, which is good enough for the outbox only.
	From string

	Log *slog.Logger     // told of each file in the outbox
	Now func() time.Time // the date of mails; needed, as Log is
}

// Sender sends mails. It is safe for concurrent use and holds nothing that needs
// closing.
type Sender struct {
	from    *mail.Address
	now     func() time.Time
	deliver func(context.Context, *gomail.Msg) error
}

// New makes a sender and checks the options; it does not connect. The folder of
// the outbox is made now, so that a server that cannot write there does not
// start.
func New(o Options) (*Sender, error) {
	from, err := parseFrom(o)
	if err != nil {
		return nil, err
	}
	s := &Sender{from: from, now: o.Now}
	if o.SMTP == nil {
		box, err := openOutbox(o.Outbox, o.Now, o.Log)
		if err != nil {
			return nil, err
		}
		s.deliver = box.deliver
		return s, nil
	}
	server, err := newSMTP(*o.SMTP)
	if err != nil {
		return nil, err
	}
	s.deliver = server.deliver
	return s, nil
}

func parseFrom(o Options) (*mail.Address, error) {
	text := o.From
	if text == "" {
		if o.SMTP != nil {
			return nil, errors.New("a mail server needs a sender address")
		}
		text = defaultFrom
	}
	from, err := mail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("read the sender address %q: %w", text, err)
	}
	return from, nil
}

// Send sends one mail and returns when it has been taken. Anybody who answers to
// the rate limits on mails may call it; it applies none.
func (s *Sender) Send(ctx context.Context, m Message) error {
	built, err := s.build(m)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	return s.deliver(ctx, built)
}

func (s *Sender) build(m Message) (*gomail.Msg, error) {
	if err := checkAddress(m.To); err != nil {
		return nil, err
	}
	if err := checkSubject(m.Subject); err != nil {
		return nil, err
	}
	built := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	built.FromMailAddress(s.from)
	built.ToMailAddress(&mail.Address{Address: m.To})
	built.Subject(m.Subject)
	built.SetDateWithValue(s.now())
	built.SetMessageIDWithValue(messageID(s.from.Address))
	// Answering machines leave such mails alone (RFC 3834).
	built.SetGenHeader("Auto-Submitted", "auto-generated")
	built.SetBodyString(gomail.TypeTextPlain, m.Text)
	return built, nil
}

// checkAddress accepts a bare address. A line break would let a user write
// headers of its own, a display name would put words of its choice into our mail.
func checkAddress(address string) error {
	if utf8.RuneCountInString(address) > maxAddress || !printable(address) {
		return fmt.Errorf("%w: recipient is no address", ErrInvalid)
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil {
		return fmt.Errorf("%w: recipient is no address: %w", ErrInvalid, err)
	}
	if parsed.Address != address {
		return fmt.Errorf("%w: recipient is more than an address", ErrInvalid)
	}
	return nil
}

func checkSubject(subject string) error {
	switch {
	case strings.TrimSpace(subject) == "":
		return fmt.Errorf("%w: no subject", ErrInvalid)
	case utf8.RuneCountInString(subject) > maxSubject:
		return fmt.Errorf("%w: the subject is too long", ErrInvalid)
	case !printable(subject):
		return fmt.Errorf("%w: the subject holds a line break or another control character", ErrInvalid)
	}
	return nil
}

// printable tells whether a text may stand in a header. It refuses the line
// separators of Unicode too, which some mail programs break lines at.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

// messageID is made of letters, so that the code is the only number of its
// length in a mail, and names the sender's domain instead of this host.
func messageID(from string) string {
	domain := from[strings.LastIndexByte(from, '@')+1:]
	letters := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r - '2' + 'a' // base32 has 2 to 7: a to f, small
		}
		return r
	}, rand.Text())
	return letters + "@" + domain
}
