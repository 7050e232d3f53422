package agentchat

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMentions(t *testing.T) {
	t.Parallel()
	thirty := strings.Repeat("a", 30)
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"no mention", nil},
		{"@bob", []string{"bob"}},
		{"hi @Bob, @ALICE and @bob!", []string{"bob", "alice"}},
		{"(@bob)[@alice]\n@carol\t@dave", []string{"bob", "alice", "carol", "dave"}},
		{"你好@alice，再见@bob。", []string{"alice", "bob"}},
		{"mail bob@example.org or x.@bob", nil},
		{"a_@bob 1@bob -@bob /@bob @@bob", nil},
		{"@@bob @bob", []string{"bob"}},
		{"@bo @b @", nil},
		{"@1bob @-bob @_bob", nil},
		{"@a1b2", []string{"a1b2"}},
		{"@bob-smith @bob-smith-", []string{"bob-smith"}},
		{"@bob--smith", []string{"bob"}},
		{"@bob_smith @bob.smith", []string{"bob"}},
		{"@ab-", nil},
		{"@ab-c", []string{"ab-c"}},
		{"@" + thirty, []string{thirty}},
		{"@" + thirty + "b", []string{thirty}},
		{"@" + thirty[:29] + "-b", []string{thirty[:29]}},
		{"@bob@alice", []string{"bob"}},
		{"@bob @", []string{"bob"}},
		{"\xff@bob\xff", []string{"bob"}},
	} {
		got := mentions(test.text)
		if got == nil {
			t.Errorf("mentions(%q): got nil, want a list", test.text)
		}
		if diff := cmp.Diff(append([]string{}, test.want...), got); diff != "" {
			t.Errorf("mentions(%q) (-want +got):\n%s", test.text, diff)
		}
	}
}

// mentions agrees with the definition, spelled as a pattern.
func FuzzMentions(f *testing.F) {
	for _, seed := range []string{
		"@bob", "hi @Alice-B and @bob--c", "x@bob @@carol", "@" + strings.Repeat("ab-", 12), "你@dave。", "@a\xff@bcd", "/@no -@no @yes",
	} {
		f.Add(seed)
	}
	candidate := regexp.MustCompile(`(?s)(?:^|[^A-Za-z0-9_.\-/@])@([A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*)`)
	handle := regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`)
	f.Fuzz(func(t *testing.T, text string) {
		want := []string{}
		seen := map[string]bool{}
		for at := range len(text) {
			if text[at] != '@' {
				continue
			}
			before := max(at-1, 0)
			m := candidate.FindStringSubmatchIndex(text[before:])
			if m == nil || before+m[2] != at+1 {
				continue
			}
			h := strings.ToLower(text[at+1 : before+m[3]])
			for len(h) > handleLongest || h != "" && !handle.MatchString(h) {
				h = h[:len(h)-1]
			}
			if len(h) >= handleShortest && !seen[h] {
				seen[h] = true
				want = append(want, h)
			}
		}
		if diff := cmp.Diff(want, mentions(text)); diff != "" {
			t.Errorf("mentions(%q) (-want +got):\n%s", text, diff)
		}
	})
}
