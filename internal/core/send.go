package core

import (
	"context"
	"errors"
	"sync"

	"parley/internal/chat"
	"parley/internal/store"
)

// NewMessage is a message to be sent. One of Conversation, Peer and PeerHandle is
// set.
type NewMessage struct {
	Kind         chat.ConversationKind // what the caller takes the conversation for
	Conversation chat.ConversationID
	Peer         chat.AccountID // a direct conversation that need not exist yet
	PeerHandle   string         // ... with the account of this handle

	// ClientID is the sender's own id for the message, unique per sender for
	// ever: sending it again returns the first message. "" is none.
	ClientID   string
	Type       chat.MessageKind // 0: text
	Text       string
	Data       []byte            // a JSON object, or nil
	Metadata   []byte            // a JSON object, or nil
	Attachment chat.AttachmentID // 0: none

	// Signature is a signature in hexadecimal over Bound, which names sender and
	// target as the dialect does, or over Text (AI 7); absent and null are none.
	Signature chat.Opt[string]
	Bound     string
	// InPath says that the target stands in the path of the request: what is wrong
	// with it is told before what is wrong with the body.
	InPath bool

	signature *chat.Signature // of Signature, once it is checked
}

// Sent is a message that is stored, as its author sees it.
type Sent struct {
	chat.MessageRow
	Replayed bool // it was stored before, under the same ClientID
	// Skipped are the handles of guarded group members who have too much waiting and
	// got no envelope; they can read the message in the history.
	Skipped []string
	// Waiting is how many envelopes waited for a guarded recipient of a direct
	// message before this one, if they are enough to warn of; else 0. Recipient is
	// then the recipient's handle.
	Waiting   int
	Recipient string
}

// nobody is an account that does not exist.
const nobody chat.AccountID = -1

// SendMessage stores a message and returns once it is on disk. Waiting sends are
// stored together (sender). The failures are, in this order:
//
//   - account_off; unless the target stands in the path: the input's (below);
//   - what hides the target: channel_unknown, conversation_unknown, group_unknown,
//     group_deleted, account_unknown, self;
//   - what keeps the caller out: not_member, not_participant, not_permitted, peer_gone,
//     peer_off;
//   - the held input error, then text_empty, text_too_long, field_length,
//     field_invalid, content_too_large, signature_format;
//   - signature_bad;
//   - policy: paused, blocked, restricted, contacts_only, rate_limited, awaiting_reply,
//     cold_cap, attachment_unknown, attachment_scope, backlogged;
//   - rate_limited when 256 sends of the caller are waiting already.
//
// A send that fails leaves no trace. A replay meets no policy and names its first
// target, whatever the call says now.
func (s *Service) SendMessage(ctx context.Context, c Call, in NewMessage) (*Sent, error) {
	l := limits(c.Surface)
	gate := c.agent
	if c.Surface == chat.SurfaceOpenCord {
		gate = c.signedIn
	}
	if err := gate(); err != nil {
		return nil, err
	}
	if in.Type == 0 {
		in.Type = chat.MessageText
	}
	invalid := c.Input
	if invalid == nil {
		invalid = checkMessage(&in, l)
	}
	if invalid != nil && !in.InPath {
		return nil, invalid
	}
	if in.PeerHandle != "" {
		var err error
		if in.Peer, err = s.holder(ctx, in.PeerHandle); err != nil {
			return nil, err
		}
	}
	if invalid == nil {
		var err error
		if invalid, err = s.checkSignature(ctx, c.Actor.Account, &in); err != nil {
			return nil, err
		}
	}
	item := &sendItem{
		author: c.Actor.Account, in: in, invalid: invalid, limited: l.Sends > 0,
		keyed: c.Surface == chat.SurfaceAIClient,
		key: store.SendKey{
			Author: c.Actor.Account, ClientID: in.ClientID, Conversation: in.Conversation, Peer: in.Peer,
			Attachment: in.Attachment,
		},
	}
	sent, err := s.decideSend(ctx, item)
	switch {
	case err != nil:
		return nil, s.outside(ctx, item, err)
	case sent.Replayed:
		return sent, s.recall(ctx, sent)
	}
	return sent, nil
}

// decideSend puts a send into a batch, unless it is sure to be refused or replayed.
func (s *Service) decideSend(ctx context.Context, item *sendItem) (*Sent, error) {
	if item.invalid != nil || item.in.Peer == nobody {
		return s.refuseSend(ctx, item)
	}
	return s.sender.send(ctx, item)
}

// refuseSend answers a send whose input or target is at fault: outside the batch,
// since nothing will be written, but after the same checks.
func (s *Service) refuseSend(ctx context.Context, item *sendItem) (*Sent, error) {
	err := s.view(ctx, "check send", func(ctx context.Context, r store.Reader) error {
		facts, err := r.SendFacts(ctx, []store.SendKey{item.key})
		if err != nil {
			return err
		}
		run := newSendRun([]*sendItem{item}, s.pending, s.sendRates(), s.now())
		run.decide(facts)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return item.sent, item.err
}

// outside finds words for a send into a group that the author is not in: those who
// were members when it was deleted are told so.
func (s *Service) outside(ctx context.Context, item *sendItem, refused error) error {
	if chat.CodeOf(refused) != chat.CodeNotMember || item.in.Kind != chat.ConversationGroup {
		return refused
	}
	if item.keyed {
		return s.outsider(ctx, item.in.Conversation)
	}
	err := s.view(ctx, "read group", func(ctx context.Context, r store.Reader) error {
		_, _, err := groupSeat(ctx, r, item.in.Conversation, item.author)
		return err
	})
	if chat.CodeOf(err) == chat.CodeGroupDeleted {
		return err
	}
	return refused
}

// recall fills a replayed message with what became of it.
func (s *Service) recall(ctx context.Context, sent *Sent) error {
	return s.view(ctx, "read replayed message", func(ctx context.Context, r store.Reader) error {
		rows := []chat.MessageRow{sent.MessageRow}
		if err := joinRows(ctx, r, rows); err != nil {
			return err
		}
		sent.MessageRow = rows[0]
		conv, err := r.Conversation(ctx, sent.Conversation)
		if err != nil || conv.Kind != chat.ConversationDirect {
			return err
		}
		sent.Envelope, err = r.Envelope(ctx, sent.ID, conv.Peer(sent.Author))
		return err
	})
}

// sendRates are the rates that sends count against, nil if none hold.
func (s *Service) sendRates() *rates {
	if s.limitsOff {
		return nil
	}
	return s.rates
}

// holder finds the account that a handle was given to: nobody if it never was.
func (s *Service) holder(ctx context.Context, handle string) (chat.AccountID, error) {
	if id, ok := s.handles.get(handle); ok {
		return id, nil
	}
	id := nobody
	err := s.view(ctx, "find handle", func(ctx context.Context, r store.Reader) error {
		a, err := r.AccountByHandle(ctx, handle)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		id = a.ID
		return nil
	})
	if err == nil && id != nobody {
		s.handles.put(handle, id)
	}
	return id, err
}

// handlesKept bounds the cache of handles. Beyond it all are dropped: those in use
// come back.
const handlesKept = 100_000

// handles remembers whom handles were given to, which never changes.
type handles struct {
	mu sync.Mutex
	of map[string]chat.AccountID
}

func newHandles() *handles { return &handles{of: make(map[string]chat.AccountID)} }

func (h *handles) get(handle string) (chat.AccountID, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id, ok := h.of[handle]
	return id, ok
}

func (h *handles) put(handle string, id chat.AccountID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.of) >= handlesKept {
		clear(h.of)
	}
	h.of[handle] = id
}
