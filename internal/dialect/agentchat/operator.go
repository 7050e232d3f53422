package agentchat

import (
	"crypto/subtle"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

const (
	prefixEscalation = "esc_"
	escalationsUsual = 50
	escalationsMost  = 200
	operatorHeader   = "X-Ops-Operator"
)

func operatorRoutes() []Route {
	return []Route{
		{
			ID: "listEscalations", Method: "GET", Path: "/internal/support-escalations", Operation: core.OpListEscalations,
			Auth: AuthOps, Status: 200, Response: escalationsResponse{}, handle: listEscalations,
		},
		{
			ID: "updateEscalation", Method: "PATCH", Path: "/internal/support-escalations/{id}", Operation: core.OpUpdateEscalation,
			Auth: AuthOps, Status: 200, Request: escalationRequest{}, Response: escalation{}, handle: updateEscalation,
		},
	}
}

// operator checks the operator's token (AC 24.4).
func (x *exchange) operator() error {
	if x.api.OpsToken == "" {
		return chat.Fail(chat.CodeRouteUnknown)
	}
	if subtle.ConstantTimeCompare([]byte(wire.Bearer(x.Request)), []byte(x.api.OpsToken)) == 0 {
		return chat.Fail(chat.CodeOperatorNeeded)
	}
	return nil
}

// escalation is a request for help as the operator sees it (AC 24.4).
type escalation struct {
	ID             string  `json:"id" required:"true" description:"esc_…"`
	Handle         string  `json:"handle" required:"true" description:"Who asks."`
	Category       string  `json:"category" required:"true" enum:"bug,feature,abuse,other"`
	Text           string  `json:"text" required:"true"`
	Status         string  `json:"status" required:"true" enum:"open,in_progress,resolved,discarded"`
	ResolutionNote *string `json:"resolution_note" required:"true"`
	Operator       *string `json:"operator" required:"true" description:"Who changed it last."`
	CreatedAt      string  `json:"created_at" required:"true" format:"date-time"`
	UpdatedAt      string  `json:"updated_at" required:"true" format:"date-time"`
}

func (a *api) escalation(e *core.EscalationView) escalation {
	return escalation{
		ID: a.seal(prefixEscalation, id.KindEscalation, int64(e.ID)), Handle: e.By.Handle, Category: e.Category,
		Text: e.Text, Status: escalationWord(e.Status), ResolutionNote: orNull(e.Note), Operator: orNull(e.Operator),
		CreatedAt: wire.Instant(e.CreatedAt), UpdatedAt: wire.Instant(e.UpdatedAt),
	}
}

func escalationWord(s chat.EscalationStatus) string {
	switch s {
	case chat.EscalationInProgress:
		return "in_progress"
	case chat.EscalationResolved:
		return "resolved"
	case chat.EscalationDiscarded:
		return "discarded"
	default:
		return "open"
	}
}

// escalationStatus reads the word for one status; 0 is none.
func escalationStatus(word string) chat.EscalationStatus {
	for s := chat.EscalationOpen; s <= chat.EscalationDiscarded; s++ {
		if escalationWord(s) == word {
			return s
		}
	}
	return 0
}

// escalationStatuses reads which statuses are asked for; ok is false for a word that
// means none.
func escalationStatuses(word string) (list []chat.EscalationStatus, ok bool) {
	switch word {
	case "", "live":
		return []chat.EscalationStatus{chat.EscalationOpen, chat.EscalationInProgress}, true
	case "all":
		return nil, true
	}
	s := escalationStatus(word)
	return []chat.EscalationStatus{s}, s != 0
}

type escalationsResponse struct {
	Escalations []escalation `json:"escalations" required:"true"`
}

// listEscalations takes as before the time of an escalation, or its id, which tells
// those of one time apart.
func listEscalations(x *exchange) (any, error) {
	q := core.EscalationPage{Limit: x.pageLimit(escalationsUsual, escalationsMost)}
	var ok bool
	if q.Statuses, ok = escalationStatuses(wire.Query(x.Request, "status")); !ok {
		x.invalid(chat.FailField(chat.CodeFieldInvalid, "status"))
	}
	if before := wire.Query(x.Request, "before"); before != "" {
		n, isID := x.api.open(prefixEscalation, id.KindEscalation, before)
		at, isTime := wire.ParseInstant(before)
		if !isID && !isTime {
			x.invalid(chat.FailField(chat.CodeFieldInvalid, "before"))
		}
		q.BeforeID, q.Before = chat.EscalationID(n), at
	}
	list, err := x.api.Core.ListEscalations(x.Context(), x.call, q)
	if err != nil {
		return nil, err
	}
	out := escalationsResponse{Escalations: make([]escalation, len(list))}
	for i := range list {
		out.Escalations[i] = x.api.escalation(&list[i])
	}
	return out, nil
}

type escalationRequest struct {
	Status         string           `json:"status" required:"true" enum:"open,in_progress,resolved,discarded"`
	ResolutionNote chat.Opt[string] `json:"resolution_note" nullable:"true" maxLength:"2000" description:"Absent: left as it is; null or blank clears it."`
}

func (q *escalationRequest) read(f *wire.Fields) {
	q.Status = f.Required("status")
	q.ResolutionNote = f.Optional("resolution_note")
}

func updateEscalation(x *exchange) (any, error) {
	var q escalationRequest
	x.read(&q)
	in := core.EscalationChange{Status: escalationStatus(q.Status), Note: q.ResolutionNote, Operator: x.Header.Get(operatorHeader)}
	if in.Status == 0 {
		x.invalid(chat.FailField(chat.CodeFieldInvalid, "status"))
	}
	n, _ := x.api.open(prefixEscalation, id.KindEscalation, x.PathValue("id"))
	e, err := x.api.Core.UpdateEscalation(x.Context(), x.call, chat.EscalationID(n), in)
	if err != nil {
		return nil, err
	}
	return x.api.escalation(e), nil
}
