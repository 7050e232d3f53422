package agentchat_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

// operator is a client with the operator's token.
func (w *world) operator(t testing.TB) *dialecttest.Client {
	t.Helper()
	c := w.Visitor(t)
	c.Token = opsToken
	return c
}

// escalation stores a request for help.
func (w *world) escalation(t testing.TB, from *agent, text string, status chat.EscalationStatus) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		return tx.InsertEscalation(ctx, &chat.Escalation{
			ID: chat.EscalationID(n), Account: from.id, Category: "bug", Text: text, Status: status,
			CreatedAt: w.Clock.Now(), UpdatedAt: w.Clock.Now(),
		})
	})
}

const escalations = "/internal/support-escalations"

func TestOperatorToken(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		w.operator(t).Get(escalations).Want(200)
		c := w.Visitor(t)
		for _, token := range []string{"", "x", opsToken + "x", opsToken[1:], w.agent(t).Token} {
			c.Token = token
			code(c.Get(escalations), 401, "OPS_AUTH_REQUIRED")
			code(c.Patch(escalations+"/esc_x", object{}), 401, "OPS_AUTH_REQUIRED")
		}
	})
}

// Without a token of the operator's the routes do not exist, also for an empty one.
func TestNoOperatorToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0], func(_ *core.Config, c *agentchat.Config) { c.OpsToken = "" })
	for _, header := range []string{"Authorization: Bearer x", "Authorization: Bearer ", "Authorization: Bearer"} {
		code(w.Visitor(t).Get(escalations, header), 404, "NOT_FOUND")
		code(w.Visitor(t).Patch(escalations+"/esc_x", object{}, header), 404, "NOT_FOUND")
	}
}

func TestEscalationsAreListed(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		op, a := w.operator(t), w.agent(t)
		for i, s := range []chat.EscalationStatus{
			chat.EscalationOpen, chat.EscalationInProgress, chat.EscalationResolved, chat.EscalationDiscarded, chat.EscalationOpen,
		} {
			w.escalation(t, a, "text "+strconv.Itoa(i), s)
			w.Clock.Advance(time.Second)
		}
		for query, want := range map[string][]string{
			"":                      {"text 4", "text 1", "text 0"},
			"?status=live":          {"text 4", "text 1", "text 0"},
			"?status=open":          {"text 4", "text 0"},
			"?status=in_progress":   {"text 1"},
			"?status=resolved":      {"text 2"},
			"?status=discarded":     {"text 3"},
			"?status=all":           {"text 4", "text 3", "text 2", "text 1", "text 0"},
			"?status=all&limit=2":   {"text 4", "text 3"},
			"?status=all&limit=999": {"text 4", "text 3", "text 2", "text 1", "text 0"},
		} {
			if got := op.Get(escalations+query).Want(200).Texts("escalations", "text"); !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", query, got, want)
			}
		}
		r := op.Get(escalations).Want(200).Is("escalations.0.handle", a.handle).Is("escalations.0.category", "bug")
		r.Is("escalations.0.status", "open").Is("escalations.0.resolution_note", nil).Is("escalations.0.operator", nil)
		for _, cursor := range []string{"id", "created_at"} {
			query := "?status=all&before=" + r.Text("escalations.1."+cursor)
			if got := op.Get(escalations+query).Want(200).Texts("escalations", "text"); !slices.Equal(got, []string{"text 0"}) {
				t.Errorf("before %s: got %v, want text 0", cursor, got)
			}
		}
		for _, query := range []string{"?status=closed", "?limit=0", "?limit=x", "?before=x", "?before=esc_x"} {
			code(op.Get(escalations+query), 400, "VALIDATION_ERROR")
		}
	})
}

func TestEscalationIsMovedOn(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		op := w.operator(t)
		w.escalation(t, a, "It is broken", chat.EscalationOpen)
		at := escalations + "/" + op.Get(escalations).Want(200).Text("escalations.0.id")
		before := op.Get(escalations).Text("escalations.0.created_at")
		w.Clock.Advance(time.Minute)

		const ada = "X-Ops-Operator: ada"
		op.Patch(at, object{"status": "in_progress"}, ada).Want(200).Is("status", "in_progress").Is("operator", "ada").
			Is("resolution_note", nil).Is("created_at", before).Is("updated_at", w.Clock.Now().Format("2006-01-02T15:04:05.000Z"))
		op.Patch(at, object{"status": "resolved", "resolution_note": " fixed "}, "X-Ops-Operator: bob").Want(200).
			Is("status", "resolved").Is("resolution_note", "fixed").Is("operator", "bob").Is("text", "It is broken")
		op.Patch(at, object{"status": "open"}, ada).Want(200).Is("resolution_note", "fixed")
		op.Patch(at, object{"status": "open", "resolution_note": nil}, ada).Want(200).Is("resolution_note", nil)
		op.Get(escalations).Want(200).Is("escalations.0.operator", "ada")

		for _, body := range []any{nil, object{}, object{"status": "live"}, object{"status": 1}, object{"status": "open", "resolution_note": 1}} {
			code(op.Patch(at, body, ada), 400, "VALIDATION_ERROR")
		}
		long := object{"status": "open", "resolution_note": strings.Repeat("x", 2001)}
		code(op.Patch(at, long, ada), 400, "VALIDATION_ERROR")
		code(op.Patch(at, object{"status": "open"}), 400, "VALIDATION_ERROR")
		code(op.Patch(at, object{"status": "open"}, "X-Ops-Operator: "+strings.Repeat("x", 101)), 400, "VALIDATION_ERROR")
		for _, id := range []string{"esc_x", "x", "evt_" + strings.TrimPrefix(at, escalations+"/esc_")} {
			code(op.Patch(escalations+"/"+id, object{"status": "open"}, ada), 404, "NOT_FOUND")
		}

		// The owner of the agent that asked is not told of the operators.
		if r := p.Get(path + "/events").Want(200); strings.Contains(r.Raw, "escalation") {
			t.Errorf("events: got %s, want nothing about escalations", r.Raw)
		}
	})
}
