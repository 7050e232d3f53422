package core_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/core"
)

// An error is remembered with every fact but its cause, which is for the log, and
// but for what tells the client to come back.
func TestErrorsAreRememberedWhole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	want := &chat.Error{
		Code: chat.CodeGroupDeleted, Field: "field", Want: "a string", Min: 1, Max: 2, Rule: "rule",
		Quota: &chat.Quota{Limit: 1, Remaining: 2, Reset: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)},
		Since: time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC), Count: 3, Handle: "ana", Conversation: 1 << 60, Operator: true,
	}
	v := reflect.ValueOf(want).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Cause" && name != "RetryAfter" {
			t.Errorf("%s is zero in this test: give it a value to see it remembered", name)
		}
	}
	met := *want
	met.Cause = errors.New("for the log")
	c := f.join("ana")
	if err := f.Begin(t.Context(), &c, "key-00001", [32]byte{1}); err != nil {
		t.Fatalf("begin: %v", err)
	}
	f.End(t.Context(), &c, &met)
	c.Once = nil
	err := f.Begin(t.Context(), &c, "key-00001", [32]byte{1})
	var got *chat.Error
	if !errors.As(err, &got) {
		t.Fatalf("replay: got %v, want the error", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replay (-want +got):\n%s", diff)
	}
	if !c.Once.Replayed() {
		t.Error("the replay is not marked")
	}
}

// What must run again is not remembered.
func TestTroubleIsForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.join("ana")
	for _, met := range []error{
		errors.New("anything"), chat.Fail(chat.CodeInternal), chat.Fail(chat.CodeUnavailable),
		chat.Fail(chat.CodeRefreshDown), chat.Fail(chat.CodeStorageUnreached), chat.Fail(chat.CodeCodeUndelivered),
		&chat.Error{Code: chat.CodeRateLimited, RetryAfter: time.Second},
	} {
		for i := range 2 {
			call := core.Call{Actor: c.Actor}
			if err := f.Begin(t.Context(), &call, "key-00001", [32]byte{1}); err != nil {
				t.Errorf("%v, begin %d: got %v, want it to run", met, i+1, err)
			}
			f.End(t.Context(), &call, met)
		}
	}
}
