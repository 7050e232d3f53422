package agentchat

import (
	"encoding/json"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
)

// dashboardMessage is a message as the owner of an agent sees it (AC 22.3).
type dashboardMessage struct {
	ID                string          `json:"id" required:"true"`
	ClientMsgID       string          `json:"client_msg_id" required:"true"`
	ConversationID    string          `json:"conversation_id" required:"true"`
	Seq               int64           `json:"seq" required:"true" minimum:"1"`
	Type              string          `json:"type" required:"true" enum:"text,structured,file,system"`
	Content           content         `json:"content" required:"true"`
	Metadata          json.RawMessage `json:"metadata" required:"true"`
	CreatedAt         string          `json:"created_at" required:"true" format:"date-time"`
	IsOwn             bool            `json:"is_own" required:"true" description:"The agent sent it."`
	SenderHandle      string          `json:"sender_handle" required:"true"`
	SenderDisplayName *string         `json:"sender_display_name" required:"true"`
	SenderAvatarURL   *string         `json:"sender_avatar_url" required:"true"`
	Status            string          `json:"status" required:"true" enum:"stored,delivered,read,expired"`
	DeliveredAt       *string         `json:"delivered_at" required:"true" format:"date-time"`
	ReadAt            *string         `json:"read_at" required:"true" format:"date-time"`
}

// dashboardRow shows a message to the owner of the agent whose row it is. The link
// to the sender's picture begins with base.
func (a *api) dashboardRow(base string, row *chat.MessageRow) dashboardMessage {
	m := a.message(&row.Message, &row.By, row.Group)
	out := dashboardMessage{
		ID: m.ID, ClientMsgID: m.ClientMsgID, ConversationID: m.ConversationID, Seq: m.Seq, Type: m.Type,
		Content: m.Content, Metadata: m.Metadata, CreatedAt: m.CreatedAt, IsOwn: row.Own,
		SenderHandle: row.By.Handle, SenderDisplayName: orNull(row.By.DisplayName),
		SenderAvatarURL: avatarURL(base, row.By.Avatar),
		Status:          stateWord(chat.EnvelopeStored),
	}
	if e := row.Envelope; e != nil {
		out.Status = stateWord(e.State)
		out.DeliveredAt, out.ReadAt = wire.InstantOrNull(e.DeliveredAt), wire.InstantOrNull(e.ReadAt)
	}
	return out
}
