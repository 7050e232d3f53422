package agentchat

import (
	"net/http"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

func muteRoutes() []Route {
	const agents, conversations = "/v1/mutes/agent/{handle}", "/v1/mutes/conversation/{id}"
	return []Route{
		{
			ID: "setMute", Method: http.MethodPost, Path: "/v1/mutes", Operation: core.OpSetMute,
			Auth: AuthKey, Status: http.StatusCreated, Request: newMute{}, Response: mute{},
			handle: (*exchange).setMute,
		},
		{
			ID: "listMutes", Method: http.MethodGet, Path: "/v1/mutes", Operation: core.OpListMutes,
			Auth: AuthKey, Status: http.StatusOK, Response: mutesResponse{}, handle: (*exchange).listMutes,
		},
		{
			ID: "showAgentMute", Method: http.MethodGet, Path: agents, Operation: core.OpShowMute,
			Auth: AuthKey, Status: http.StatusOK, Response: mute{}, handle: (*exchange).showMute,
		},
		{
			ID: "showConversationMute", Method: http.MethodGet, Path: conversations, Operation: core.OpShowMute,
			Auth: AuthKey, Status: http.StatusOK, Response: mute{}, handle: (*exchange).showMute,
		},
		{
			ID: "removeAgentMute", Method: http.MethodDelete, Path: agents, Operation: core.OpRemoveMute,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: (*exchange).removeMute,
		},
		{
			ID: "removeConversationMute", Method: http.MethodDelete, Path: conversations, Operation: core.OpRemoveMute,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: (*exchange).removeMute,
		},
	}
}

// The words for kinds of mutes.
const (
	muteAgent        = "agent"
	muteConversation = "conversation"
)

// muteKind reads the word for a kind, 0 for any other.
func muteKind(word string) chat.MuteKind {
	switch word {
	case muteAgent:
		return chat.MuteAccount
	case muteConversation:
		return chat.MuteConversation
	}
	return 0
}

// mute is an agent or conversation that the caller does not hear live (AC 11).
type mute struct {
	MuterAgentID string  `json:"muter_agent_id" required:"true"`
	TargetKind   string  `json:"target_kind" required:"true" enum:"agent,conversation"`
	TargetID     string  `json:"target_id" required:"true"`
	TargetHandle string  `json:"target_handle,omitempty"`
	MutedUntil   *string `json:"muted_until" required:"true" format:"date-time" description:"null: for good."`
	CreatedAt    string  `json:"created_at" required:"true" format:"date-time"`
}

func (a *api) mute(e *core.MuteEntry) mute {
	out := mute{
		MuterAgentID: a.accountID(e.By.Kind, e.By.Handle, e.By.ID), TargetKind: muteConversation,
		MutedUntil: wire.InstantOrNull(e.Until), CreatedAt: wire.Instant(e.CreatedAt),
	}
	if e.Kind == chat.MuteAccount {
		out.TargetKind, out.TargetHandle = muteAgent, e.Of.Handle
		out.TargetID = a.accountID(e.Of.Kind, e.Of.Handle, e.Of.ID)
		return out
	}
	out.TargetID = a.conversationID(e.In, chat.ConversationID(e.Target))
	return out
}

type newMute struct {
	TargetKind   string           `json:"target_kind" required:"true" enum:"agent,conversation"`
	TargetHandle string           `json:"target_handle,omitempty" description:"Of the agent, unless target_id is given."`
	TargetID     string           `json:"target_id,omitempty" description:"Of the conversation or agent."`
	MutedUntil   chat.Opt[string] `json:"muted_until" nullable:"true" format:"date-time" description:"In the future; null or absent: for good."`

	until time.Time
}

func (q *newMute) read(f *wire.Fields) {
	q.TargetKind = f.Required("target_kind")
	q.TargetHandle, q.TargetID = f.Text("target_handle"), f.Text("target_id")
	q.MutedUntil = f.Optional("muted_until")
	switch muteKind(q.TargetKind) {
	case 0:
		f.Fail(chat.FailField(chat.CodeFieldInvalid, "target_kind"))
	case chat.MuteConversation:
		if q.TargetID == "" {
			f.Fail(chat.FailField(chat.CodeFieldRequired, "target_id"))
		}
	case chat.MuteAccount:
		if q.TargetHandle == "" && q.TargetID == "" {
			f.Fail(chat.FailField(chat.CodeFieldRequired, "target_handle"))
		}
	}
	if q.MutedUntil.Present && !q.MutedUntil.Null {
		var ok bool
		if q.until, ok = wire.ParseInstant(q.MutedUntil.Value); !ok {
			f.Fail(chat.FailField(chat.CodeFieldInvalid, "muted_until"))
		}
	}
}

// target names what the body is about.
func (q *newMute) target(a *api) core.MuteTarget {
	switch {
	case muteKind(q.TargetKind) == chat.MuteConversation:
		return a.conversationTarget(q.TargetID)
	case q.TargetHandle != "":
		return core.MuteTarget{Kind: chat.MuteAccount, Handle: normalHandle(q.TargetHandle)}
	}
	if n, ok := a.open(prefixAgent, id.KindAccount, q.TargetID); ok {
		return core.MuteTarget{Kind: chat.MuteAccount, Account: chat.AccountID(n)}
	}
	handle, _ := strings.CutPrefix(q.TargetID, prefixAgent)
	return core.MuteTarget{Kind: chat.MuteAccount, Handle: normalHandle(handle), System: true}
}

func (a *api) conversationTarget(text string) core.MuteTarget {
	n, kind := a.openConversation(text)
	return core.MuteTarget{Kind: chat.MuteConversation, Conversation: n, In: kind}
}

// muteTarget names what the path is about.
func (x *exchange) muteTarget() core.MuteTarget {
	if text := x.PathValue("id"); text != "" {
		return x.api.conversationTarget(text)
	}
	return core.MuteTarget{Kind: chat.MuteAccount, Handle: x.handle("handle")}
}

func (x *exchange) setMute() (any, error) {
	var q newMute
	x.read(&q)
	e, err := x.api.Core.SetMute(x.Context(), x.call, q.target(x.api), q.until)
	if err != nil {
		return nil, err
	}
	return x.api.mute(e), nil
}

type mutesResponse struct {
	Mutes []mute `json:"mutes" required:"true"`
}

func (x *exchange) listMutes() (any, error) {
	word := wire.Query(x.Request, "kind")
	kind := muteKind(word)
	if word != "" && kind == 0 {
		x.invalid(chat.FailField(chat.CodeFieldInvalid, "kind"))
	}
	list, err := x.api.Core.ListMutes(x.Context(), x.call, kind)
	if err != nil {
		return nil, err
	}
	out := mutesResponse{Mutes: make([]mute, len(list))}
	for i := range list {
		out.Mutes[i] = x.api.mute(&list[i])
	}
	return out, nil
}

func (x *exchange) showMute() (any, error) {
	e, err := x.api.Core.ShowMute(x.Context(), x.call, x.muteTarget())
	if err != nil {
		return nil, err
	}
	return x.api.mute(e), nil
}

func (x *exchange) removeMute() (any, error) {
	return okay(x.api.Core.RemoveMute(x.Context(), x.call, x.muteTarget()))
}
