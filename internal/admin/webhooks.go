package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"parley/internal/chat"
	"parley/internal/id"
)

// letterPageSize is smaller than pageSize: a dead letter holds a whole message.
const letterPageSize = 100

// Webhook is a webhook as an operator sees it, without its secret.
type Webhook struct {
	ID        string     `json:"id"`
	Account   string     `json:"account"` // handle of its owner
	URL       string     `json:"url"`
	Events    []string   `json:"events"`
	MadeBy    string     `json:"made_by"`    // the interface it was made through
	Failures  int        `json:"failures"`   // in a row
	OpenUntil *time.Time `json:"open_until"` // nothing is sent before; null: nothing stands in the way
	Queued    int        `json:"queued"`     // at most 10,000 are counted
	Dead      int        `json:"dead"`       // dead letters, likewise
	CreatedAt time.Time  `json:"created_at"`
}

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	ID        string          `json:"id"`
	Webhook   string          `json:"webhook_id"`
	Account   string          `json:"account_id"`
	Event     string          `json:"event"`
	Payload   json.RawMessage `json:"payload"` // what was sent; null if it never came to that
	Attempts  int             `json:"attempts"`
	LastError string          `json:"last_error"`
	FailedAt  time.Time       `json:"failed_at"`
}

// Redriven says how many dead letters were queued again.
type Redriven struct {
	Redriven int `json:"redriven"`
}

// Pages of the lists; Next is "" on the last one.
type (
	webhookPage struct {
		Webhooks []Webhook `json:"webhooks"`
		Next     string    `json:"next"`
	}
	letterPage struct {
		Letters []DeadLetter `json:"dead_letters"`
		Next    string       `json:"next"`
	}
)

// open reads a public id; one that is malformed or of another kind is 0, which
// nothing has.
func (h *handler) open(kind id.Kind, text string) int64 {
	u, ok := id.ParseUUID(text)
	if !ok {
		return 0
	}
	n, _ := h.Codec.Open(kind, u)
	return n
}

func (h *handler) listWebhooks(r *http.Request) (any, error) {
	q := r.URL.Query()
	account := chat.AccountID(0)
	if who := q.Get("account"); who != "" {
		a, err := h.find(r, who)
		if err != nil {
			return nil, err
		}
		account = a.ID
	}
	after := chat.HookID(h.open(id.KindHook, q.Get("after")))
	list, err := h.Core.Hooks(r.Context(), account, after, pageSize)
	if err != nil {
		return nil, err
	}
	page := webhookPage{Webhooks: make([]Webhook, len(list))}
	for i := range list {
		page.Webhooks[i] = shownWebhook(h.Codec, &list[i])
	}
	if len(list) == pageSize {
		page.Next = page.Webhooks[pageSize-1].ID
	}
	return page, nil
}

func (h *handler) removeWebhook(r *http.Request) (any, error) {
	hook := chat.HookID(h.open(id.KindHook, r.PathValue("webhook")))
	return empty{}, h.Core.EndHook(r.Context(), hook)
}

func (h *handler) listDeadLetters(r *http.Request) (any, error) {
	after := chat.DeliveryID(h.open(id.KindDelivery, r.URL.Query().Get("after")))
	list, err := h.Core.DeadLetters(r.Context(), after, letterPageSize)
	if err != nil {
		return nil, err
	}
	page := letterPage{Letters: make([]DeadLetter, len(list))}
	for i := range list {
		page.Letters[i] = shownLetter(h.Codec, &list[i])
	}
	if len(list) == letterPageSize {
		page.Next = page.Letters[letterPageSize-1].ID
	}
	return page, nil
}

func (h *handler) redrive(r *http.Request) (any, error) {
	letter := chat.DeliveryID(h.open(id.KindDelivery, r.PathValue("letter")))
	return Redriven{1}, h.Core.ReviveDeadLetter(r.Context(), letter)
}

func (h *handler) redriveAll(r *http.Request) (any, error) {
	n, err := h.Core.ReviveDeadLetters(r.Context())
	return Redriven{n}, err
}

func shownWebhook(codec *id.Codec, s *chat.HookStatus) Webhook {
	w := Webhook{
		ID:      codec.Seal(id.KindHook, int64(s.Hook.ID)).String(),
		Account: s.Handle, URL: s.Hook.URL, Events: []string{}, MadeBy: s.Hook.Surface.String(),
		Failures: s.Breaker.Failures, Queued: s.Queued, Dead: s.Dead, CreatedAt: s.Hook.CreatedAt,
	}
	if !s.Breaker.OpenUntil.IsZero() {
		w.OpenUntil = &s.Breaker.OpenUntil
	}
	for _, kind := range chat.EventKinds() {
		if bit := chat.HookEvent(kind); bit != 0 && s.Hook.Events.Has(bit) {
			w.Events = append(w.Events, string(kind))
		}
	}
	if s.Hook.Events.Has(chat.HookWake) {
		w.Events = append(w.Events, "wake")
	}
	return w
}

func shownLetter(codec *id.Codec, l *chat.DeadLetter) DeadLetter {
	out := DeadLetter{
		ID:      codec.Seal(id.KindDelivery, int64(l.ID)).String(),
		Webhook: codec.Seal(id.KindHook, int64(l.Hook)).String(),
		Account: codec.Seal(id.KindAccount, int64(l.Account)).String(),
		Event:   string(l.Event.Kind), Attempts: l.Attempts, LastError: l.LastError, FailedAt: l.FailedAt,
	}
	if json.Valid(l.Body) { // every dialect so far sends JSON
		out.Payload = l.Body
	}
	return out
}
