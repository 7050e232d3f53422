package opencord

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// listDirects pages by the id of the last conversation of the page before.
func listDirects(x *exchange) (any, error) {
	var after chat.ConversationID
	if before := wire.Query(x.Request, "before"); before != "" {
		n, ok := x.api.open(id.KindConversation, before)
		if !ok {
			x.call.Input = chat.FailField(chat.CodeFieldInvalid, "before")
		}
		after = chat.ConversationID(n)
	}
	page, err := x.api.core.ListDirects(x.Context(), x.call, after, limit(x.Request))
	if err != nil {
		return nil, err
	}
	out := make([]directChannel, 0, len(page.Directs))
	for i := range page.Directs {
		out = append(out, x.api.direct(&page.Directs[i]))
	}
	return directsResponse{Channels: out, HasMore: page.More}, nil
}

type openDirectRequest struct {
	UserID string `json:"user_id" required:"true" format:"uuid" description:"The other participant." example:"8b5a3f0e-1d2c-8a4b-9c6d-7e8f90a1b2c3"`
}

func (q *openDirectRequest) read(f *wire.Fields) {
	q.UserID = f.Required("user_id")
	if _, ok := id.ParseUUID(q.UserID); !ok {
		f.Fail(chat.FailField(chat.CodeFieldInvalid, "user_id"))
	}
}

func openDirect(x *exchange) (any, error) {
	var q openDirectRequest
	x.read(&q)
	peer, _ := x.api.open(id.KindAccount, q.UserID) // one that is not ours is 0, which nobody has
	d, existing, err := x.api.core.OpenDirect(x.Context(), x.call, chat.AccountID(peer))
	if err != nil {
		return nil, err
	}
	if existing {
		x.status = http.StatusOK
	}
	return directResponse{Channel: x.api.direct(d), Existing: existing}, nil
}

func (a *api) direct(d *chat.Direct) directChannel {
	low, high := a.seal(id.KindAccount, int64(d.Low)), a.seal(id.KindAccount, int64(d.High))
	return directChannel{
		ID: a.seal(id.KindConversation, int64(d.ID)), Type: "dm",
		ParticipantIDs: [2]string{min(low, high), max(low, high)}, // sealed ids have an order of their own
		Recipient:      a.publicUser(d.With),
		CreatedAt:      wire.Instant(d.CreatedAt), LastMessageAt: wire.InstantOrNull(d.LastAt),
	}
}
