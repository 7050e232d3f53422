package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"runtime"
	"time"

	"parley/internal/blob"
	"parley/internal/config"
	"parley/internal/core"
	"parley/internal/mail"
	"parley/internal/netguard"
	"parley/internal/secret"
	"parley/internal/webhook"
)

const (
	outboxFolder = "outbox"
	blobFolder   = "blobs"
)

// Outside says what of the world outside a server's core may use.
type Outside struct {
	SMTP     config.SMTP
	MailFrom string
	// FixedCode is taken for every mailed code, and no mail is sent; "": never.
	FixedCode string
	Allow     []netip.Prefix // private destinations of webhooks
	Retention time.Duration  // of what was never fetched; 0: for ever
	Welcome   bool
}

// outside opens what the core needs of the world and puts it into cfg.
func (b *Backend) outside(cfg *core.Config, o Outside, key [32]byte) error {
	vault := secret.NewVault(key)
	var err error
	if b.Blobs, err = blob.Open(filepath.Join(b.data, blobFolder), vault.Digest("links to blobs")); err != nil {
		return fmt.Errorf("open the folder of files: %w", err)
	}
	b.onClose(b.Blobs.Close)
	cfg.Blobs = blob.NewKeeper(b.Blobs, max(runtime.GOMAXPROCS(0)/2, 1))
	b.Guard = netguard.New(netguard.Options{Allow: o.Allow})
	cfg.Links = webhook.Links{Checker: b.Guard}
	cfg.FixedCode, cfg.Retention, cfg.Welcome = o.FixedCode, o.Retention, o.Welcome
	if cfg.Mailer, err = newMailer(b.data, o, b.log); err != nil {
		return err
	}
	return nil
}

// mailer hands codes to a mail server, or to files that the operator reads.
type mailer struct{ *mail.Sender }

func newMailer(data string, o Outside, log *slog.Logger) (core.Mailer, error) {
	options := mail.Options{Outbox: filepath.Join(data, outboxFolder), From: o.MailFrom, Log: log, Now: time.Now}
	if !o.SMTP.None() {
		options.SMTP = &mail.SMTPOptions{
			Host: o.SMTP.Host, Port: o.SMTP.Port, Username: o.SMTP.Username, Password: o.SMTP.Password,
		}
		switch {
		case o.SMTP.TLS:
			options.SMTP.Encryption = mail.ImplicitTLS
		case o.SMTP.Lax:
			options.SMTP.Encryption = mail.OpportunisticTLS
		}
	}
	sender, err := mail.New(options)
	if err != nil {
		return nil, fmt.Errorf("--smtp: %w", err)
	}
	return mailer{sender}, nil
}

// MailCode sends one code.
func (m mailer) MailCode(ctx context.Context, c core.CodeMail) error {
	message := mail.CodeMail(mailPurpose(c.Purpose), c.Code, c.Handle, c.Life)
	message.To = c.Address
	return m.Send(ctx, message)
}

func mailPurpose(p core.CodePurpose) mail.Purpose {
	switch p {
	case core.CodeForRecovery:
		return mail.PurposeRecover
	case core.CodeForRotation:
		return mail.PurposeRotate
	case core.CodeForDashboard:
		return mail.PurposeSignIn
	default:
		return mail.PurposeRegister
	}
}
