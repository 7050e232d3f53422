package core

import (
	"context"
	"encoding/json"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// auditDetailMax bounds the values in an audit entry, in bytes.
const auditDetailMax = 256

// AuditEvent is an audit entry as the owner of its target may see it.
type AuditEvent struct {
	ID    chat.AuditID
	By    chat.AccountKind // who did it: a person, an agent, or the system
	Act   string
	Facts map[string]string // some of mode, reason, ip, user_agent
	At    time.Time
}

// record notes an act of the caller in the transaction that does it.
func (c *change) record(ctx context.Context, call Call, act string, target chat.AccountID, detail string) error {
	remote := ""
	if call.Remote.IsValid() {
		remote = call.Remote.String()
	}
	return c.Audit(ctx, store.AuditEntry{
		At: c.at, Actor: call.Actor.Account, Act: act, Target: target, Surface: call.Surface, Remote: remote, Detail: detail,
	})
}

// auditDetail is a small JSON object of names and values, which alternate. A value
// that a client chose is cut short.
func auditDetail(pairs ...string) string {
	facts := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		facts[pairs[i]] = cut(pairs[i+1], auditDetailMax)
	}
	encoded, err := json.Marshal(facts)
	if err != nil {
		return "" // strings always encode
	}
	return string(encoded)
}

// cut leaves of a text what fits into a number of bytes, without halves of
// characters and without what a database would refuse.
func cut(text string, most int) string {
	out := make([]byte, 0, min(len(text), most))
	for _, r := range text {
		if r == 0 {
			continue
		}
		if len(out)+len(string(r)) > most {
			break
		}
		out = append(out, string(r)...)
	}
	return string(out)
}

// ListOwnedEvents lists what was done to an agent of the caller before a time
// (zero: until now), the newest first (AC 22.3). A page is cut before a group of
// equal times that does not fit, so that the next one, asked for by time, misses
// nothing; a group that fills the page makes it longer, up to twice the limit.
func (s *Service) ListOwnedEvents(
	ctx context.Context, c Call, handle string, before time.Time, limit int,
) ([]AuditEvent, error) {
	var events []AuditEvent
	err := s.watch(ctx, "list audit entries", c, handle, func(ctx context.Context, r store.Reader, a *chat.Account) error {
		list, err := r.AuditList(ctx, a.ID, before, 2*limit)
		if err != nil {
			return err
		}
		list = list[:pageEnd(list, limit)]
		actors := make([]chat.AccountID, len(list))
		for i := range list {
			actors[i] = list[i].Actor
		}
		accounts, err := r.Accounts(ctx, actors)
		if err != nil {
			return err
		}
		events = make([]AuditEvent, len(list))
		for i, e := range list {
			by := chat.KindSystem
			if actor := accounts[e.Actor]; actor != nil {
				by = actor.Kind
			}
			events[i] = AuditEvent{ID: e.ID, By: by, Act: e.Act, Facts: ownerFacts(e.Detail), At: e.At}
		}
		return nil
	})
	return events, err
}

// pageEnd is how many of a list that falls in time make a page: size, or fewer so
// as not to divide entries of one time; more only if the whole page is of one time.
func pageEnd(list []store.AuditRecord, size int) int {
	if len(list) <= size {
		return len(list)
	}
	n := size
	for n > 0 && list[n-1].At.Equal(list[size].At) {
		n--
	}
	if n > 0 {
		return n
	}
	for n < len(list) && list[n].At.Equal(list[0].At) {
		n++
	}
	return n
}

// ownerFacts are the members of an audit entry's detail that an owner may see.
func ownerFacts(detail string) map[string]string {
	facts := make(map[string]string)
	var all map[string]any
	if json.Unmarshal([]byte(detail), &all) != nil {
		return facts // empty, or words of the operator
	}
	for _, name := range []string{"mode", "reason", "ip", "user_agent"} {
		if value, ok := all[name].(string); ok {
			facts[name] = value
		}
	}
	return facts
}
