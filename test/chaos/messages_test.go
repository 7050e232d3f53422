package chaos_test

import (
	"context"
	"slices"
	"time"

	"parley/client"
)

// note keeps what was sent.
func (a *actor) note(m *message, into map[client.MessageID]*message) {
	a.m.do(func() { into[m.id] = m })
	a.mine = append(a.mine, m)
	if len(a.mine) > mostMine {
		a.mine = a.mine[len(a.mine)-mostMine:]
	}
}

// confirm checks what the server answers to a message that was sent or edited.
func (a *actor) confirm(got *client.Message, content string, edited bool) {
	if got.Content != content || got.AuthorID != a.id || got.Edited != edited {
		a.m.t.Errorf("%s: got %q by %s, edited %t, want its own %q, edited %t", a.name, got.Content, got.AuthorID, got.Edited, content, edited)
	}
}

func (a *actor) send(ctx context.Context) {
	ch, ok := a.somewhere()
	if !ok {
		a.join(ctx)
		return
	}
	content := a.text()
	var got *client.Message
	if a.try("send", func() (err error) { got, err = a.c.Send(ctx, ch.id, content); return err }, notFound(ch.over)) {
		a.confirm(got, content, false)
		a.note(&message{id: got.ID, at: got.CreatedAt, channel: ch, content: content}, ch.messages)
	}
}

// lost lists the excuses for not reaching one's own message: others may delete it,
// its channel or space, and the actor may have left.
func (a *actor) lost(msg *message, deleters int) []excuse {
	if msg.channel == nil {
		return nil
	}
	out := !a.in[msg.channel.space]
	return []excuse{
		notFound(func() bool { return msg.channel.over() || msg.deleters > deleters }),
		forbidden(func() bool { return out }),
	}
}

func (a *actor) edit(ctx context.Context) {
	msg, ok := pick(a, a.mine)
	if !ok {
		return
	}
	content := a.text()
	var got *client.Message
	if a.try("edit", func() (err error) {
		if msg.dm != nil {
			got, err = a.c.EditDM(ctx, msg.id, content)
		} else {
			got, err = a.c.EditMessage(ctx, msg.id, content)
		}
		return err
	}, a.lost(msg, 0)...) {
		a.confirm(got, content, true)
		a.m.do(func() { msg.content = content })
	}
}

// remove deletes one of the actor's own messages.
func (a *actor) remove(ctx context.Context) {
	if len(a.mine) == 0 {
		return
	}
	i := a.random.IntN(len(a.mine))
	msg := a.mine[i]
	a.m.do(func() { msg.deleters++ })
	if a.try("delete message", func() error {
		if msg.dm != nil {
			return a.c.DeleteDM(ctx, msg.id)
		}
		return a.c.DeleteMessage(ctx, msg.id)
	}, a.lost(msg, 1)...) {
		a.m.do(func() { msg.gone = true })
		a.mine = slices.Delete(a.mine, i, i+1)
	} else {
		a.m.do(func() { msg.deleters-- })
	}
}

// moderate deletes a message of somebody else in a space of the actor.
func (a *actor) moderate(ctx context.Context) {
	sp, ok := a.ours()
	if !ok {
		return
	}
	msg, ok := find(a.m, func() (*message, bool) {
		ch, ok := pick(a, slices.DeleteFunc(slices.Clone(sp.channels), (*channel).over))
		if !ok {
			return nil, false
		}
		for _, msg := range ch.messages {
			if msg.deleters == 0 && !msg.gone {
				msg.deleters++
				return msg, true
			}
		}
		return nil, false
	})
	if !ok {
		return
	}
	if a.try("delete another's message", func() error { return a.c.DeleteMessage(ctx, msg.id) },
		notFound(func() bool { return msg.gone || msg.deleters > 1 })) {
		a.m.do(func() { msg.gone = true })
	}
	// The announcement stays: its author may be about to meet the 404.
}

// read reads a page and looks for the actor's own messages in it.
func (a *actor) read(ctx context.Context) {
	ch, ok := a.somewhere()
	if !ok {
		return
	}
	before := a.mine // what was answered before the page was asked for
	page := client.Page{Limit: 1 + a.random.IntN(100)}
	if len(before) > 0 && a.random.IntN(2) == 0 {
		page.Before = before[a.random.IntN(len(before))].at.Add(time.Millisecond)
	}
	var got *client.MessagePage
	if a.try("read channel", func() (err error) { got, err = a.c.Messages(ctx, ch.id, page); return err }, notFound(ch.over)) {
		a.compare(got, before, page, func(m *message) bool { return m.channel == ch }, string(ch.id))
	}
}

// compare checks a page against what the actor wrote: nobody else changes the
// content of its messages, so each of them is either being deleted or there.
func (a *actor) compare(got *client.MessagePage, mine []*message, page client.Page, here func(*message) bool, where string) {
	there := make(map[client.MessageID]client.Message, len(got.Messages))
	for i, m := range got.Messages {
		if i > 0 && !m.CreatedAt.Before(got.Messages[i-1].CreatedAt) {
			a.m.t.Errorf("%s: %s: the times of a page do not fall: %v after %v", a.name, where, m.CreatedAt, got.Messages[i-1].CreatedAt)
		}
		if m.ChannelID != where {
			a.m.t.Errorf("%s: %s: message %s says that it is in %s", a.name, where, m.ID, m.ChannelID)
		}
		there[m.ID] = m
	}
	var oldest time.Time
	if got.HasMore {
		oldest = got.Messages[len(got.Messages)-1].CreatedAt
	}
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	for _, msg := range mine {
		if !here(msg) || msg.at.Before(oldest) || !page.Before.IsZero() && !msg.at.Before(page.Before) {
			continue
		}
		m, ok := there[msg.id]
		switch {
		case msg.deleters > 0 || msg.gone || msg.channel != nil && msg.channel.over():
		case !ok:
			a.m.t.Errorf("%s: %s: %q of %v is not on a page of %d from %v", a.name, where, msg.content, msg.at, len(got.Messages), page.Before)
		case m.Content != msg.content || m.AuthorID != a.id:
			a.m.t.Errorf("%s: %s: got %q by %s, want %q", a.name, where, m.Content, m.AuthorID, msg.content)
		}
	}
}

// whisper opens a conversation, or finds it open, and writes to it.
func (a *actor) whisper(ctx context.Context) {
	b := a.other()
	if a.random.IntN(2) == 0 { // neighbours meet again and again
		b = a.m.actors[(slices.Index(a.m.actors, a)+1)%len(a.m.actors)]
	}
	phase := b.suspension.Load()
	peer := func() bool { return b.touched(phase) }
	var got *client.DMChannel
	var existing bool
	if !a.try("open DM", func() (err error) { got, existing, err = a.c.OpenDM(ctx, b.id); return err }, notFound(peer)) {
		return
	}
	d := locked(a.m, func() *dm {
		key := [2]*actor{a, b}
		if b.name < a.name {
			key = [2]*actor{b, a}
		}
		d := a.m.dms[key]
		if d == nil {
			d = &dm{id: got.ID, pair: key, messages: make(map[client.MessageID]*message)}
			a.m.dms[key] = d
		}
		if !existing {
			d.created++
		}
		return d
	})
	if d.id != got.ID {
		a.m.t.Errorf("%s and %s have two conversations: %s and %s", a.name, b.name, d.id, got.ID)
		return
	}
	content := a.text()
	var sent *client.Message
	if a.try("send DM", func() (err error) { sent, err = a.c.SendDM(ctx, d.id, content); return err }, forbidden(peer)) {
		a.confirm(sent, content, false)
		a.note(&message{id: sent.ID, at: sent.CreatedAt, dm: d, content: content}, d.messages)
	}
}

// readDM reads the newest page of a conversation that the actor wrote to.
func (a *actor) readDM(ctx context.Context) {
	i := slices.IndexFunc(a.mine, func(m *message) bool { return m.dm != nil })
	if i < 0 {
		return
	}
	d, before, page := a.mine[i].dm, a.mine, client.Page{Limit: 100}
	var got *client.MessagePage
	if a.try("read DM", func() (err error) { got, err = a.c.DMMessages(ctx, d.id, page); return err }) {
		a.compare(got, before, page, func(m *message) bool { return m.dm == d }, string(d.id))
	}
}
