package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// NewMessage is a message to be sent. Either Conversation or Peer is set.
type NewMessage struct {
	Kind         chat.ConversationKind // what the caller takes the conversation for
	Conversation chat.ConversationID
	Peer         chat.AccountID // a direct conversation that need not exist yet

	// ClientID is the sender's own id for the message, unique per sender for
	// ever: sending it again returns the first message. "" is none.
	ClientID string
	Type     chat.MessageKind // 0: text
	Text     string
	Data     []byte // a JSON object, or nil
	Metadata []byte // a JSON object, or nil
}

// Sent is a message that is stored.
type Sent struct {
	chat.MessageView
	Replayed bool // it was stored before, under the same ClientID
	// Skipped lists guarded group members who have too much waiting and got no
	// envelope; they can read the message in the history.
	Skipped []chat.AccountID
	// Waiting is how many envelopes waited for a guarded recipient of a direct
	// message before this one, if they are enough to warn of; else 0.
	Waiting int
}

// SendMessage stores a message and returns once it is on disk. Waiting sends are
// stored together (sender). The failures are, in this order:
//
//   - account_off;
//   - what hides the target: channel_unknown, conversation_unknown, account_unknown;
//   - what keeps the caller out: not_member, not_participant, not_permitted, peer_gone;
//   - the held input error, then text_empty, text_too_long, field_invalid;
//   - policy: paused, blocked, restricted, contacts_only, awaiting_reply, cold_cap, backlogged;
//   - rate_limited when 256 sends of the caller are waiting already.
//
// A send that fails leaves no trace. A replay meets no policy.
func (s *Service) SendMessage(ctx context.Context, c Call, in NewMessage) (*Sent, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	if in.Type == 0 {
		in.Type = chat.MessageText
	}
	item := &sendItem{
		author: c.Actor.Account, in: in, invalid: c.Input,
		key: store.SendKey{
			Author: c.Actor.Account, ClientID: in.ClientID, Conversation: in.Conversation, Peer: in.Peer,
		},
	}
	if item.invalid == nil {
		item.invalid = checkMessage(&in, limits(c.Surface))
	}
	if item.invalid != nil {
		return s.refuseSend(ctx, item)
	}
	return s.sender.send(ctx, item)
}

// checkMessage checks what is sent, apart from where to. What an engine would
// refuse never gets into a batch: it would make others pay.
func checkMessage(in *NewMessage, l Limits) error {
	if in.Type == chat.MessageText || in.Text != "" {
		if err := checkText(in.Text, l); err != nil {
			return err
		}
	}
	if !storable(in.ClientID) || !storable(string(in.Data)) || !storable(string(in.Metadata)) {
		return chat.FailField(chat.CodeFieldInvalid, "content")
	}
	return nil
}

// refuseSend answers a send whose input is at fault: outside the batch, since
// nothing will be written, but after the same checks.
func (s *Service) refuseSend(ctx context.Context, item *sendItem) (*Sent, error) {
	err := s.view(ctx, "check send", func(ctx context.Context, r store.Reader) error {
		facts, err := r.SendFacts(ctx, []store.SendKey{item.key})
		if err != nil {
			return err
		}
		run := newSendRun([]*sendItem{item}, s.pending, s.now())
		run.decide(facts)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return item.sent, item.err
}
