package agentchat_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

func TestConnectDrain(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, me := w.pair(t)
		other := w.agent(t)
		w.introduce(t, other, me)
		group := w.crew(t, a, other, me)
		var want []string
		for i := range 230 { // more than a page
			text := fmt.Sprint("text ", i)
			switch i % 3 {
			case 0:
				w.write(t, a, me, text)
			case 1:
				w.writeIn(t, other, group, text)
			case 2:
				w.write(t, other, me, text)
			}
			w.write(t, me, a, "mine, which is not sent back")
			want = append(want, text)
		}
		l := w.listen(t, me, "ack")
		l.want("message.new").is("payload.content.text", want[0]).is("payload.status", "stored").
			is("payload.context.conversation.type", "direct").is("payload.sender", a.handle).is("payload.delivered_at", nil).is("payload.delivery_id", dialecttest.Absent{})
		l.want("message.new").is("payload.content.text", want[1]).is("payload.context.conversation.group_name", "crew").
			is("payload.context.conversation.member_count", 3)
		l.wantText(want[2:]...)
		w.write(t, a, me, "live")
		l.wantText("live").is("payload.status", dialecttest.Absent{}).is("payload.delivery_id", dialecttest.Absent{})
		l.alive()
		w.left(t, me, 231) // nothing was acknowledged

		// So all of it comes again, and not to the socket that has had it.
		legacy := w.listen(t, me)
		legacy.wantText(append(want, "live")...)
		l.alive()
		w.left(t, me, 0)
		w.listen(t, me).alive()
	})
}

// TestNothingOvertakesNothingIsLost sends all the time while sockets of both modes
// connect: each sees every conversation in ascending order and, if nothing was
// acknowledged, everything.
func TestNothingOvertakesNothingIsLost(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		const senders, each, sockets = 4, 150, 6
		me, mixed := w.agent(t), w.agent(t)
		authors := make([]*agent, senders)
		for i := range authors {
			authors[i] = w.agent(t)
			w.introduce(t, authors[i], me)
			w.introduce(t, authors[i], mixed)
		}
		group := w.crew(t, append([]*agent{me, mixed}, authors...)...)
		var writing sync.WaitGroup
		for _, a := range authors {
			writing.Go(func() {
				for i := range each {
					switch i % 3 {
					case 0:
						w.write(t, a, me, "to one")
					case 1:
						w.write(t, a, mixed, "to another")
					default:
						w.writeIn(t, a, group, "to all")
					}
				}
			})
		}
		const total = senders * each * 2 / 3 // for each of the two
		var reading sync.WaitGroup
		for i := range sockets {
			reading.Go(func() {
				l := w.listen(t, me, "ack")
				if n := l.follow(total); n != total {
					t.Errorf("socket %d: got %d messages, want %d", i, n, total)
				}
			})
		}
		// Of these each sees what the others have not taken before it came.
		acks := w.listen(t, mixed, "ack")
		reading.Go(func() {
			if n := acks.follow(total); n != total {
				t.Errorf("the first socket: got %d messages, want %d", n, total)
			}
		})
		writing.Wait()
		reading.Wait()
		late := w.listen(t, mixed)
		late.follow(total)
		w.left(t, mixed, 0)
		w.left(t, me, total)
	})
}

// follow reads messages until so many have come, or a marker, and reports what is
// out of order or double.
func (l *line) follow(total int) int {
	l.t.Helper()
	last := map[string]float64{}
	for n := range total {
		g, err := l.next()
		if err != nil || g.all["type"] != "message.new" {
			l.t.Errorf("after %d messages: got %s, %v", n, g.raw, err)
			return n
		}
		where, seq := g.text("payload.conversation_id"), g.at("payload.seq").(float64)
		if seq <= last[where] {
			l.t.Errorf("message %d of %s came after %v", int(seq), where, last[where])
		}
		last[where] = seq
	}
	l.alive()
	return total
}

func TestAcknowledgements(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		first, second := w.write(t, a, b, "one"), w.write(t, a, b, "two")
		third := w.write(t, a, b, "three")
		mine := w.write(t, b, a, "mine")
		l := w.listen(t, b, "ack")
		l.wantText("one", "two", "three")
		message := func(m chat.MessageID) string { return w.shown("msg_", id.KindMessage, int64(m)) }
		ack := func(l *line, id any) { l.say(object{"type": "ack", "message_id": id}) }
		ack(l, message(second.ID)) // in any order
		ack(l, message(second.ID))
		for _, nothing := range []any{message(mine.ID), message(1 << 40), "msg_", "", nil, 7, a.handle} {
			ack(l, nothing)
		}
		l.say(object{"type": "ack"})
		w.left(t, b, 2)
		w.left(t, a, 1) // of mine: the sender acknowledges nothing for the recipient
		again := w.listen(t, b, "ack")
		again.wantText("one", "three")
		ack(again, message(first.ID))
		w.left(t, b, 1)
		l.alive()

		// A client that offered nothing may acknowledge, too.
		ack(w.listen(t, a), message(mine.ID))
		w.left(t, a, 0)
		_ = third
	})
}

// Acknowledgements are not limited as other frames are, and are few transactions.
func TestFloodOfFrames(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		l := w.listen(t, b, "ack")
		const acks = 400
		ids := make([]string, acks)
		for i := range ids {
			ids[i] = w.shown("msg_", id.KindMessage, int64(w.write(t, a, b, fmt.Sprint(i)).ID))
		}
		for i := range acks {
			l.wantText(fmt.Sprint(i))
		}
		// The window that a flood falls into may just have begun, or ends within it.
		began := time.Now()
		const pings = 1_000
		for range pings {
			l.say(object{"type": "ping"})
		}
		for _, id := range ids {
			l.say(object{"type": "ack", "message_id": id})
		}
		w.left(t, b, 0)
		most := 100 * (2 + int(time.Since(began)/time.Second))
		w.write(t, a, b, "the end")
		pongs := 0
		for {
			g, err := l.next()
			if err != nil {
				t.Fatal(err)
			}
			if g.all["type"] == "message.new" {
				break
			}
			pongs++
		}
		if pongs < 100 || pongs > most {
			t.Errorf("answered: got %d of %d frames, want 100 to %d", pongs, pings, most)
		}
	})
}

func TestEverySocketGetsEverything(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		mine := w.listen(t, a)
		acks := []*line{w.listen(t, b, "ack"), w.listen(t, b, "ack")}
		mine.want("presence.update")
		for i := range 5 {
			w.write(t, a, b, fmt.Sprint(i))
		}
		for _, l := range acks {
			l.wantText("0", "1", "2", "3", "4")
		}
		w.left(t, b, 5)
		legacy := w.listen(t, b)
		legacy.wantText("0", "1", "2", "3", "4")
		w.left(t, b, 0) // the first that says so marks it delivered
		w.write(t, a, b, "5")
		for _, l := range append(acks, legacy) {
			l.wantText("5")
			l.alive()
		}
		w.left(t, b, 0)
		mine.alive() // the sender hears nothing of its own
	})
}

func TestFullPauseHoldsEverythingBack(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		owner := w.human(t)
		a, b := w.pair(t)
		w.ownedBy(t, owner, b)
		open := w.listen(t, b, "ack")
		w.write(t, a, b, "before")
		open.wantText("before")

		w.pause(t, owner, b, chat.PauseFull)
		w.write(t, a, b, "held 1")
		late := w.listen(t, b, "ack") // says hello all the same
		w.write(t, a, b, "held 2")
		open.alive()
		late.alive()
		w.pause(t, owner, b, chat.PauseNone)
		w.write(t, a, b, "after")
		open.wantText("held 1", "held 2", "after") // and not what it has had before
		late.wantText("before", "held 1", "held 2", "after")

		// A pause of sending alone changes nothing here.
		w.pause(t, owner, b, chat.PauseSend)
		w.write(t, a, b, "while sending is paused")
		open.wantText("while sending is paused")
		w.pause(t, owner, b, chat.PauseNone)
		w.pause(t, owner, b, chat.PauseFull)
		w.write(t, a, b, "held 3")
		w.pause(t, owner, b, chat.PauseSend)
		for _, l := range []*line{open, late} {
			if l == late {
				l.wantText("while sending is paused")
			}
			l.wantText("held 3")
			l.alive()
		}
	})
}

// TestPausesAndMessages moves the switch back and forth while messages come in: a
// socket sees all of them, in order and once.
func TestPausesAndMessages(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		owner := w.human(t)
		a, b := w.pair(t)
		w.ownedBy(t, owner, b)
		l := w.listen(t, b, "ack")
		const total = 200
		var writing sync.WaitGroup
		writing.Go(func() {
			for i := range total {
				w.write(t, a, b, fmt.Sprint(i))
			}
		})
		writing.Go(func() {
			for i := range 21 {
				mode := chat.PauseFull
				if i%2 == 1 {
					mode = chat.PauseNone
				}
				w.pause(t, owner, b, mode)
			}
		})
		writing.Wait()
		w.pause(t, owner, b, chat.PauseNone)
		if n := l.follow(total); n != total {
			t.Errorf("got %d messages, want %d", n, total)
		}
	})
}

func TestMutedSourcesAreSkippedLive(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, me := w.pair(t)
		loud := w.agent(t)
		w.introduce(t, loud, me)
		target := core.MuteTarget{Kind: chat.MuteAccount, Handle: loud.handle}
		if _, err := w.Core.SetMute(t.Context(), w.as(me), target, time.Time{}); err != nil {
			t.Fatalf("mute: %v", err)
		}
		l := w.listen(t, me, "ack")
		w.write(t, loud, me, "muted")
		w.write(t, a, me, "heard")
		l.wantText("heard")
		l.alive()
		w.listen(t, me, "ack").wantText("muted", "heard") // a drain is catching up
	})
}

// A peer that does not read is cut, with a code that lets it come back, and nobody
// else notices.
func TestSlowReaderIsCut(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, me := w.pair(t)
		text := strings.Repeat("x", 30_000)
		slow, quick := w.listen(t, me, "ack"), w.listen(t, me, "ack")
		messages := 0
		for ; w.Hub.Len() == 2; messages++ { // until the buffers of both systems and ours are full
			w.write(t, a, me, text)
			quick.wantText(text)
		}
		if n := len(slow.wantClosed(1013, "overload")); n == 0 || n >= messages {
			t.Errorf("the slow reader got %d of %d messages, want some", n, messages)
		}
		quick.alive()
		again := w.listen(t, me, "ack")
		for range messages { // a drain waits for the reader
			again.wantText(text)
		}
	}, func(_ *core.Config, c *agentchat.Config) { c.Sockets.SendBuffer = 128 << 10 })
}
