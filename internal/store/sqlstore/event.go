package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"parley/internal/chat"
)

// eventDoc is an event as its payload column keeps it, for the day that events
// live: what has no column of its own.
type eventDoc struct {
	Actor        chat.AccountID      `json:"actor,omitempty"`
	Space        chat.SpaceID        `json:"space,omitempty"`
	Conversation chat.ConversationID `json:"conversation,omitempty"`
	Account      chat.AccountID      `json:"account,omitempty"`
	Credential   chat.CredentialID   `json:"credential,omitempty"`
	Message      *messageDoc         `json:"message,omitempty"`
	Channel      *channelDoc         `json:"channel,omitempty"`
	Presence     *presenceDoc        `json:"presence,omitempty"`
	By           *profileDoc         `json:"by,omitempty"`
	Group        *groupDoc           `json:"group,omitempty"`
	Invite       *inviteDoc          `json:"invite,omitempty"`
	Read         *readDoc            `json:"read,omitempty"`
	Pause        *chat.Pause         `json:"pause,omitempty"`
	Recipients   []chat.AccountID    `json:"recipients,omitempty"`
	Quiet        []chat.AccountID    `json:"quiet,omitempty"`
}

// messageDoc has the fields of chat.Message in their order: the one converts into
// the other. Data and metadata become base64, so they stay byte for byte.
type messageDoc struct {
	ID           chat.MessageID      `json:"id"`
	Conversation chat.ConversationID `json:"conversation"`
	Seq          int64               `json:"seq"`
	Author       chat.AccountID      `json:"author"`
	ClientID     string              `json:"client_id,omitempty"`
	Kind         chat.MessageKind    `json:"kind"`
	Text         string              `json:"text"`
	Data         []byte              `json:"data,omitempty"`
	Metadata     []byte              `json:"metadata,omitempty"`
	Attachment   chat.AttachmentID   `json:"attachment,omitempty"`
	Signature    *chat.Signature     `json:"signature,omitempty"`
	CreatedAt    time.Time           `json:"created_at,omitzero"`
	EditedAt     time.Time           `json:"edited_at,omitzero"`
	RetractedAt  time.Time           `json:"retracted_at,omitzero"`
}

type channelDoc struct {
	ID        chat.ConversationID `json:"id"`
	Space     chat.SpaceID        `json:"space"`
	Name      string              `json:"name"`
	Topic     string              `json:"topic,omitempty"`
	Type      chat.ChannelType    `json:"type"`
	Position  int                 `json:"position"`
	CreatedAt time.Time           `json:"created_at,omitzero"`
	UpdatedAt time.Time           `json:"updated_at,omitzero"`
}

type presenceDoc struct {
	Status chat.Status `json:"status"`
	Text   string      `json:"text,omitempty"`
	Chosen bool        `json:"chosen,omitempty"`
}

// profileDoc, groupDoc, inviteDoc and readDoc have the fields of what they stand
// for, as messageDoc has.
type profileDoc struct {
	ID          chat.AccountID    `json:"id"`
	Kind        chat.AccountKind  `json:"kind"`
	Username    string            `json:"username,omitempty"`
	Handle      string            `json:"handle,omitempty"`
	DisplayName string            `json:"display_name,omitempty"`
	Description string            `json:"description,omitempty"`
	Avatar      string            `json:"avatar,omitempty"`
	PublicKey   string            `json:"public_key,omitempty"`
	State       chat.AccountState `json:"state"`
	Disabled    bool              `json:"disabled,omitempty"`
	Presence    chat.Presence     `json:"presence"`
	Gone        bool              `json:"gone,omitempty"`
	CreatedAt   time.Time         `json:"created_at,omitzero"`
}

type groupDoc struct {
	Name        string `json:"name"`
	Members     int    `json:"members"`
	Description string `json:"description,omitempty"`
	Avatar      string `json:"avatar,omitempty"`
	AvatarURL   string `json:"avatar_url,omitempty"`
}

type inviteDoc struct {
	ID        chat.InviteID       `json:"id"`
	Group     chat.ConversationID `json:"group"`
	Inviter   chat.AccountID      `json:"inviter"`
	Invitee   chat.AccountID      `json:"invitee"`
	CreatedAt time.Time           `json:"created_at,omitzero"`
	EndedAt   time.Time           `json:"ended_at,omitzero"`
}

type readDoc struct {
	Message chat.MessageID `json:"message"`
	Seq     int64          `json:"seq"`
}

func newEventDoc(e *chat.Event) eventDoc {
	return eventDoc{
		Actor: e.Actor, Space: e.Space, Conversation: e.Conversation, Account: e.Account, Credential: e.Credential,
		Message: (*messageDoc)(e.Message), Channel: (*channelDoc)(e.Channel), Presence: (*presenceDoc)(e.Presence),
		By: (*profileDoc)(e.By), Group: (*groupDoc)(e.Group), Invite: (*inviteDoc)(e.Invite), Read: (*readDoc)(e.Read),
		Pause: e.Pause, Recipients: e.Recipients, Quiet: e.Quiet,
	}
}

// EncodeEvent returns the payload column of an event's row.
func EncodeEvent(e *chat.Event) (string, error) {
	payload, err := json.Marshal(newEventDoc(e))
	if err != nil {
		return "", fmt.Errorf("encode event %s: %w", e.Kind, err)
	}
	return string(payload), nil
}

func decodeEvent(e *chat.Event, payload string) error {
	var doc eventDoc
	if err := json.Unmarshal([]byte(payload), &doc); err != nil {
		return fmt.Errorf("decode event %d: %w", e.Position, err)
	}
	doc.fill(e)
	return nil
}

// fill gives an event what has no column of its own.
func (doc *eventDoc) fill(e *chat.Event) {
	e.Actor, e.Space, e.Conversation = doc.Actor, doc.Space, doc.Conversation
	e.Account, e.Credential = doc.Account, doc.Credential
	e.Message, e.Channel = (*chat.Message)(doc.Message), (*chat.Channel)(doc.Channel)
	e.Presence, e.Recipients, e.Quiet = (*chat.Presence)(doc.Presence), doc.Recipients, doc.Quiet
	e.By, e.Group = (*chat.Profile)(doc.By), (*chat.GroupBrief)(doc.Group)
	e.Invite, e.Read = (*chat.Invite)(doc.Invite), (*chat.ReadMark)(doc.Read)
	e.Pause = doc.Pause
}

const (
	insertEvent = `INSERT INTO events (id, kind, created_at, payload) VALUES ($1, $2, $3, $4)`
	pruneEvents = `DELETE FROM events WHERE id IN
		(SELECT id FROM events WHERE created_at < $1 ORDER BY created_at LIMIT 0 + $2)`
)

// AppendEvents stores events whose positions were drawn with NextID.
func (t *Tx) AppendEvents(ctx context.Context, events []chat.Event) error {
	for i := range events {
		e := &events[i]
		payload, err := EncodeEvent(e)
		if err != nil {
			return err
		}
		err = t.exec(ctx, "append event", insertEvent, int64(e.Position), string(e.Kind), Millis(e.At), payload)
		if err != nil {
			return err
		}
	}
	return nil
}

// PruneEvents removes up to limit events older than before.
func (t *Tx) PruneEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.affect(ctx, "prune events", pruneEvents, ceilMillis(before), limit)
}
