package mail_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/mail"
)

// sixDigits finds what a program that reads mail takes for a code, and longer
// numbers, in which it might find one.
var sixDigits = regexp.MustCompile(`[0-9]{6,}`)

func TestWithoutAMailServerMailsBecomeFiles(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data", "outbox")
	var log bytes.Buffer
	sender, err := mail.New(mail.Options{Outbox: folder, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: now})
	if err != nil {
		t.Fatalf("make the sender: %v", err)
	}
	for _, code := range []string{"042917", "111111"} {
		m := mail.CodeMail(mail.PurposeRegister, code, "ann", 10*time.Minute)
		m.To = "ann@example.com"
		log.Reset()
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatalf("send: %v", err)
		}
		// What the line does not tell cannot be read out of a log.
		line := log.String()
		path := regexp.MustCompile(`file=(\S+)`).FindStringSubmatch(line)
		if strings.Count(line, "\n") != 1 || path == nil || strings.Contains(line, code) || strings.Contains(line, "ann@") {
			t.Fatalf("got the log %q, want one line that names the file and nothing of the mail", line)
		}
		raw, err := os.ReadFile(path[1])
		if err != nil {
			t.Fatalf("read the mail: %v", err)
		}
		checkCodeMail(t, string(raw), code)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatalf("list the outbox: %v", err)
	}
	if len(files) != 2 {
		t.Errorf("got %d files, want 2", len(files))
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || info.Mode() != 0o600 || filepath.Ext(file.Name()) != ".eml" {
			t.Errorf("got %s with mode %v, %v; want a .eml file with mode 0600", file.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got the folder with mode %v, %v; want 0700", info.Mode(), err)
	}
}

func TestACrashLeavesNoHalfMail(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"a.unfinished", "b.eml"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatalf("prepare the outbox: %v", err)
		}
	}
	if _, err := mail.New(mail.Options{Outbox: folder, Log: slog.New(slog.DiscardHandler), Now: now}); err != nil {
		t.Fatalf("make the sender: %v", err)
	}
	got, err := fs.Glob(os.DirFS(folder), "*")
	if err != nil || len(got) != 1 || got[0] != "b.eml" {
		t.Errorf("got the files %q, %v; want b.eml alone", got, err)
	}
}

func TestAFailedMailLeavesNoFile(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "outbox")
	sender, err := mail.New(mail.Options{Outbox: folder, Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatalf("make the sender: %v", err)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatalf("take the folder away: %v", err)
	}
	if err := sender.Send(t.Context(), mail.Message{To: "ann@example.com", Subject: "a"}); err == nil {
		t.Error("got no error without a folder, want one")
	}
}

// Programs find the code as the only six digits, whatever the account is called.
func TestTheCodeIsTheOnlyNumberOfItsLength(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringMatching(`[0-9]{6}`).Draw(t, "code")
		m := mail.CodeMail(
			rapid.SampledFrom([]mail.Purpose{mail.PurposeRegister, mail.PurposeRecover, mail.PurposeRotate, mail.PurposeSignIn, "other"}).Draw(t, "purpose"),
			code,
			rapid.StringMatching(`([a-z0-9-]{3,30})?`).Draw(t, "handle"),
			time.Duration(rapid.Int64().Draw(t, "life")),
		)
		if got := sixDigits.FindAllString(m.Subject+"\n"+m.Text, -1); len(got) != 1 || got[0] != code {
			t.Fatalf("got the numbers %q in\n%s\nwant only %q", got, m.Text, code)
		}
		if strings.Contains(m.Text, "%!") {
			t.Fatalf("got a broken format:\n%s", m.Text)
		}
	})
}

func TestCodeMailTellsWhatItIsFor(t *testing.T) {
	t.Parallel()
	subjects := map[string]mail.Purpose{}
	for _, purpose := range []mail.Purpose{mail.PurposeRegister, mail.PurposeRecover, mail.PurposeRotate, mail.PurposeSignIn} {
		m := mail.CodeMail(purpose, "042917", "ann-1", 10*time.Minute+30*time.Second)
		if other, ok := subjects[m.Subject]; ok {
			t.Errorf("%s and %s have the same subject %q", purpose, other, m.Subject)
		}
		subjects[m.Subject] = purpose
		for _, want := range []string{"@ann-1", "042917", "10 minutes"} {
			if !strings.Contains(m.Text, want) {
				t.Errorf("%s: got\n%s\nwant it to hold %q", purpose, m.Text, want)
			}
		}
		if strings.Contains(mail.CodeMail(purpose, "042917", "ann-1234567", time.Minute).Text, "1234567") {
			t.Errorf("%s: the handle's digits stand in the mail", purpose)
		}
	}
}
