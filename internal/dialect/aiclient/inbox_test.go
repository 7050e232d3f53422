package aiclient_test

import (
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
)

// entry is what the tests of pages look at of a message.
type entry struct{ id, content, at string }

// pages reads a list of messages to its end, page by page, and fails unless it is in
// order, without duplicates, and cut where it may be.
func (c *client) pages(path string, limit int) (all []entry, sizes []int) {
	c.T.Helper()
	seen := make(map[string]bool)
	for before := ""; ; {
		r := c.Get(fmt.Sprintf("%s?limit=%d&before=%s", path, limit, url.QueryEscape(before))).Want(200)
		var page []entry
		for i := range r.List("messages") {
			at := func(member string) string { return r.Text(fmt.Sprintf("messages.%d.%s", i, member)) }
			page = append(page, entry{at("id"), at("content"), at("created_at")})
		}
		for _, m := range page {
			if seen[m.id] {
				c.T.Errorf("message %s came twice", m.id)
			}
			if n := len(all); n > 0 && m.at > all[n-1].at {
				c.T.Errorf("got %s after %s, want times that never ascend", m.at, all[n-1].at)
			}
			seen[m.id], all = true, append(all, m)
		}
		sizes = append(sizes, len(page))
		if len(page) > limit && page[0].at != page[len(page)-1].at {
			c.T.Errorf("a page has %d messages of more than one time, want %d at most", len(page), limit)
		}
		if r.At("has_more") != true {
			return all, sizes
		}
		if len(page) == 0 {
			c.T.Fatal("an empty page says that there is more")
		}
		if last := page[len(page)-1].at; last == before {
			c.T.Fatalf("the page before %s ends there", before)
		} else {
			before = last
		}
	}
}

// unlimited runs a test on a world without rates per engine.
func unlimited(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) { test(t, newWorld(t, e, limitsOff)) })
}

func TestB28PagesLoseNothing(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		senders := append(w.guests(t, 6), c.A, c.C)
		all := dialecttest.Together(len(senders), func(i int) int {
			for n := range 15 {
				if r := senders[i].says(c.B, fmt.Sprintf("%d/%d", i, n)); r.Status != 200 {
					return r.Status
				}
			}
			return 200
		})
		if slices.ContainsFunc(all, func(status int) bool { return status != 200 }) {
			t.Fatalf("got statuses %v, want 200", all)
		}
		// The clock stands still, so eight senders each have a message at each of 15 times.
		for limit, want := range map[int][]int{
			50: {48, 48, 24}, 8: slices.Repeat([]int{8}, 15), 3: slices.Repeat([]int{8}, 15), 100: {96, 24},
		} {
			if got, sizes := c.B.pages("/ai/messages", limit); len(got) != 120 || !slices.Equal(sizes, want) {
				t.Errorf("limit %d: got %d messages in pages of %v, want 120 in pages of %v", limit, len(got), sizes, want)
			}
		}
	})
}

func TestB29PageBounds(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		sent := c.A.says(c.B, "x").Want(200).Text("message.created_at")
		c.B.Get("/ai/messages?before="+sent).Want(200).Is("messages.0", dialecttest.Absent{}).Is("has_more", false)
		c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "x"}).Want(200)
		for _, path := range []string{"/ai/messages", "/ai/groups/" + c.R + "/messages"} {
			for _, limit := range []string{"0", "101", "-1", "abc", "1.5", "%2B5", "0x10", "99999999999999999999"} {
				fails(t, c.B.Get(path+"?limit="+limit), 400, textInvalid("limit"))
			}
			for _, before := range []string{"yesterday", "2026-11-21", "2026-11-21T12:00:30", "2026-13-01T00:00:00Z", "1763726430"} {
				fails(t, c.B.Get(path+"?before="+before), 400, textInvalid("before"))
			}
			for _, query := range []string{
				"limit=&before=&nope=1", "limit=1&limit=0", "limit=100",
				// Anything later shows it: a tenth of a microsecond; a plus that became a blank; one
				// that was escaped.
				"before=2027-01-01T00:00:00.0000001Z", "before=2027-01-01T00:00:00+02:00", "before=2027-01-01T00:00:00%2B02:00",
			} {
				c.B.Get(path+"?"+query).Want(200).Is("messages.0.content", "x").Is("has_more", false)
			}
		}
		c.B.Get("/ai/messages?before=2026-11-21T12:00:30.0000001Z").Want(200).Is("messages.0.content", "x")
	})
}

// What one agent received is merged from all its conversations: by time, not by
// conversation, and without what it wrote itself.
func TestInboxMergesConversations(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		from := append(w.guests(t, 3), c.A, c.C)
		var want []string
		for i := range 20 {
			w.Clock.Advance(time.Second)
			text := fmt.Sprint(i)
			from[i%len(from)].says(c.B, text).Want(200)
			want = append([]string{text}, want...)
			w.Clock.Advance(time.Second)
			c.B.says(c.A, "mine").Want(200) // moves a conversation up without a message for B
		}
		for _, limit := range []int{1, 2, 7, 20, 21} {
			all, _ := c.B.pages("/ai/messages", limit)
			var got []string
			for _, m := range all {
				got = append(got, m.content)
			}
			if !slices.Equal(got, want) {
				t.Errorf("limit %d: got %v, want %v", limit, got, want)
			}
		}
		c.B.inbox("?limit=20").Is("has_more", false)
		c.B.inbox("?limit=19").Is("has_more", true)
	})
}

// A group of equal times that does not fit is left for the next page; one that no
// page could hold makes the page longer.
func TestInboxCutsBetweenTimes(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		crowd := w.guests(t, 60)
		c.A.says(c.B, "first").Want(200)
		w.Clock.Advance(time.Second)
		for _, g := range crowd {
			g.says(c.B, "at once").Want(200)
		}
		w.Clock.Advance(time.Second)
		c.A.says(c.B, "last").Want(200)

		page := func(query string, size int, more bool) *dialecttest.Response {
			t.Helper()
			r := c.B.inbox(query).Is("has_more", more)
			if got := len(r.List("messages")); got != size {
				t.Errorf("%s: got %d messages, want %d", query, got, size)
			}
			return r
		}
		last := page("", 1, true).Is("messages.0.content", "last").Text("messages.0.created_at")
		r := page("?before="+last, 60, true)
		page("?limit=60&before="+last, 60, true)
		page("?limit=61&before="+last, 61, false)
		page("?limit=61", 61, true)
		page("?limit=62", 62, false)
		page("?before="+r.Text("messages.59.created_at"), 1, false).Is("messages.0.content", "first")

		// Of equal times the latest sent comes first.
		ids := r.Texts("messages", "from_ai_id")
		for i, g := range crowd {
			if got := ids[len(ids)-1-i]; got != g.id {
				t.Fatalf("place %d: got a message of %s, want one of %s", len(ids)-1-i, got, g.id)
			}
		}
	})
}

// A group larger than the page with nothing older is the last page.
func TestInboxEndsWithALargeGroup(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, g := range w.guests(t, 12) {
			g.says(c.B, "at once").Want(200)
		}
		r := c.B.inbox("?limit=5").Is("has_more", false)
		if got := len(r.List("messages")); got != 12 {
			t.Errorf("got %d messages, want 12", got)
		}
	})
}

// Conversations beyond those that are looked at first count, too: those with nothing
// for the caller, and those that began after the page.
func TestInboxOfManyConversations(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		crowd := w.guests(t, 300)
		c.A.says(c.B, "the oldest").Want(200)
		w.Clock.Advance(time.Second)
		second := c.C.says(c.B, "the second").Want(200).Text("message.created_at")
		for _, g := range crowd[:150] {
			w.Clock.Advance(time.Second)
			c.B.says(g, "nobody answers").Want(200)
		}
		if got := c.B.inbox().Texts("messages", "content"); !slices.Equal(got, []string{"the second", "the oldest"}) {
			t.Errorf("got %q, want what was received", got)
		}
		for _, g := range crowd[150:] {
			w.Clock.Advance(time.Second)
			g.says(c.B, "later").Want(200)
		}
		c.B.inbox("?before="+second).Is("messages.0.content", "the oldest").Is("messages.1", dialecttest.Absent{}).Is("has_more", false)
		if all, sizes := c.B.pages("/ai/messages", 100); len(all) != 152 || len(sizes) != 2 {
			t.Errorf("got %d messages in pages of %v, want 152 in two", len(all), sizes)
		}
	})
}

// Accounts of the system do not appear in /ai (README 1).
func TestInboxWithoutSystemAccounts(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		system := w.guest(t, func(a *chat.Account) { a.Kind = chat.KindSystem })
		call := core.Call{Actor: core.Actor{Account: system.account(), Is: chat.KindSystem}, Surface: chat.SurfaceAgentChat}
		_, err := w.Core.SendMessage(t.Context(), call, core.NewMessage{
			Kind: chat.ConversationDirect, Peer: c.B.account(), ClientID: "w", Text: "welcome",
		})
		if err != nil {
			t.Fatalf("send: %v", err)
		}
		c.A.says(c.B, "x").Want(200)
		c.B.inbox().Is("messages.0.content", "x").Is("messages.1", dialecttest.Absent{}).Is("has_more", false)
	})
}

// An empty conversation, as /api opens them, is no message.
func TestInboxWithEmptyConversation(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.says(c.B, "x").Want(200)
		w.Clock.Advance(time.Second)
		if _, _, err := w.Core.OpenDirect(t.Context(), c.C.through(chat.SurfaceOpenCord), c.B.account()); err != nil {
			t.Fatalf("open: %v", err)
		}
		c.B.inbox().Is("messages.0.content", "x").Is("messages.1", dialecttest.Absent{})
	})
}

// Whoever pages while others write meets all that was there when it began.
func TestPagesWhileOthersWrite(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		senders := append(w.guests(t, 4), c.A, c.C)
		var sent [100]string
		for i := range sent {
			if i%10 == 0 {
				w.Clock.Advance(time.Millisecond)
			}
			sent[i] = senders[i%len(senders)].says(c.B, "before").Want(200).Text("message.id")
		}
		var stop atomic.Bool
		got := make(map[string]bool)
		dialecttest.Together(1+len(senders), func(i int) bool {
			if i > 0 {
				for n := 0; !stop.Load(); n++ {
					w.Clock.Advance(time.Millisecond)
					senders[i-1].says(c.B, "meanwhile")
				}
				return true
			}
			defer stop.Store(true)
			for range 2 {
				all, _ := c.B.pages("/ai/messages", 17)
				clear(got)
				for _, m := range all {
					got[m.id] = true
				}
			}
			return true
		})
		for i, id := range sent {
			if !got[id] {
				t.Errorf("message %d of those sent before is missing", i)
			}
		}
	})
}
