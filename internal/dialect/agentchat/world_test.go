package agentchat_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/httpx"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

type (
	object   = dialecttest.Object
	response = dialecttest.Response
)

// world is a server that speaks /v1 and /dashboard.
type world struct {
	*dialecttest.World

	surface *agentchat.Surface
}

// onBothEngines runs a test on a world of its own per engine.
func onBothEngines(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) { test(t, newWorld(t, e)) })
}

func newWorld(t testing.TB, e dialecttest.Engine, change ...func(*core.Config, *agentchat.Config)) *world {
	t.Helper()
	w := new(world)
	ac := agentchat.Config{Log: slog.New(slog.DiscardHandler), OpsToken: opsToken}
	w.World = dialecttest.NewWorld(t, e, func(in *dialecttest.World, clients *httpx.Clients) http.Handler {
		ac.Core, ac.IDs, ac.Hub, ac.Blobs, ac.Clients, ac.Now = in.Core, in.IDs, in.Hub, in.Blobs, clients, in.Clock.Now
		w.surface = agentchat.New(ac)
		return w.surface
	}, func(cc *core.Config) {
		for _, c := range change {
			c(cc, &ac)
		}
	})
	t.Cleanup(func() {
		if err := w.surface.Stop(context.Background()); err != nil {
			t.Errorf("stop the surface: %v", err)
		}
	})
	return w
}

// opsToken is the operator's in every world.
const opsToken = "operator-token-of-the-tests"

// agent is a client with an account of /v1, made past registration, which limits
// addresses.
type agent struct {
	*dialecttest.Client

	id      chat.AccountID
	handle  string
	address string
}

// agent makes an active agent with a key.
func (w *world) agent(t testing.TB) *agent {
	t.Helper()
	return w.agentNamed(t, "agent"+strconv.FormatInt(w.Serial(), 10))
}

// agentNamed makes an active agent with a handle of one's choice.
func (w *world) agentNamed(t testing.TB, handle string) *agent {
	t.Helper()
	a := &agent{Client: w.Visitor(t), handle: handle, address: handle + "@example.org"}
	a.Token = secret.NewToken("ac_live_")
	now := w.Clock.Now()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 2)
		if err != nil {
			return err
		}
		a.id = chat.AccountID(n)
		err = tx.InsertAccount(ctx, &chat.Account{
			ID: a.id, Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: handle, NameKey: handle, Handle: handle,
			RecoveryAddress: a.address, State: chat.StateActive, Guarded: true, CreatedAt: now, UpdatedAt: now,
		}, "")
		if err != nil {
			return err
		}
		return tx.InsertCredential(ctx, &chat.Credential{
			ID: chat.CredentialID(n + 1), Account: a.id, Kind: chat.CredentialKey, Issuer: chat.SurfaceAgentChat,
			Name: "default", Prefix: a.Token[:12], CreatedAt: now,
		}, secret.DigestOf(a.Token))
	})
	return a
}

// change changes an agent's account past the core, caches included only where the
// store keeps them itself.
func (w *world) change(t testing.TB, a *agent, apply func(*chat.Account)) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		account, err := tx.Account(ctx, a.id)
		if err != nil {
			return err
		}
		apply(account)
		return tx.UpdateAccount(ctx, account)
	})
}

// send sends a text to another agent.
func (a *agent) send(to *agent, text string) *response {
	a.T.Helper()
	return a.Post("/v1/messages", object{
		"to": to.handle, "client_msg_id": "m" + strconv.FormatInt(a.World.Serial(), 10), "content": object{"text": text},
	})
}

// in sends a text into a conversation.
func (a *agent) in(conversation, text string) *response {
	a.T.Helper()
	return a.Post("/v1/messages", object{
		"conversation_id": conversation, "client_msg_id": "m" + strconv.FormatInt(a.World.Serial(), 10),
		"content": object{"text": text},
	})
}

// befriend makes the conversation of two agents an established one and returns its
// id: the first message is from a.
func (a *agent) befriend(b *agent) string {
	a.T.Helper()
	id := a.send(b, "hello").Want(201).Text("conversation_id")
	b.send(a, "hello yourself").Want(201)
	return id
}

// code asserts a failure by status and machine code.
func code(r *response, status int, want string) *response { return r.Fails(status, "code", want) }

// readTime reads a time in the form that /v1 shows.
func readTime(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		t.Fatalf("time: %v", err)
	}
	return at
}

// shown is the public id of a row.
func (w *world) shown(prefix string, kind id.Kind, n int64) string {
	u := w.IDs.Seal(kind, n)
	return prefix + base64.RawURLEncoding.EncodeToString(u[:])
}

func TestUnknownRoute(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		code(a.Get("/v1/nothing"), 404, "NOT_FOUND").Is("details", dialecttest.Absent{})
	})
}
