package agentchat

import (
	"strings"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// What the owner of an agent reads of it (AC 22.3), and how much at once.
const (
	watchedPage      = 50
	watchedRelations = 100
)

// watchedAgent is an agent as its owner sees it.
type watchedAgent struct {
	profile

	PausedByOwner string `json:"paused_by_owner" required:"true" enum:"none,send,full"`
	EmailMasked   string `json:"email_masked" required:"true"`
}

func showOwnedAgent(x *exchange) (any, error) {
	a, err := x.api.Core.ShowOwnedAgent(x.Context(), x.call, x.handle("handle"))
	if err != nil {
		return nil, err
	}
	p := a.Profile()
	return watchedAgent{x.profile(&p), pauseWord(a.Pause), maskAddress(a.Address())}, nil
}

type watchedConversations struct {
	Conversations []conversation `json:"conversations" required:"true"`
}

func listOwnedConversations(x *exchange) (any, error) {
	list, agent, err := x.api.Core.ListOwnedConversations(x.Context(), x.call, x.handle("handle"), watchedPage)
	if err != nil {
		return nil, err
	}
	return watchedConversations{x.conversations(list, agent)}, nil
}

type watchedMessages struct {
	Messages []dashboardMessage `json:"messages" required:"true" description:"The newest first."`
}

func readOwnedHistory(x *exchange) (any, error) {
	q := core.HistoryQuery{Limit: watchedPage}
	conversation := wire.Query(x.Request, "conversation_id")
	if conversation == "" {
		x.invalid(chat.FailField(chat.CodeFieldRequired, "conversation_id"))
	}
	q.Conversation, q.Kind = x.api.openConversation(conversation)
	if wire.Query(x.Request, "before_seq") != "" {
		before, _ := x.number("before_seq", 0, 1)
		q.Before = chat.Opt[int64]{Present: true, Value: int64(before)}
	}
	rows, err := x.api.Core.ReadOwnedHistory(x.Context(), x.call, x.handle("handle"), q)
	if err != nil {
		return nil, err
	}
	out := watchedMessages{Messages: make([]dashboardMessage, len(rows))}
	for i := range rows {
		out.Messages[i] = x.api.dashboardRow(x.base(), &rows[i])
	}
	return out, nil
}

// watchedEvent is an entry of an agent's audit trail.
type watchedEvent struct {
	ID        string            `json:"id" required:"true" description:"evt_…"`
	ActorType string            `json:"actor_type" required:"true" enum:"owner,agent,system"`
	Action    string            `json:"action" required:"true"`
	Metadata  map[string]string `json:"metadata" required:"true" description:"Some of mode, reason, ip, user_agent."`
	CreatedAt string            `json:"created_at" required:"true" format:"date-time"`
}

type watchedEvents struct {
	Events []watchedEvent `json:"events" required:"true"`
}

func listOwnedEvents(x *exchange) (any, error) {
	before, ok := wire.ParseInstant(wire.Query(x.Request, "before"))
	if !ok && wire.Query(x.Request, "before") != "" {
		x.invalid(chat.FailField(chat.CodeFieldInvalid, "before"))
	}
	list, err := x.api.Core.ListOwnedEvents(x.Context(), x.call, x.handle("handle"), before, watchedPage)
	if err != nil {
		return nil, err
	}
	out := watchedEvents{Events: make([]watchedEvent, len(list))}
	for i, e := range list {
		out.Events[i] = watchedEvent{
			ID: x.api.seal(prefixAudit, id.KindAudit, int64(e.ID)), ActorType: actorType(e.By), Action: actionWord(e.Act),
			Metadata: e.Facts, CreatedAt: wire.Instant(e.At),
		}
	}
	return out, nil
}

// actorType is the word for who did something to an agent.
func actorType(k chat.AccountKind) string {
	switch k {
	case chat.KindHuman:
		return "owner"
	case chat.KindAgent:
		return "agent"
	default:
		return "system"
	}
}

// actionWord is the word for an act: /v1 knows agents where others know accounts.
func actionWord(act string) string {
	switch act {
	case "account.suspend", "account.reinstate":
		return "agent.status_changed"
	}
	if rest, ok := strings.CutPrefix(act, "account."); ok {
		return "agent." + rest
	}
	return act
}

func listOwnedContacts(x *exchange) (any, error) {
	page, err := x.api.Core.ListOwnedContacts(x.Context(), x.call, x.handle("handle"), watchedRelations)
	if err != nil {
		return nil, err
	}
	return x.contacts(page, watchedRelations, 0), nil
}

// watchedBlock is a block that an agent has set.
type watchedBlock struct {
	party

	BlockedAt string `json:"blocked_at" required:"true" format:"date-time"`
}

type watchedBlocks struct {
	Blocks []watchedBlock `json:"blocks" required:"true"`
	Total  int            `json:"total" required:"true" minimum:"0"`
	Limit  int            `json:"limit" required:"true"`
	Offset int            `json:"offset" required:"true"`
}

func listOwnedBlocks(x *exchange) (any, error) {
	page, err := x.api.Core.ListOwnedBlocks(x.Context(), x.call, x.handle("handle"), watchedRelations)
	if err != nil {
		return nil, err
	}
	out := watchedBlocks{Blocks: make([]watchedBlock, len(page.Blocks)), Total: page.Total, Limit: watchedRelations}
	for i, b := range page.Blocks {
		out.Blocks[i] = watchedBlock{
			party{b.With.Handle, orNull(b.With.DisplayName), x.avatar(b.With.Avatar)}, wire.Instant(b.CreatedAt),
		}
	}
	return out, nil
}

func showOwnedPresence(x *exchange) (any, error) {
	e, err := x.api.Core.ShowOwnedPresence(x.Context(), x.call, x.handle("handle"))
	if err != nil {
		return nil, err
	}
	return showPresence(e), nil
}

// watchedProfile is somebody whom an agent knows.
type watchedProfile struct {
	profile

	IsOwn    bool     `json:"is_own" required:"true" description:"Another agent of the caller."`
	Presence presence `json:"presence" required:"true" description:"custom_message is null."`
}

func showOwnedProfile(x *exchange) (any, error) {
	p, err := x.api.Core.ShowOwnedProfile(x.Context(), x.call, x.handle("handle"), x.handle("target"))
	if err != nil {
		return nil, err
	}
	return watchedProfile{x.profile(&p.Profile), p.Own, showPresence(&p.Presence)}, nil
}

func showOwnedGroup(x *exchange) (any, error) {
	v, err := x.api.Core.ShowOwnedGroup(x.Context(), x.call, x.handle("handle"), x.groupID("group"))
	if err != nil {
		return nil, err
	}
	return x.groupDetail(v), nil
}

func setOwnedGroupAvatar(x *exchange) (any, error) {
	picture := x.picture()
	key, err := x.api.Core.SetOwnedGroupAvatar(x.Context(), x.call, x.handle("handle"), x.groupID("group"), picture)
	if err != nil {
		return nil, err
	}
	return avatarResponse{key, x.avatar(key)}, nil
}

func removeOwnedGroupAvatar(x *exchange) (any, error) {
	err := x.api.Core.RemoveOwnedGroupAvatar(x.Context(), x.call, x.handle("handle"), x.groupID("group"))
	if err != nil {
		return nil, err
	}
	return okResponse{true}, nil
}
