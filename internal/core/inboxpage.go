package core

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// TimePage asks for a page of messages by their time.
type TimePage struct {
	Limit  chat.Opt[int64]
	Before time.Time // only messages strictly older, at full precision; zero: from the end
}

// size is how many messages are asked for, unless something is wrong with the input.
func (p TimePage) size(c Call) (int, error) {
	if c.Input != nil {
		return 0, c.Input
	}
	l := limits(c.Surface)
	return pageSize(p.Limit, l.Page, l.PageMax)
}

// pageOf adds to the messages of a page their authors and files.
func pageOf(ctx context.Context, r store.Reader, list []chat.Message, more bool) (*Messages, error) {
	out, err := withAuthors(ctx, r, list)
	if err != nil {
		return nil, err
	}
	return &Messages{Messages: out, More: more}, withFiles(ctx, r, out)
}

// ReadInbox returns a page of the messages that the caller received in direct
// conversations, all of them together, newest first and of equal times the latest sent
// first: without its own, those that were taken back or that it hid, and those of
// system accounts (AI 8.3). It fails with page_limit.
//
// Times rise strictly within a conversation only, so equal ones can fall on the end of
// a page. The page then ends before them, and only if they are more than a page holds
// it is longer: whoever goes on from the time of the last message loses none.
//
// The list of the conversations costs a statement that looks at all of them, each that
// is newer than the oldest message of the page another, or two if it has something for
// the page.
func (s *Service) ReadInbox(ctx context.Context, c Call, in TimePage) (*Messages, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	n, err := in.size(c)
	if err != nil {
		return nil, err
	}
	var page *Messages
	err = s.view(ctx, "read inbox", func(ctx context.Context, r store.Reader) error {
		w := inboxWalk{r: r, account: c.Actor.Account, before: in.Before, size: n}
		if err := w.walk(ctx); err != nil {
			return err
		}
		list, more := w.cut()
		page, err = pageOf(ctx, r, list, more)
		return err
	})
	return page, err
}

// Conversations that an inboxWalk asks for at a time, first and then: the list is
// sorted anew each time.
const (
	inboxFirst = 128
	inboxThen  = 2_000
)

// inboxChunk is how many messages of a conversation an inboxWalk reads at least, to
// begin with.
const inboxChunk = 4

// inboxWalk merges an account's direct conversations, latest activity first, into one
// page.
type inboxWalk struct {
	r       store.Reader
	account chat.AccountID
	before  time.Time
	size    int

	newest []chat.Message // found so far, newest first, as far as the page can need them
}

// walk collects all that the page can need.
func (w *inboxWalk) walk(ctx context.Context) error {
	after, limit := chat.ConversationID(0), inboxFirst
	for {
		list, err := w.r.Directs(ctx, w.account, after, limit)
		if err != nil {
			return err
		}
		for i := range list {
			if !w.needs(list[i].LastAt) && list[i].LastSeq > 0 {
				return nil
			}
			if err := w.visit(ctx, &list[i]); err != nil {
				return err
			}
		}
		if len(list) < limit {
			return nil
		}
		after, limit = list[len(list)-1].ID, inboxThen
	}
}

// visit takes what the page can need of one conversation.
func (w *inboxWalk) visit(ctx context.Context, conv *chat.Conversation) error {
	silent := conv.Initiator == w.account && !conv.Established
	late := !w.before.IsZero() && !conv.OpenedAt.Before(w.before)
	if conv.LastSeq == 0 || silent || late {
		return nil // there is nothing, or nothing from the other side, or nothing that old
	}
	q := store.HistoryQuery{
		Conversation: conv.ID, Viewer: w.account, NotBy: w.account, NoSystem: true, Before: w.before,
		Limit: max(w.size+1-len(w.newest), inboxChunk),
	}
	var seat *chat.Member // looked up once there is something to see
	for {
		list, err := w.r.History(ctx, q)
		if err != nil || len(list) == 0 || !w.needs(list[0].CreatedAt) {
			return err
		}
		if seat == nil {
			if seat, err = w.r.Member(ctx, conv.ID, w.account); err != nil {
				return err
			}
		}
		q.Before = list[len(list)-1].CreatedAt
		hidden := slices.IndexFunc(list, func(m chat.Message) bool { return m.Seq <= seat.HiddenSeq })
		if hidden >= 0 {
			w.add(list[:hidden])
			return nil
		}
		w.add(list)
		if len(list) < q.Limit {
			return nil
		}
		q.Limit = min(2*q.Limit, w.size+1)
	}
}

// add merges messages with those found before and drops what is of no use any more.
func (w *inboxWalk) add(list []chat.Message) {
	w.newest = append(w.newest, list...)
	slices.SortFunc(w.newest, func(a, b chat.Message) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	if last := w.last(); last >= 0 {
		w.newest = w.newest[:last+1]
	}
}

// needs tells whether the page can need a message of a time.
func (w *inboxWalk) needs(at time.Time) bool {
	last := w.last()
	return last < 0 || at.After(w.newest[last].CreatedAt)
}

// last finds the first message beyond the page that is older than the newest of all:
// where it stands the page is full, or ends with a group of equal times. -1: there is
// none yet.
func (w *inboxWalk) last() int {
	for i := w.size; i < len(w.newest); i++ {
		if w.newest[i].CreatedAt.Before(w.newest[0].CreatedAt) {
			return i
		}
	}
	return -1
}

// cut takes the page from what was found and tells whether more is beyond it.
func (w *inboxWalk) cut() (page []chat.Message, more bool) {
	end := w.last()
	if end < 0 {
		return w.newest, false
	}
	if end > w.size { // all before it are of one time
		return w.newest[:end], true
	}
	for w.newest[end-1].CreatedAt.Equal(w.newest[w.size].CreatedAt) {
		end--
	}
	return w.newest[:end], true
}
