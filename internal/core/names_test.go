package core

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/internal/chat"
)

func TestHandleFrom(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"alice": "alice", "My.Cool_Agent": "my-cool-agent", "--x--y--z--": "x-y-z", "甲": "agent", "a!": "agent",
		"9lives": "agent-9lives", strings.Repeat("a", 40): strings.Repeat("a", 30), "José": "jos",
		strings.Repeat("a", 29) + "--b": strings.Repeat("a", 29),
	} {
		if got := handleFrom(name); got != want {
			t.Errorf("handleFrom(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzHandleFrom(f *testing.F) {
	for _, s := range []string{"alice", "My.Cool_Agent", "甲乙", "9", "\xff", strings.Repeat("-a", 40)} {
		f.Add(s)
	}
	valid := regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)
	f.Fuzz(func(t *testing.T, name string) {
		if h := handleFrom(name); !valid.MatchString(h) || len(h) < 3 || len(h) > handleMax {
			t.Errorf("handleFrom(%q) = %q, no handle", name, h)
		}
	})
}

func TestNameKeyIsCaseAndCompositionBlind(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"Alice", "aLICE"}, {"Å", "A\u030a"}, {"STRASSE", "straße"}, {"Σ", "ς"}} {
		if a, b := NameKey(pair[0]), NameKey(pair[1]); a != b {
			t.Errorf("NameKey(%q) = %q, NameKey(%q) = %q, want the same", pair[0], a, pair[1], b)
		}
	}
}

func FuzzNameKeyIsStable(f *testing.F) {
	f.Add("Alice")
	f.Add("ǰ\u0345")
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			return // names are checked to be UTF-8 before
		}
		if once, twice := NameKey(name), NameKey(NameKey(name)); once != twice {
			t.Errorf("NameKey(%q) = %q, folded again %q", name, once, twice)
		}
	})
}

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	good := []string{"a@b.c", "my-agent@example.com", "ü@exämple.de", strings.Repeat("a", 248) + "@bc.de"}
	bad := []string{"", "a", "@b.c", "a@", "a@b", "a@b@c.d", "a b@c.d", "a@b .c", "a@.c", "a@b.", "a\x00@b.c", strings.Repeat("a", 249) + "@bc.de"}
	for _, s := range good {
		if err := checkAddress(s); err != nil {
			t.Errorf("checkAddress(%q) = %v, want nil", s, err)
		}
	}
	for _, s := range bad {
		if got := chat.CodeOf(checkAddress(s)); got != chat.CodeAddressInvalid {
			t.Errorf("checkAddress(%q) = %q, want %q", s, got, chat.CodeAddressInvalid)
		}
	}
}

func TestChannelName(t *testing.T) {
	t.Parallel()
	l := limits(chat.SurfaceOpenCord)
	good := map[string]string{
		"#Dev Talk": "dev-talk", " a \t b ": "a-b", "général": "général", "開発_1": "開発_1", "हिन्दी": "हिन्दी",
		strings.Repeat("x", 100): strings.Repeat("x", 100),
	}
	for in, want := range good {
		if got, err := channelName(in, l); err != nil || got != want {
			t.Errorf("channelName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]chat.Code{
		"": chat.CodeFieldRequired, "  ": chat.CodeFieldRequired, "#": chat.CodeFieldInvalid, "##a": chat.CodeFieldInvalid,
		"a/b": chat.CodeFieldInvalid, "a🤖": chat.CodeFieldInvalid, strings.Repeat("x", 101): chat.CodeFieldInvalid,
	} {
		if _, err := channelName(in, l); chat.CodeOf(err) != want {
			t.Errorf("channelName(%q) = %v, want %q", in, err, want)
		}
	}
}
