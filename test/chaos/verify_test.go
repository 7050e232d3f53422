package chaos_test

import (
	"context"
	"iter"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"parley/client"
)

// verify compares the server with the model: what was answered is there, and
// nothing else. Nobody is suspended any more.
func (m *model) verify(ctx context.Context) {
	var g errgroup.Group
	g.SetLimit(16)
	channels, messages := 0, 0
	for _, sp := range m.spaces {
		g.Go(func() error { m.verifySpace(ctx, sp); return nil })
		for _, ch := range sp.channels {
			if !ch.over() {
				channels++
				messages += len(ch.messages)
			}
		}
	}
	for _, d := range m.dms {
		messages += len(d.messages)
		g.Go(func() error {
			if d.created != 1 {
				m.t.Errorf("DM of %s and %s: got %d answers that it is new, want 1", d.pair[0].name, d.pair[1].name, d.created)
			}
			for _, a := range d.pair {
				m.compare(a.c.DMHistory(ctx, d.id, client.Page{Limit: 100}), d.messages, "DM "+string(d.id))
			}
			return nil
		})
	}
	for _, a := range m.actors {
		g.Go(func() error { m.verifyActor(ctx, a); return nil })
	}
	_ = g.Wait() // the functions report by themselves
	m.t.Logf("%d spaces, %d channels alive, %d DMs, %d messages", len(m.spaces), channels, len(m.dms), messages)
}

func (m *model) verifySpace(ctx context.Context, sp *space) {
	m.answers.Add(1)
	owner := sp.owner.c
	got, err := owner.Server(ctx, sp.id)
	if sp.gone {
		if client.StatusOf(err) != http.StatusNotFound {
			m.t.Errorf("deleted space %s: got %v, want 404", sp.id, err)
		}
		for _, ch := range sp.channels {
			m.unknown(ctx, owner, ch)
		}
		return
	}
	if err != nil {
		m.t.Errorf("space %s: %v", sp.id, err)
		return
	}
	var want []client.UserID
	for _, a := range m.actors {
		if a.in[sp] {
			want = append(want, a.id)
		}
	}
	members, err := owner.Members(ctx, sp.id)
	have := make([]client.UserID, len(members))
	for i, member := range members {
		have[i] = member.UserID
	}
	slices.Sort(want)
	slices.Sort(have)
	if err != nil || !slices.Equal(have, want) || got.MemberCount != len(want) {
		m.t.Errorf("space %s: got %d members (%v) and a count of %d, want %d", sp.id, len(have), err, got.MemberCount, len(want))
	}
	live := 0
	for _, ch := range sp.channels {
		if ch.gone {
			m.unknown(ctx, owner, ch)
			continue
		}
		live++
		m.compare(owner.History(ctx, ch.id, client.Page{Limit: 100}), ch.messages, "channel "+string(ch.id))
	}
	if list, err := owner.Channels(ctx, sp.id); err != nil || len(list) != live {
		m.t.Errorf("space %s: got %d channels, %v, want %d", sp.id, len(list), err, live)
	}
}

// unknown checks that a deleted channel is unknown even to the owner.
func (m *model) unknown(ctx context.Context, owner *client.Client, ch *channel) {
	if _, err := owner.Messages(ctx, ch.id, client.Page{}); client.StatusOf(err) != http.StatusNotFound {
		m.t.Errorf("deleted channel %s: got %v, want 404", ch.id, err)
	}
}

// compare checks a whole history against the model.
func (m *model) compare(history iter.Seq2[client.Message, error], want map[client.MessageID]*message, where string) {
	m.answers.Add(1)
	seen := make(map[client.MessageID]bool)
	var newer client.Message
	for got, err := range history {
		if err != nil {
			m.t.Errorf("%s: %v", where, err)
			return
		}
		if newer.ID != "" && !got.CreatedAt.Before(newer.CreatedAt) {
			m.t.Errorf("%s: %v comes after %v", where, got.CreatedAt, newer.CreatedAt)
		}
		newer = got
		msg := want[got.ID]
		switch {
		case seen[got.ID]:
			m.t.Errorf("%s: %q is there twice", where, got.Content)
		case msg == nil:
			m.t.Errorf("%s: %q was never answered", where, got.Content)
		case msg.gone:
			m.t.Errorf("%s: %q was deleted and is there", where, got.Content)
		case got.Content != msg.content:
			m.t.Errorf("%s: got %q, want %q", where, got.Content, msg.content)
		}
		seen[got.ID] = true
	}
	for _, msg := range want {
		if !msg.gone && !seen[msg.id] {
			m.t.Errorf("%s: %q was answered and is lost", where, msg.content)
		}
	}
}

// verifyActor checks what an actor is told about itself.
func (m *model) verifyActor(ctx context.Context, a *actor) {
	m.answers.Add(1)
	var want []client.ServerID
	for sp := range a.in {
		if !sp.gone {
			want = append(want, sp.id)
		}
	}
	servers, err := a.c.Servers(ctx)
	have := make([]client.ServerID, len(servers))
	for i, s := range servers {
		have[i] = s.ID
	}
	slices.Sort(want)
	slices.Sort(have)
	if err != nil || !slices.Equal(have, want) {
		m.t.Errorf("%s: got %d servers, %v, want %d", a.name, len(have), err, len(want))
	}
	dms := 0
	for _, d := range m.dms {
		if slices.Contains(d.pair[:], a) {
			dms++
		}
	}
	if list, err := a.c.DMs(ctx); err != nil || len(list) != dms {
		m.t.Errorf("%s: got %d DMs, %v, want %d", a.name, len(list), err, dms)
	}
}
