package bench

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

const (
	crowdStep   = 1000 // rows that one transaction of the preparation stores
	agentPrefix = "ac_live_"
)

// agent is an account of /v1 with a key.
type agent struct {
	id     chat.AccountID
	handle string
	token  string
}

// thread is a direct conversation with messages from one side to the other. It is
// established: the other side need not answer before more are sent (AC 21.1).
type thread struct{ from, to chat.AccountID }

// crowd stores the agents of a measurement and what they have written. It goes
// round the core, which would mail a code to each.
type crowd struct {
	st   store.Store
	ids  *id.Codec
	show *progress
	now  time.Time
}

func newCrowd(ctx context.Context, st store.Store, show *progress) (*crowd, error) {
	key, err := st.IDKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the key of ids: %w", err)
	}
	c := &crowd{st: st, show: show, now: time.Now().UTC().Truncate(time.Millisecond)}
	c.ids, err = id.NewCodec(key)
	return c, err
}

// inSteps runs store for every number below n, a transaction for every crowdStep
// of them. ids is how many ids each takes; next is the first of its own.
func (c *crowd) inSteps(ctx context.Context, what string, n, ids int, keep func(tx store.Tx, i int, next int64) error) error {
	for from := 0; from < n; from += crowdStep {
		to := min(from+crowdStep, n)
		err := c.st.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			next, err := tx.NextID(ctx, ids*(to-from))
			for i := from; i < to && err == nil; i++ {
				err = keep(tx, i, next)
				next += int64(ids)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("store %s: %w", what, err)
		}
		c.show.part(to, n, "preparing %d of %d %s", to, n, what)
	}
	return ctx.Err()
}

// agents stores n agents, guarded as those who register are.
func (c *crowd) agents(ctx context.Context, n int) ([]agent, error) {
	all := make([]agent, n)
	return all, c.inSteps(ctx, "agents", n, 2, func(tx store.Tx, i int, next int64) error {
		a := agent{id: chat.AccountID(next), handle: "bench" + strconv.FormatInt(next, 10), token: secret.NewToken(agentPrefix)}
		all[i] = a
		err := tx.InsertAccount(ctx, &chat.Account{
			ID: a.id, Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat,
			Username: a.handle, NameKey: a.handle, Handle: a.handle, DisplayName: a.handle,
			State: chat.StateActive, Guarded: true, CreatedAt: c.now, UpdatedAt: c.now,
		}, "")
		if err != nil {
			return err
		}
		return tx.InsertCredential(ctx, &chat.Credential{
			ID: chat.CredentialID(next + 1), Account: a.id, Kind: chat.CredentialKey, Issuer: chat.SurfaceAgentChat,
			Name: "default", Prefix: a.token[:12], CreatedAt: c.now,
		}, secret.DigestOf(a.token))
	})
}

// threads stores conversations with so many messages each, in turn, as they would
// come from writers who do not wait for each other. waiting leaves them undelivered.
func (c *crowd) threads(ctx context.Context, list []thread, messages int, waiting bool) error {
	start := c.now.Add(-time.Duration(len(list)*messages) * time.Millisecond)
	written := func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) }
	conversations := make([]chat.ConversationID, len(list))
	err := c.inSteps(ctx, "conversations", len(list), 1, func(tx store.Tx, i int, next int64) error {
		t := list[i]
		conversations[i] = chat.ConversationID(next)
		low, high := chat.Pair(t.from, t.to)
		return tx.Write(ctx, &store.Writes{At: c.now, Directs: []*chat.Conversation{{
			ID: conversations[i], Kind: chat.ConversationDirect, Low: low, High: high, CreatedAt: start,
			LastSeq: int64(messages), LastAt: written((messages-1)*len(list) + i),
			Initiator: t.from, OpenedAt: written(i), Established: true,
		}}})
	})
	if err != nil {
		return err
	}
	text := messageText()
	return c.inSteps(ctx, "messages", len(list)*messages, 1, func(tx store.Tx, n int, next int64) error {
		t, seq := n%len(list), int64(n/len(list)+1)
		m := &chat.Message{
			ID: chat.MessageID(next), Conversation: conversations[t], Seq: seq, Author: list[t].from,
			ClientID: "bench-" + strconv.FormatInt(next, 10), Kind: chat.MessageText, Text: text, CreatedAt: written(n),
		}
		e := chat.Envelope{Message: m.ID, Recipient: list[t].to, Conversation: m.Conversation, Seq: seq}
		if !waiting {
			e.State, e.DeliveredAt = chat.EnvelopeDelivered, m.CreatedAt
		}
		return tx.Write(ctx, &store.Writes{At: c.now, Messages: []*chat.Message{m}, Envelopes: []chat.Envelope{e}})
	})
}

// group stores a group and returns its public id. The first member is its admin.
func (c *crowd) group(ctx context.Context, members []agent) (string, error) {
	var group chat.ConversationID
	err := c.st.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		group = chat.ConversationID(n)
		list := make([]chat.Member, len(members))
		for i, m := range members {
			list[i] = chat.Member{Conversation: group, Account: m.id, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: c.now}
		}
		list[0].Role = chat.RoleAdmin
		return tx.InsertGroup(ctx, &chat.Group{
			Conversation: chat.Conversation{ID: group, Kind: chat.ConversationGroup, CreatedAt: c.now},
			MadeBy:       chat.SurfaceAgentChat, Name: "bench", CreatedBy: members[0].id, ByInvitation: true,
		}, list)
	})
	if err != nil {
		return "", fmt.Errorf("store the group: %w", err)
	}
	u := c.ids.Seal(id.KindConversation, int64(group))
	return "grp_" + base64.RawURLEncoding.EncodeToString(u[:]), nil
}
