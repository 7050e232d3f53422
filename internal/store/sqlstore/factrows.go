package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"parley/internal/chat"
	"parley/internal/store"
)

// The row functions of a Loader. Those of the hot loads scan into one set of
// variables and copy, so that a row costs no list of destinations.

func (l *Loader) replay(r Row) error {
	m := new(chat.Message)
	if err := scanMessage(r, m); err != nil {
		return err
	}
	l.Facts.Replays[store.ReplayKey{Author: m.Author, ClientID: m.ClientID}] = m
	return nil
}

func (l *Loader) conversation() func(Row) error {
	var c chat.Conversation
	dest := conversationDest(&c)
	return func(r Row) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		l.keep(c)
		return nil
	}
}

// named takes conversations that come with the name of a group.
func (l *Loader) named() func(Row) error {
	var c chat.Conversation
	var name string
	dest := append(conversationDest(&c), (*text)(&name))
	return func(r Row) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		l.keep(c)
		if c.Kind == chat.ConversationGroup {
			l.Facts.Names[c.ID] = name
		}
		return nil
	}
}

func (l *Loader) keep(c chat.Conversation) {
	l.Facts.Conversations[c.ID] = &c
	if c.Kind == chat.ConversationDirect {
		l.Facts.Directs[[2]chat.AccountID{c.Low, c.High}] = c.ID
	}
}

func (l *Loader) attachment(r Row) error {
	a := new(chat.Attachment)
	err := r.Scan((*number)(&a.ID), (*number)(&a.Uploader), (*number)(&a.Conversation), (*number)(&a.Peer), &a.Filename)
	l.Facts.Attachments[a.ID] = a
	return err
}

// accountFlags is the number that factAccountColumns makes of the small fields.
type accountFlags int64

func (f accountFlags) apply(a *chat.Account) {
	a.Kind, a.MadeBy = chat.AccountKind(f), chat.Surface(f>>8)
	a.State, a.Pause = chat.AccountState(f>>16&15), chat.Pause(f>>20&15)
	a.Disabled, a.Guarded, a.ContactsOnly = f>>24&1 == 1, f>>25&1 == 1, f>>26&1 == 1
	a.Muting, a.Hooks = f>>27&1 == 1, chat.HookEvents(f>>28)
}

// accountRow is what the account columns of one row are scanned into.
type accountRow struct {
	account chat.Account
	flags   accountFlags
}

func (r *accountRow) dest() []any {
	a := &r.account
	return []any{(*number)(&a.ID), &a.Username, &a.Handle, &a.DisplayName, (*number)(&r.flags)}
}

func (r *accountRow) keep(facts *store.SendFacts) {
	if facts.Accounts[r.account.ID] == nil {
		a := r.account
		r.flags.apply(&a)
		facts.Accounts[a.ID] = &a
	}
}

func (l *Loader) accounts() func(Row) error {
	var row accountRow
	dest := row.dest()
	return func(r Row) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		row.keep(l.Facts)
		return nil
	}
}

// members puts members in the order they joined, which is nearly that of the
// rows: sorting in the database would carry the whole rows along.
func (l *Loader) members() func(Row) error {
	var group chat.ConversationID
	var ord int64
	var row accountRow
	ords := make(map[chat.ConversationID][]int64)
	dest := append([]any{(*number)(&group), (*number)(&ord)}, row.dest()...)
	return func(r Row) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		row.keep(l.Facts)
		at, _ := slices.BinarySearch(ords[group], ord)
		ords[group] = slices.Insert(ords[group], at, ord)
		l.Facts.Members[group] = slices.Insert(l.Facts.Members[group], at, row.account.ID)
		return nil
	}
}

func edges(into map[store.Edge]bool) func(Row) error {
	var e store.Edge
	dest := []any{(*number)(&e.Owner), (*number)(&e.Target)}
	return func(r Row) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		into[e] = true
		return nil
	}
}

func (l *Loader) grants() func(Row) error {
	var seat store.Seat
	var grants chat.Entitlements
	dest := []any{(*number)(&seat.Conversation), (*number)(&seat.Account), (*bits)(&grants)}
	return func(r Row) error {
		if err := r.Scan(dest...); err != nil {
			return err
		}
		l.Facts.Grants[seat] = grants
		return nil
	}
}

func (l *Loader) overwrite(r Row) error {
	var o chat.Overwrite
	if err := scanOverwrite(r, &o); err != nil {
		return err
	}
	l.Facts.Overwrites[o.Channel] = append(l.Facts.Overwrites[o.Channel], o)
	return nil
}

func (l *Loader) held(r Row) error {
	var seat store.Seat
	var archetype chat.ArchetypeID
	if err := r.Scan((*number)(&seat.Conversation), (*number)(&seat.Account), (*number)(&archetype)); err != nil {
		return err
	}
	l.Facts.Held[seat] = append(l.Facts.Held[seat], archetype)
	return nil
}

// pairs is a list of pairs of ids.
type pairs [][2]int64

func (p pairs) add(a, b chat.AccountID) pairs { return append(p, [2]int64{int64(a), int64(b)}) }

// bind sorts the pairs, leaves out repetitions and returns the parameters.
func (p pairs) bind(f *Flavor) []any {
	slices.SortFunc(p, func(a, b [2]int64) int {
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		return cmp.Compare(a[1], b[1])
	})
	p = slices.Compact(p)
	keys, values := make([]int64, len(p)), make([]int64, len(p))
	for i, pair := range p {
		keys[i], values[i] = pair[0], pair[1]
	}
	return f.Pairs(keys, values)
}

// unique sorts ids and leaves out repetitions.
func unique(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// SendFacts loads what deciding on a set of sends takes, without ids.
func (t *Tx) SendFacts(ctx context.Context, keys []store.SendKey) (*store.SendFacts, error) {
	return t.LoadFacts(ctx, keys, nil)
}

// LoadFacts is SendFacts for keys, with the replays of known added: sends with a
// client id of which everything else is known.
func (t *Tx) LoadFacts(ctx context.Context, keys, known []store.SendKey) (*store.SendFacts, error) {
	l := NewLoader(t.f, keys, known)
	for _, round := range []func() []Load{l.First, l.Second} {
		for _, load := range round() {
			if err := t.each(ctx, load.Doing, load.Row, load.Text, load.Args...); err != nil {
				return nil, err
			}
		}
	}
	return l.Facts, nil
}

// Answer finds out what the rules of a batch asked for. Questions are rare: each is
// a statement of its own.
func (t *Tx) Answer(ctx context.Context, q store.Questions, facts *store.SendFacts) error {
	for _, id := range q.Pending {
		n, err := t.PendingCount(ctx, id, store.PendingLimit)
		if err != nil {
			return err
		}
		facts.Pending[id] = n
	}
	for _, id := range q.Cold {
		var c store.ColdCount
		err := t.one(ctx, "count cold conversations", scan(&c.Count, (*millis)(&c.Oldest)),
			countCold, int64(id), ceilMillis(q.ColdSince))
		if err != nil {
			return err
		}
		facts.Cold[id] = c
	}
	mutes, err := t.Mutes(ctx, q.Mutes)
	if err != nil {
		return err
	}
	for _, m := range mutes {
		facts.Mutes[m.Owner] = append(facts.Mutes[m.Owner], m)
	}
	if err := t.fillKeys(ctx, q.Keys, facts); err != nil {
		return err
	}
	hooks, err := t.HooksOf(ctx, q.Hooks)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		facts.Hooks[h.Account] = append(facts.Hooks[h.Account], chat.Hook{
			ID: h.ID, Account: h.Account, Surface: h.Surface, Events: h.Events,
		})
	}
	return nil
}

// fillKeys adds public keys to accounts, which may be shared with other batches: it
// puts copies in their place.
func (t *Tx) fillKeys(ctx context.Context, ids []chat.AccountID, facts *store.SendFacts) error {
	if len(ids) == 0 {
		return nil
	}
	var id chat.AccountID
	var key string
	return t.each(ctx, "read public keys", func(r Row) error {
		if err := r.Scan((*number)(&id), &key); err != nil {
			return err
		}
		if known := facts.Accounts[id]; known != nil {
			with := *known
			with.PublicKey = key
			facts.Accounts[id] = &with
		}
		return nil
	}, publicKeys, t.f.Ints(unique(numbers(ids))))
}
