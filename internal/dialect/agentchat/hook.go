package agentchat

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

func hookRoutes() []Route {
	return []Route{
		{
			ID: "createWebhook", Method: http.MethodPost, Path: "/v1/webhooks", Operation: core.OpCreateHook,
			Auth: AuthKey, Status: http.StatusCreated, Request: newHook{}, Response: madeHook{}, handle: createHook,
		},
		{
			ID: "listWebhooks", Method: http.MethodGet, Path: "/v1/webhooks", Operation: core.OpListHooks,
			Auth: AuthKey, Status: http.StatusOK, Response: hookList{}, handle: listHooks,
		},
		{
			ID: "getWebhook", Method: http.MethodGet, Path: "/v1/webhooks/{id}", Operation: core.OpShowHook,
			Auth: AuthKey, Status: http.StatusOK, Response: hook{}, handle: showHook,
		},
		{
			ID: "deleteWebhook", Method: http.MethodDelete, Path: "/v1/webhooks/{id}", Operation: core.OpRemoveHook,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: removeHook,
		},
		{
			ID: "setWakeWebhook", Method: http.MethodPut, Path: "/v1/agents/me/wake-webhook", Operation: core.OpSetWakeHook,
			Auth: AuthKey, Status: http.StatusOK, Request: newWakeHook{}, Response: wakeHook{}, handle: setWakeHook,
		},
		{
			ID: "removeWakeWebhook", Method: http.MethodDelete, Path: "/v1/agents/me/wake-webhook",
			Operation: core.OpRemoveWakeHook, Auth: AuthKey, Status: http.StatusOK, Response: wakeHook{}, handle: removeWakeHook,
		},
	}
}

// hookKinds are the events that a webhook may listen to, in the order in which they
// are shown (AC 18.4).
func hookKinds() []chat.EventKind {
	return []chat.EventKind{
		chat.EventMessageCreated, chat.EventMessageRead, chat.EventPresenceChanged, chat.EventAccountBlocked,
		chat.EventInviteCreated, chat.EventGroupDeleted, chat.EventAccountCreated,
	}
}

// newHook is the body of POST /v1/webhooks (AC 18.1).
type newHook struct {
	URL    string      `json:"url" required:"true" maxLength:"2048" format:"uri"`
	Events []hookEvent `json:"events" required:"true" minItems:"1"`
	Secret *string     `json:"secret" minLength:"16" maxLength:"256" description:"Signs deliveries; one is made up if it is missing."`

	in core.NewHook
}

func (q *newHook) read(f *wire.Fields) {
	q.in.URL = f.Required("url")
	for _, name := range f.Strings("events") {
		bit := hookEvent(name).bit()
		if bit == 0 {
			f.Fail(chat.FailField(chat.CodeFieldInvalid, "events"))
		}
		q.in.Events |= bit
	}
	q.in.Secret = f.Optional("secret")
}

// hookEvent is the name of an event that webhooks are told of.
type hookEvent string

// Enum lists the names for the OpenAPI document.
func (hookEvent) Enum() []any {
	var names []any
	for _, kind := range hookKinds() {
		names = append(names, eventName(kind))
	}
	return names
}

// bit is the event of the name, 0 if there is none.
func (e hookEvent) bit() chat.HookEvents {
	for _, kind := range hookKinds() {
		if eventName(kind) == string(e) {
			return chat.HookEvent(kind)
		}
	}
	return 0
}

// hook is a webhook without its secret (AC 18.2).
type hook struct {
	ID        string      `json:"id" required:"true"`
	URL       string      `json:"url" required:"true"`
	Events    []hookEvent `json:"events" required:"true"`
	Active    bool        `json:"active" required:"true"`
	CreatedAt string      `json:"created_at" required:"true" format:"date-time"`
}

// madeHook is a new one: its secret is shown this once.
type madeHook struct {
	hook

	Secret string `json:"secret" required:"true"`
}

type hookList struct {
	Webhooks []hook `json:"webhooks" required:"true"`
}

func (a *api) hook(h *chat.Hook) hook {
	shown := hook{
		ID: a.seal(prefixHook, id.KindHook, int64(h.ID)), URL: h.URL, Events: []hookEvent{}, Active: true,
		CreatedAt: wire.Instant(h.CreatedAt),
	}
	for _, kind := range hookKinds() {
		if h.Events.Has(chat.HookEvent(kind)) {
			shown.Events = append(shown.Events, hookEvent(eventName(kind)))
		}
	}
	return shown
}

// hookID reads the webhook in the path.
func (x *exchange) hookID() chat.HookID {
	n, _ := x.api.open(prefixHook, id.KindHook, x.PathValue("id"))
	return chat.HookID(n)
}

func createHook(x *exchange) (any, error) {
	var q newHook
	x.read(&q)
	made, err := x.api.Core.CreateHook(x.Context(), x.call, q.in)
	if err != nil {
		return nil, err
	}
	return madeHook{hook: x.api.hook(&made.Hook), Secret: made.Secret}, nil
}

func listHooks(x *exchange) (any, error) {
	hooks, err := x.api.Core.ListHooks(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	list := hookList{Webhooks: make([]hook, len(hooks))}
	for i := range hooks {
		list.Webhooks[i] = x.api.hook(&hooks[i])
	}
	return list, nil
}

func showHook(x *exchange) (any, error) {
	h, err := x.api.Core.ShowHook(x.Context(), x.call, x.hookID())
	if err != nil {
		return nil, err
	}
	return x.api.hook(h), nil
}

func removeHook(x *exchange) (any, error) {
	if err := x.api.Core.RemoveHook(x.Context(), x.call, x.hookID()); err != nil {
		return nil, err
	}
	return okResponse{OK: true}, nil
}

// newWakeHook is the body of PUT /v1/agents/me/wake-webhook (AC 7.5).
type newWakeHook struct {
	URL    string `json:"url" required:"true" maxLength:"2048" format:"uri"`
	Secret string `json:"secret" required:"true" minLength:"1" maxLength:"256" description:"Signs the calls; never shown again."`
}

func (q *newWakeHook) read(f *wire.Fields) {
	q.URL, q.Secret = f.Required("url"), f.Required("secret")
}

type wakeHook struct {
	State string `json:"state" required:"true" enum:"active,none"`
}

func setWakeHook(x *exchange) (any, error) {
	var q newWakeHook
	x.read(&q)
	if err := x.api.Core.SetWakeHook(x.Context(), x.call, q.URL, q.Secret); err != nil {
		return nil, err
	}
	return wakeHook{State: "active"}, nil
}

func removeWakeHook(x *exchange) (any, error) {
	if err := x.api.Core.RemoveWakeHook(x.Context(), x.call); err != nil {
		return nil, err
	}
	return wakeHook{State: "none"}, nil
}
