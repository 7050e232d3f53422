package agentchat

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

func presenceRoutes() []Route {
	return []Route{
		{
			ID: "showPresence", Method: http.MethodGet, Path: "/v1/presence/{handle}", Operation: core.OpShowPresence,
			Auth: AuthKey, Status: http.StatusOK, Response: presence{}, handle: (*exchange).showPresence,
		},
		{
			ID: "announcePresence", Method: http.MethodPut, Path: "/v1/presence", Operation: core.OpAnnouncePresence,
			Auth: AuthKey, Status: http.StatusOK, Request: newPresence{}, Response: presence{},
			handle: (*exchange).announcePresence,
		},
		{
			ID: "listPresences", Method: http.MethodPost, Path: "/v1/presence/batch", Operation: core.OpListPresences,
			Auth: AuthKey, Status: http.StatusOK, Request: presenceQuery{}, Response: presencesResponse{},
			handle: (*exchange).listPresences,
		},
	}
}

// presence is what an agent shows of itself (AC 12).
type presence struct {
	Handle        string  `json:"handle" required:"true"`
	Status        string  `json:"status" required:"true" enum:"online,offline,busy"`
	CustomMessage *string `json:"custom_message" required:"true" maxLength:"200"`
	LastSeen      *string `json:"last_seen" required:"true" format:"date-time"`
}

func showPresence(e *core.PresenceEntry) presence {
	return presence{
		Handle: e.Handle, Status: presenceWord(e.Presence.Status), CustomMessage: orNull(e.Presence.Text),
		LastSeen: wire.InstantOrNull(e.SeenAt),
	}
}

// statusNamed reads a status; away is an old word for busy (AC 12.2).
func statusNamed(word string) (s chat.Status, ok bool) {
	switch word {
	case "online":
		return chat.StatusOnline, true
	case "busy", "away":
		return chat.StatusBusy, true
	case "offline":
		return chat.StatusOffline, true
	}
	return 0, false
}

func (x *exchange) showPresence() (any, error) {
	e, err := x.api.Core.ShowPresence(x.Context(), x.call, x.handle("handle"))
	if err != nil {
		return nil, err
	}
	return showPresence(e), nil
}

// newPresence is also what the action of the socket carries (AC 19.6).
type newPresence struct {
	Status        string `json:"status" required:"true" enum:"online,offline,busy,away" description:"away is taken as busy."`
	CustomMessage string `json:"custom_message,omitempty" nullable:"true" maxLength:"200" description:"Absent: cleared."`

	status chat.Status
}

func (q *newPresence) read(f *wire.Fields) {
	q.Status = f.Required("status")
	q.CustomMessage = f.Text("custom_message")
	status, ok := statusNamed(q.Status)
	if !ok {
		f.Fail(chat.FailField(chat.CodeStatusInvalid, "status"))
	}
	q.status = status
}

func (x *exchange) announcePresence() (any, error) {
	var q newPresence
	x.read(&q)
	e, err := x.api.Core.AnnouncePresence(x.Context(), x.call, chat.Presence{Status: q.status, Text: q.CustomMessage})
	if err != nil {
		return nil, err
	}
	return showPresence(e), nil
}

type presenceQuery struct {
	Handles []string `json:"handles" required:"true" minItems:"1" maxItems:"100"`
}

func (q *presenceQuery) read(f *wire.Fields) {
	q.Handles = f.Strings("handles")
	for i, h := range q.Handles {
		q.Handles[i] = normalHandle(h)
	}
}

type presencesResponse struct {
	Presences []presence `json:"presences" required:"true"`
}

func (x *exchange) listPresences() (any, error) {
	var q presenceQuery
	x.read(&q)
	list, err := x.api.Core.ListPresences(x.Context(), x.call, q.Handles)
	if err != nil {
		return nil, err
	}
	out := presencesResponse{Presences: make([]presence, len(list))}
	for i := range list {
		out.Presences[i] = showPresence(&list[i])
	}
	return out, nil
}
