package opencord_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/internal/dialect/dialecttest"
)

func send(t *testing.T, w *world) {
	c := newCast(t, w)
	r := c.M.say(c.G, "hi").want(201)
	r.is("message.content", "hi").is("message.edited", false).is("message.updated_at", nil)
	r.is("message.author_id", c.M.id).is("message.channel_id", c.G)
	r.is("message.author.id", c.M.id).is("message.author.username", c.M.name).is("message.author.is_agent", false)
}

func contentLength(t *testing.T, w *world) {
	c := newCast(t, w)
	c.M.say(c.G, strings.Repeat("\U0001F916", 4000)).want(201)
	c.M.say(c.G, strings.Repeat("\U0001F916", 4001)).fails(400, longContent)
	c.M.say(c.G, strings.Repeat("e\u0301", 2000)).want(201)
	c.M.say(c.G, strings.Repeat("e\u0301", 2000)+"x").fails(400, longContent)
	c.M.say(c.G, "x"+strings.Repeat(" ", 4000)).fails(400, longContent) // not trimmed
}

func contentMissing(t *testing.T, w *world) {
	c := newCast(t, w)
	for _, path := range []string{inChannel(c.G), inDirect(c.D)} {
		c.M.post(path, object{}).fails(400, "content is required")
		c.M.post(path, object{"content": nil}).fails(400, "content is required")
		c.M.post(path, object{"content": ""}).fails(400, emptyContent)
		c.M.post(path, object{"content": " \n\t\u00a0\u2003\n"}).fails(400, emptyContent)
		c.M.post(path, object{"content": 5}).fails(400, "content must be a string")
		c.M.post(path, `{"content":"a\u0000b"}`).fails(400, "content is invalid")
	}
}

func contentExact(t *testing.T, w *world) {
	c := newCast(t, w)
	for _, content := range []string{"  <b>a&b</b>\n ", "\u2028 \u2029 \\ \" \x7f \x01 é e\u0301 \U0001F916"} {
		c.M.say(c.G, content).want(201).is("message.content", content)
		c.M.get(inChannel(c.G)).want(200).is("messages.0.content", content)
	}
	c.M.post(inChannel(c.G), `{"content":"a\ud800b"}`).want(201).is("message.content", "a\ufffdb")
}

func paging(t *testing.T, w *world) {
	c := newCast(t, w)
	writers := []*client{c.O, c.M}
	all := dialecttest.Together(10, func(i int) *response {
		writer := writers[i%2].elsewhere()
		var last *response
		for n := range 12 {
			if last = writer.say(c.G, fmt.Sprintf("%d/%d", i, n)); last.Status != 201 {
				return last
			}
		}
		return last
	})
	if got := statuses(all); got[201] != 10 {
		t.Fatalf("got statuses %v, want 201", got)
	}

	seen, path, last := map[string]bool{}, inChannel(c.G)+"?limit=50", ""
	for page, want := range []int{50, 50, 20} {
		r := c.X.with(c.M.Token).get(path).want(200).is("has_more", page < 2)
		if got := len(r.list("messages")); got != want {
			t.Fatalf("page %d: got %d messages, want %d", page, got, want)
		}
		for _, id := range r.texts("messages", "id") {
			if seen[id] {
				t.Errorf("page %d: got message %s twice", page, id)
			}
			seen[id] = true
		}
		for _, at := range r.texts("messages", "created_at") {
			if last != "" && at >= last {
				t.Errorf("page %d: got %s after %s, want strictly descending times", page, at, last)
			}
			last = at
		}
		path = inChannel(c.G) + "?limit=50&before=" + last
	}
	if len(seen) != 120 {
		t.Errorf("got %d messages, want 120", len(seen))
	}
	c.M.elsewhere().get(path).want(200).is("messages.0", dialecttest.Absent{}).is("has_more", false)
}

// fill sends n messages and returns their times, oldest first.
func fill(c *client, channel string, n int) []time.Time {
	c.T.Helper()
	var times []time.Time
	for i := range n {
		times = append(times, c.say(channel, fmt.Sprint(i)).want(201).time("message.created_at"))
	}
	return times
}

func defaultPage(t *testing.T, w *world) {
	c := newCast(t, w)
	fill(c.O, c.G, 60)
	r := c.M.get(inChannel(c.G)).want(200).is("has_more", true)
	got := r.texts("messages", "content")
	if len(got) != 50 || got[0] != "59" || got[49] != "10" {
		t.Errorf("got %d messages %v, want 59 down to 10", len(got), got)
	}
}

func limits(t *testing.T, w *world) {
	c := newCast(t, w)
	fill(c.O, c.G, 51)
	for _, limit := range []string{"0", "101", "-1", "abc", "1.5", "+5", "1e1", "%205", "0x10", "99999999999999999999", "%zz", "5%00", "5;"} {
		c.M.get(inChannel(c.G)+"?limit="+limit).fails(400, badLimit)
		c.M.get(inDirect(c.D)+"?limit="+limit).fails(400, badLimit)
	}
	if got := len(c.M.get(inChannel(c.G) + "?limit=").want(200).list("messages")); got != 50 {
		t.Errorf("got %d messages for an empty limit, want 50", got)
	}
	for limit, want := range map[string]int{"1": 1, "100": 51, "2&limit=3": 2, "2&limit=zzz": 2, "5&other=%zz": 5} {
		if got := len(c.M.get(inChannel(c.G) + "?limit=" + limit).want(200).list("messages")); got != want {
			t.Errorf("got %d messages for limit=%s, want %d", got, limit, want)
		}
	}
	c.X.get(inChannel(c.G)+"?limit=0").fails(403, notMember) // an outsider learns nothing of its limit
}

func before(t *testing.T, w *world) {
	c := newCast(t, w)
	times := fill(c.O, c.G, 3)
	for _, bad := range []string{"yesterday", "2026-04-27", unknownID, "1777777777", "2026-04-27T12:00:00", "2026-13-01T00:00:00Z"} {
		c.M.get(inChannel(c.G)+"?before="+bad).fails(400, badBefore)
		c.M.get(inDirect(c.D)+"?before="+bad).fails(400, badBefore)
	}
	count := func(query string) int { return len(c.M.get(inChannel(c.G) + query).want(200).list("messages")) }
	elsewhere := times[1].In(time.FixedZone("", -5*3600)).Format(time.RFC3339Nano)
	for query, want := range map[string]int{
		"?before=9999-12-31T23:59:59Z":                          3,
		"?before=2026-04-27T12:00:00+02:00":                     0,
		"?before=2999-04-27T12:00:00+02:00":                     3,
		"?before=":                                              3,
		"?before=&before=zzz":                                   3,
		"?before=2999-01-01T00:00:00Z&before=yesterday":         3,
		"?before=" + times[1].Format(time.RFC3339Nano):          1,
		"?before=" + url.QueryEscape(instantAfter(times[1], 1)): 2, // a nanosecond later
		"?before=" + elsewhere:                                  1,
	} {
		if got := count(query); got != want {
			t.Errorf("got %d messages for %s, want %d", got, query, want)
		}
	}
}

// instantAfter is a time some nanoseconds after another, with all nine digits.
func instantAfter(t time.Time, nanos time.Duration) string {
	return t.Add(nanos).Format("2006-01-02T15:04:05.000000000Z07:00")
}

func edit(t *testing.T, w *world) {
	c := newCast(t, w)
	sent := c.M.say(c.G, "hi").want(201)
	m := sent.text("message.id")
	c.O.say(c.G, "later").want(201)
	r := c.M.patch("/api/messages/"+m, object{"content": "hi"}).want(200) // unchanged text is an edit too
	r.is("message.edited", true).is("message.created_at", sent.text("message.created_at"))
	if _, ok := r.at("message.updated_at").(string); !ok {
		t.Errorf("got updated_at %v, want a time", r.at("message.updated_at"))
	}
	c.M.do("PUT", "/api/messages/"+m, object{"content": "ho"}).want(200).is("message.content", "ho")
	c.O.get(inChannel(c.G)).want(200).is("messages.0.content", "later").is("messages.1.content", "ho").is("messages.1.edited", true)
	c.M.patch("/api/messages/"+m, object{"content": " "}).fails(400, emptyContent)
	c.M.get("/api/messages/"+m).fails(405, "Method not allowed")
}

func othersMessages(t *testing.T, w *world) {
	c := newCast(t, w)
	mine := c.O.say(c.G, "O").want(201).text("message.id")
	theirs := c.M.say(c.G, "M").want(201).text("message.id")
	c.O.patch("/api/messages/"+theirs, object{"content": "x"}).fails(403, notAuthor)
	c.O.delete("/api/messages/" + theirs).want(200)
	c.M.delete("/api/messages/"+mine).fails(403, notAuthor)
	c.X.patch("/api/messages/"+mine, object{}).fails(403, notMember)
	c.X.delete("/api/messages/"+mine).fails(403, notMember)
}

func deleteTwice(t *testing.T, w *world) {
	c := newCast(t, w)
	m := c.M.say(c.G, "hi").want(201).text("message.id")
	c.M.delete("/api/messages/"+m).want(200).is("success", true)
	c.M.delete("/api/messages/"+m).fails(404, noMessage)
	c.M.patch("/api/messages/"+m, object{"content": "x"}).fails(404, noMessage)
	c.M.get(inChannel(c.G)).want(200).is("messages.0", dialecttest.Absent{})
}
