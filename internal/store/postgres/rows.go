package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// each hands every row of a queued query to fn.
func each(q *pgx.QueuedQuery, fn func(pgx.Rows) error) {
	q.Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := fn(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// The row functions of a loader. They scan into plain numbers, which pgx does
// without reflection.

func (l *loader) replay(r pgx.Rows) error {
	m := new(chat.Message)
	var created int64
	var edited, retracted *int64
	var signature *string
	err := r.Scan((*int64)(&m.ID), (*int64)(&m.Conversation), &m.Seq, (*int64)(&m.Author), &m.ClientID,
		(*uint8)(&m.Kind), &m.Text, &m.Data, &m.Metadata,
		(*int64)(&m.Attachment), &signature, &created, &edited, &retracted)
	if err == nil && signature != nil {
		m.Signature, err = sqlstore.DecodeSignature(*signature)
	}
	m.CreatedAt, m.EditedAt, m.RetractedAt = moment(&created), moment(edited), moment(retracted)
	l.facts.Replays[store.ReplayKey{Author: m.Author, ClientID: m.ClientID}] = m
	return err
}

func (l *loader) conversation(r pgx.Rows) error {
	c := new(chat.Conversation)
	var created int64
	var last, opened *int64
	var name *string
	err := r.Scan((*int64)(&c.ID), (*uint8)(&c.Kind), &c.LastSeq, &last, &created, (*int64)(&c.Space), &c.Overwritten,
		(*int64)(&c.Low), (*int64)(&c.High), (*int64)(&c.Initiator), &opened, &c.Established,
		&name)
	c.LastAt, c.CreatedAt, c.OpenedAt = moment(last), moment(&created), moment(opened)
	l.facts.Conversations[c.ID] = c
	switch c.Kind {
	case chat.ConversationDirect:
		l.facts.Directs[[2]chat.AccountID{c.Low, c.High}] = c.ID
	case chat.ConversationGroup:
		l.facts.Names[c.ID] = ""
		if name != nil {
			l.facts.Names[c.ID] = *name
		}
	}
	return err
}

func (l *loader) account(r pgx.Rows) error {
	a := new(chat.Account)
	var hooks int64
	err := r.Scan((*int64)(&a.ID), (*uint8)(&a.Kind), (*uint8)(&a.MadeBy), &a.Username, &a.Handle, &a.DisplayName,
		(*uint8)(&a.State), &a.Disabled, (*uint8)(&a.Pause), &a.Guarded, &a.ContactsOnly, &a.Muting, &hooks)
	a.Hooks = chat.HookEvents(hooks)
	l.facts.Accounts[a.ID] = a
	return err
}

func (l *loader) edge(r pgx.Rows) error {
	var block bool
	var e store.Edge
	err := r.Scan(&block, (*int64)(&e.Owner), (*int64)(&e.Target))
	if block {
		l.facts.Blocks[e] = true
	} else {
		l.facts.Contacts[e] = true
	}
	return err
}

func (l *loader) member(r pgx.Rows) error {
	var c chat.ConversationID
	var a chat.AccountID
	err := r.Scan((*int64)(&c), (*int64)(&a))
	l.facts.Members[c] = append(l.facts.Members[c], a)
	return err
}

func (l *loader) grant(r pgx.Rows) error {
	var seat store.Seat
	var grants int64
	err := r.Scan((*int64)(&seat.Conversation), (*int64)(&seat.Account), &grants)
	l.facts.Grants[seat] = chat.Entitlements(grants)
	return err
}

func (l *loader) overwrite(r pgx.Rows) error {
	const archetype = 1
	var o chat.Overwrite
	var kind uint8
	var holder, allow, deny int64
	err := r.Scan((*int64)(&o.Channel), &kind, &holder, &allow, &deny)
	o.Allow, o.Deny = chat.Entitlements(allow), chat.Entitlements(deny)
	if kind == archetype {
		o.Archetype = chat.ArchetypeID(holder)
	} else {
		o.Account = chat.AccountID(holder)
	}
	l.facts.Overwrites[o.Channel] = append(l.facts.Overwrites[o.Channel], o)
	return err
}

func (l *loader) held(r pgx.Rows) error {
	var seat store.Seat
	var id chat.ArchetypeID
	err := r.Scan((*int64)(&seat.Conversation), (*int64)(&seat.Account), (*int64)(&id))
	l.facts.Held[seat] = append(l.facts.Held[seat], id)
	return err
}

func (l *loader) attachment(r pgx.Rows) error {
	a := new(chat.Attachment)
	err := r.Scan((*int64)(&a.ID), (*int64)(&a.Uploader), (*int64)(&a.Conversation), (*int64)(&a.Peer), &a.Filename)
	l.facts.Attachments[a.ID] = a
	return err
}

func (l *loader) mute(r pgx.Rows) error {
	var m chat.Mute
	var until *int64
	var created int64
	err := r.Scan((*int64)(&m.Owner), (*uint8)(&m.Kind), &m.Target, &until, &created)
	m.Until, m.CreatedAt = moment(until), moment(&created)
	l.facts.Mutes[m.Owner] = append(l.facts.Mutes[m.Owner], m)
	return err
}

func (l *loader) key(r pgx.Rows) error {
	var id chat.AccountID
	var key string
	err := r.Scan((*int64)(&id), &key)
	if a := l.facts.Accounts[id]; a != nil {
		a.PublicKey = key
	}
	return err
}

func (l *loader) hook(r pgx.Rows) error {
	var h chat.Hook
	var events int64
	err := r.Scan((*int64)(&h.ID), (*int64)(&h.Account), (*uint8)(&h.Surface), &events)
	h.Events = chat.HookEvents(events)
	l.facts.Hooks[h.Account] = append(l.facts.Hooks[h.Account], h)
	return err
}

func (l *loader) pending(r pgx.Rows) error {
	var a chat.AccountID
	var n int
	err := r.Scan((*int64)(&a), &n)
	l.facts.Pending[a] = n
	return err
}

func (l *loader) cold(r pgx.Rows) error {
	var a chat.AccountID
	var c store.ColdCount
	var oldest *int64
	err := r.Scan((*int64)(&a), &c.Count, &oldest)
	c.Oldest = moment(oldest)
	l.facts.Cold[a] = c
	return err
}

// moment is a stored time; none is the zero time.
func moment(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms).UTC()
}
