package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

const (
	mailSuffix       = ".eml"
	unfinishedSuffix = ".unfinished"
)

// outbox is the folder that mails are written to, one file each. The names sort
// by time, and everything is for the owner of the folder alone, since a code in
// a mail is as good as a password.
type outbox struct {
	folder string
	now    func() time.Time
	log    *slog.Logger
}

func openOutbox(folder string, now func() time.Time, log *slog.Logger) (*outbox, error) {
	if folder == "" {
		return nil, errors.New("neither a mail server nor a folder for mails is set")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for mails: %w", err)
	}
	leftovers, err := fs.Glob(os.DirFS(folder), "*"+unfinishedSuffix)
	if err != nil {
		return nil, fmt.Errorf("look for unfinished mails: %w", err)
	}
	for _, name := range leftovers {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			return nil, fmt.Errorf("remove an unfinished mail: %w", err)
		}
	}
	return &outbox{folder: folder, now: now, log: log}, nil
}

// deliver writes a mail under a name of its own first, so that a reader of the
// folder never sees half a mail.
func (b *outbox) deliver(_ context.Context, m *gomail.Msg) (err error) {
	name := b.now().UTC().Format("20060102T150405.000Z") + "-" + strings.ToLower(rand.Text()[:10])
	path := filepath.Join(b.folder, name)
	unfinished, finished := path+unfinishedSuffix, path+mailSuffix
	defer func() {
		if err != nil {
			_ = os.Remove(unfinished) // not there any more if it was renamed
		}
	}()
	if err := write(unfinished, m); err != nil {
		return fmt.Errorf("write mail to the outbox: %w", err)
	}
	if err := os.Rename(unfinished, finished); err != nil {
		return fmt.Errorf("finish mail in the outbox: %w", err)
	}
	if err := syncFolder(b.folder); err != nil {
		return fmt.Errorf("make mail in the outbox durable: %w", err)
	}
	b.log.Info("no mail server is configured: wrote a mail to the outbox", "file", finished)
	return nil
}

func write(path string, m *gomail.Msg) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := m.WriteTo(file); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
