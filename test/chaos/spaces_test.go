package chaos_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"parley/client"
)

// somewhere chooses a channel of a space that the actor is in.
func (a *actor) somewhere() (*channel, bool) {
	return find(a.m, func() (*channel, bool) {
		spaces := slices.Collect(maps.Keys(a.in))
		slices.SortFunc(spaces, func(x, y *space) int { return strings.Compare(string(x.id), string(y.id)) })
		sp, ok := pick(a, spaces)
		if !ok {
			return nil, false
		}
		return pick(a, slices.DeleteFunc(slices.Clone(sp.channels), (*channel).over))
	})
}

func (a *actor) createSpace(ctx context.Context) {
	if locked(a.m, func() int {
		return len(slices.DeleteFunc(slices.Clone(a.m.spaces), func(s *space) bool { return s.ending }))
	}) >= mostSpaces {
		return
	}
	var made *client.Server
	if !a.try("create space", func() (err error) {
		made, err = a.c.CreateServer(ctx, a.text(), "")
		return err
	}) {
		return
	}
	sp := &space{id: made.ID, code: made.InviteCode, owner: a}
	a.in[sp] = true
	var list []client.Channel
	for !a.try("list channels", func() (err error) { list, err = a.c.Channels(ctx, made.ID); return err }) {
		if a.m.t.Failed() {
			return
		}
		// Suspended meanwhile: the space would stay without its first channel.
	}
	a.m.do(func() {
		sp.channels = append(sp.channels, newChannel(list[0].ID, sp))
		a.m.spaces = append(a.m.spaces, sp)
	})
}

func newChannel(id client.ChannelID, sp *space) *channel {
	return &channel{id: id, space: sp, messages: make(map[client.MessageID]*message)}
}

// ours chooses a space that the actor owns.
func (a *actor) ours() (*space, bool) {
	return find(a.m, func() (*space, bool) {
		return pick(a, slices.DeleteFunc(slices.Clone(a.m.spaces), func(s *space) bool { return s.owner != a || s.ending }))
	})
}

func (a *actor) deleteSpace(ctx context.Context) {
	sp, ok := a.ours()
	if !ok {
		return
	}
	a.m.do(func() { sp.ending = true })
	for !a.try("delete space", func() error { return a.c.DeleteServer(ctx, sp.id) }) {
		if a.m.t.Failed() {
			return
		}
	}
	a.m.do(func() { sp.gone = true })
	delete(a.in, sp)
	if err := a.c.DeleteServer(ctx, sp.id); client.StatusOf(err) != http.StatusNotFound && client.StatusOf(err) != http.StatusForbidden {
		a.m.t.Errorf("%s: delete a space again: got %v, want 404", a.name, err)
	}
}

func (a *actor) createChannel(ctx context.Context) {
	sp, ok := a.ours()
	if !ok || len(sp.channels) >= 20 {
		return
	}
	var made *client.Channel
	if a.try("create channel", func() (err error) {
		made, err = a.c.CreateChannel(ctx, sp.id, "More Talk", "")
		return err
	}) {
		a.m.do(func() { sp.channels = append(sp.channels, newChannel(made.ID, sp)) })
	}
}

func (a *actor) deleteChannel(ctx context.Context) {
	sp, ok := a.ours()
	if !ok {
		return
	}
	ch, ok := find(a.m, func() (*channel, bool) {
		live := slices.DeleteFunc(slices.Clone(sp.channels), (*channel).over)
		if len(live) < 2 {
			return nil, false
		}
		ch, ok := pick(a, live)
		if ok {
			ch.ending = true
		}
		return ch, ok
	})
	if !ok {
		return
	}
	for !a.try("delete channel", func() error { return a.c.DeleteChannel(ctx, ch.id) }) {
		if a.m.t.Failed() {
			return
		}
	}
	a.m.do(func() { ch.gone = true })
}

func (a *actor) join(ctx context.Context) {
	sp, ok := find(a.m, func() (*space, bool) { return pick(a, a.m.spaces) })
	if !ok {
		return
	}
	member := a.in[sp]
	if a.try("join", func() error { _, err := a.c.JoinServer(ctx, sp.id, sp.code); return err },
		notFound(func() bool { return sp.ending }),
		excuse{http.StatusConflict, func() bool { return member }},
	) {
		if member {
			a.m.t.Errorf("%s: joined a space of which it was a member", a.name)
		}
		a.in[sp] = true
		a.try("list members", func() error {
			list, err := a.c.Members(ctx, sp.id)
			if err == nil && !slices.ContainsFunc(list, func(m client.Membership) bool { return m.UserID == a.id }) {
				a.m.t.Errorf("%s: it joined and is not among the %d members", a.name, len(list))
			}
			return err
		}, notFound(func() bool { return sp.ending }))
	}
}

func (a *actor) leave(ctx context.Context) {
	for sp := range a.in {
		if sp.owner == a {
			continue
		}
		if a.try("leave", func() error { return a.c.LeaveServer(ctx, sp.id) }, notFound(func() bool { return sp.ending })) {
			delete(a.in, sp)
		} else if locked(a.m, func() bool { return sp.gone }) {
			delete(a.in, sp)
		}
		return
	}
}
