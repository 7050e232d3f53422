package demo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"parley/internal/demo"
)

const fast = 10_000 // no pauses to speak of

// run plays the demo and returns what it printed.
func run(t *testing.T, o demo.Options) string {
	t.Helper()
	var out bytes.Buffer
	o.Out, o.Speed = &out, fast
	if err := demo.Run(t.Context(), o); err != nil {
		t.Fatalf("Run: %v\n%s", err, &out)
	}
	return out.String()
}

func TestStory(t *testing.T) {
	t.Parallel()
	text := run(t, demo.Options{})
	if strings.Contains(text, "\x1b") {
		t.Error("plain output has escape sequences")
	}
	for _, want := range []string{
		"POST /api/auth/register 201", "POST /api/auth/login 200", "POST /api/auth/api-key 201", "POST /api/servers 201",
		"POST /api/servers/…/join 200", "POST /api/channels/…/messages 201", "PATCH /api/messages/… 200",
		"PATCH /api/users/me/status 200", "POST /api/dm 201", "POST /api/dm/…/messages 201", "?before=… 200",
		"Tueday", "since Tuesday", "POST /v1/register 200", "POST /v1/register/verify 201", "GET /v1/ws 101",
		"POST /v1/messages 201", "GET /api/dm 200", "← message.new", "POST /v1/groups 201", "GET /v1/groups/invites 200",
		"POST /v1/groups/invites/…/accept 200", "← 4 message.new", "POST /ai/agents 200", "GET /ai/friends 200",
		"POST /ai/messages 200", "GET /ai/messages?limit=1 200", "not a", "checks again:", "26 messages, 61 calls, 6 frames",
		"three interfaces", "The server is gone now.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the transcript has no %q:\n%s", want, text)
		}
	}
	for _, name := range []string{"Mira", "Otto", "Pip ", "Kai "} {
		if n := len(regexp.MustCompile(`(?m)^ \d\d:\d\d:\d\d  `+name+`  `).FindAllString(text, -1)); n < 7 {
			t.Errorf("lines of %s: got %d, want 7 or more", name, n)
		}
	}
	for _, name := range []string{"Wen", "Lin"} {
		if n := strings.Count(text, "  "+name+"   "); n < 2 {
			t.Errorf("lines of %s: got %d, want 2 or more", name, n)
		}
	}
}

func TestLinesFit(t *testing.T) {
	t.Parallel()
	for _, width := range []int{60, 140} {
		text := run(t, demo.Options{Width: width})
		for line := range strings.Lines(text) {
			if n := columns(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("width %d: a line has %d columns: %s", width, n, line)
			}
		}
		if call := regexp.MustCompile(`(?m)^.* 米.*POST /ai/messages 200$`).FindString(text); width == 140 && columns(call) != width {
			t.Errorf("width %d: a line with Chinese characters ends at column %d: %s", width, columns(call), call)
		}
	}
}

// columns is the room that a line takes on a terminal, where the characters of East Asia
// take two columns.
func columns(line string) int {
	wide := regexp.MustCompile(`[\x{2E80}-\x{9FFF}\x{F900}-\x{FAFF}\x{FF00}-\x{FF60}]`)
	return utf8.RuneCountInString(line) + len(wide.FindAllString(line, -1))
}

func TestColor(t *testing.T) {
	t.Parallel()
	text := run(t, demo.Options{Color: true})
	for name, color := range map[string]string{"Mira": "36", "Otto": "33", "Pip": "35", "Kai": "32", "Wen": "31", "Lin": "34"} {
		if want := "\x1b[1m\x1b[" + color + "m" + name; !strings.Contains(text, want) {
			t.Errorf("the name of %s in its colour: got none, want %q", name, want)
		}
	}
	if opened, closed := strings.Count(text, "\x1b[")-strings.Count(text, "\x1b[0m"), strings.Count(text, "\x1b[0m"); closed == 0 || opened < closed {
		t.Errorf("sequences: got %d opened and %d closed", opened, closed)
	}
}

func TestNoSpeed(t *testing.T) {
	t.Parallel()
	if err := demo.Run(t.Context(), demo.Options{Out: io.Discard, Speed: -1}); err == nil {
		t.Error("a negative speed: got no error, want one")
	}
}

func TestFailedWrite(t *testing.T) {
	t.Parallel()
	broken := errors.New("pipe closed")
	err := demo.Run(t.Context(), demo.Options{Out: brokenWriter{broken}, Speed: fast})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// watcher calls seen with what was written when it contains a text.
type watcher struct {
	text string
	seen chan string

	mu  sync.Mutex
	all strings.Builder
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all.Write(p)
	if strings.Contains(w.all.String(), w.text) {
		select {
		case w.seen <- w.all.String():
		default:
		}
	}
	return len(p), nil
}

// The lines that --keep prints work, and the end of the context ends the server
// and takes its folder away.
func TestKeep(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	out := &watcher{text: "A human says hello.", seen: make(chan string, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- demo.Run(ctx, demo.Options{Out: out, Speed: fast, Keep: true}) }()
	var text string
	select {
	case text = <-out.seen:
	case err := <-ended:
		t.Fatalf("the demo ended with %v instead of waiting", err)
	}
	given := regexp.MustCompile(`API=(\S+)\s+KEY=(\S+)\s+CHANNEL=(\S+)`).FindStringSubmatch(text)
	if given == nil {
		t.Fatalf("no lines to go on with in:\n%s", text)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, given[1]+"/channels/"+given[3]+"/messages?limit=3", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+given[2])
	response, err := new(http.Transport).RoundTrip(r)
	if err != nil {
		t.Fatalf("call the server that is kept: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("Fair winds")) {
		t.Errorf("the last messages: got %d %s, %v, want 200 and the end of the story", response.StatusCode, body, err)
	}

	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run after the end of its context: got %v, want no error", err)
	}
	if response, err := new(http.Transport).RoundTrip(r.Clone(t.Context())); err == nil {
		response.Body.Close()
		t.Errorf("the server answers %d after the demo", response.StatusCode)
	}
	left, err := filepath.Glob(filepath.Join(temp, "parley-demo-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("folders left behind: got %v, %v, want none", left, err)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	out := &watcher{text: "Good morning", seen: make(chan string, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- demo.Run(ctx, demo.Options{Out: out, Speed: 1}) }()
	<-out.seen
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
}
