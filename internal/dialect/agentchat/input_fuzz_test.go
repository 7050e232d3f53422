package agentchat

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/id"
)

// ids is a surface that can make and open public ids.
func ids(t testing.TB) *api {
	t.Helper()
	codec, err := id.NewCodec([32]byte{1, 2, 3})
	if err != nil {
		t.Fatalf("make the codec of ids: %v", err)
	}
	return &api{Config: Config{IDs: codec}}
}

// A text that is taken for an id is the only one that names its row, as the kind that
// its prefix says.
func FuzzPublicIDs(f *testing.F) {
	a := ids(f)
	const me chat.AccountID = 7
	for _, seed := range []string{
		a.messageID(1), a.conversationID(chat.ConversationDirect, 2), a.conversationID(chat.ConversationGroup, 3),
		a.attachmentID(1 << 40), a.envelopeID(5, me), a.envelopeID(5, 8), a.seal(prefixHook, id.KindHook, 6), "", "msg_", "grp_x",
		"conv_AAAAAAAAAAAAAAAAAAAAAA", "del_00000000000000000000000000000000", "msg_AAAAAAAAAAAAAAAAAAAAAB", "msg_\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check := func(what, again string) {
			t.Helper()
			if text != again {
				t.Errorf("%s: took %q for %q", what, text, again)
			}
		}
		if n := a.openMessage(text); n != 0 {
			check("message", a.messageID(n))
		}
		if n, kind := a.openConversation(text); n != 0 {
			check("conversation", a.conversationID(kind, n))
		}
		if n, ok := a.openEnvelope(text, me); ok {
			if lower := strings.ToLower(text); lower != a.envelopeID(n, me) { // hexadecimal digits may be in any case
				t.Errorf("envelope: took %q for %q", text, a.envelopeID(n, me))
			}
		}
		for prefix, kind := range map[string]id.Kind{
			prefixInvite: id.KindInvite, prefixAttachment: id.KindAttachment, prefixHook: id.KindHook, prefixCode: id.KindCode,
		} {
			if n, ok := a.open(prefix, kind, text); ok {
				check(prefix, a.seal(prefix, kind, n))
			}
		}
	})
}

// A page is within its bounds whatever the query says, and what is refused is no
// whole number that would do.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		"limit=5", "limit=0", "limit=201&offset=3", "limit=99999999999999999999&offset=-1", "limit=%2B1", "limit=1&limit=x",
		"before_seq=1&after_seq=0", "before_seq=-99999999999999999999", "limit=%zz", "limit=%ff", "offset=0x1",
	} {
		f.Add(seed)
	}
	digits := regexp.MustCompile(`^[0-9]+$`)
	f.Fuzz(func(t *testing.T, query string) {
		x := &exchange{Request: &http.Request{URL: &url.URL{RawQuery: query}}, call: core.Call{}}
		if n := x.pageLimit(50, 200); n < 1 || n > 200 {
			t.Errorf("%q: got limit %d, want 1 to 200", query, n)
		}
		if n := x.offset(); n < 0 {
			t.Errorf("%q: got offset %d, want none below 0", query, n)
		}
		before, after := x.cursor("before_seq", 1), x.cursor("after_seq", 0)
		if x.call.Input == nil && (before.Present && before.Value < 1 || after.Value < 0) {
			t.Errorf("%q: got cursors %+v and %+v, want whole numbers", query, before, after)
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		fine := true
		for name, least := range map[string]string{"limit": "1", "offset": "", "before_seq": "1", "after_seq": ""} {
			v := values.Get(name)
			zero := strings.Trim(v, "0") == ""
			fine = fine && (v == "" || digits.MatchString(v) && (least == "" || !zero))
		}
		if fine != (x.call.Input == nil) {
			t.Errorf("%q: got %v, want a refusal %v", query, x.call.Input, !fine)
		}
	})
}

// A handle that was read is one that a database can look for, and reading it again
// changes nothing but one more @.
func FuzzNormalHandle(f *testing.F) {
	for _, seed := range []string{"alice", "@Alice", "@@alice", "a\x00b", "\xff", "İstanbul", "", "@", "K"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h := normalHandle(text)
		if !utf8.ValidString(h) || strings.ContainsRune(h, 0) {
			t.Errorf("%q: got %q, which cannot be looked for", text, h)
		}
		if again := normalHandle("@" + h); again != h {
			t.Errorf("%q: got %q, and from that %q", text, h, again)
		}
	})
}
