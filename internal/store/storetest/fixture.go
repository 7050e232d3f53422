package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/internal/chat"
	"parley/internal/store"
)

// fixture is one database under test and the store opened on it.
type fixture struct {
	t        *testing.T
	database Database
	store    store.Store
	past     *sql.DB      // past the store; see db
	clock    atomic.Int64 // milliseconds since epoch
	serial   atomic.Int64 // makes names distinct
}

// epoch is when the clocks of fixtures start.
var epoch = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// start opens the store of the fixture.
func (f *fixture) start() {
	f.t.Helper()
	s, err := f.database.Open(f.t.Context())
	if err != nil {
		f.t.Fatalf("open the store: %v", err)
	}
	f.store = s
	f.t.Cleanup(f.close)
}

// close closes the store of the fixture, if it is open.
func (f *fixture) close() {
	f.t.Helper()
	if f.store == nil {
		return
	}
	if err := f.store.Close(); err != nil {
		f.t.Errorf("close the store: %v", err)
	}
	f.store = nil
}

// second is a store of another process, or the same one if the engine allows a
// single process only.
func (f *fixture) second() store.Store {
	f.t.Helper()
	if !f.database.Shared {
		return f.store
	}
	s, err := f.database.Open(f.t.Context())
	if err != nil {
		f.t.Fatalf("open a second store: %v", err)
	}
	f.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.t.Errorf("close the second store: %v", err)
		}
	})
	return s
}

// now moves the clock by a millisecond and returns it.
func (f *fixture) now() time.Time {
	return epoch.Add(time.Duration(f.clock.Add(1)) * time.Millisecond)
}

// name returns a text no other call returned.
func (f *fixture) name(prefix string) string {
	return fmt.Sprintf("%s%d", prefix, f.serial.Add(1))
}

// update runs fn in a transaction that must commit.
func (f *fixture) update(fn func(ctx context.Context, tx store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.t.Context(), fn); err != nil {
		f.t.Fatalf("update: %v", err)
	}
}

// refuse runs fn in a transaction that must fail with want.
func (f *fixture) refuse(want error, fn func(ctx context.Context, tx store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.t.Context(), fn); !errors.Is(err, want) {
		f.t.Errorf("update: got error %v, want %v", err, want)
	}
}

// query reads one thing on a snapshot of its own.
func query[T any](f *fixture, fn func(ctx context.Context, r store.Reader) (T, error)) T {
	f.t.Helper()
	got, err := ask(f, fn)
	if err != nil {
		f.t.Fatalf("view: %v", err)
	}
	return got
}

// missing asserts that a read finds nothing.
func missing[T any](f *fixture, what string, fn func(ctx context.Context, r store.Reader) (T, error)) {
	f.t.Helper()
	if got, err := ask(f, fn); !errors.Is(err, store.ErrNotFound) {
		f.t.Errorf("%s: got %+v, error %v, want %v", what, got, err, store.ErrNotFound)
	}
}

func ask[T any](f *fixture, fn func(ctx context.Context, r store.Reader) (T, error)) (got T, err error) {
	err = f.store.View(f.t.Context(), func(ctx context.Context, r store.Reader) error {
		var err error
		got, err = fn(ctx, r)
		return err
	})
	return got, err
}

// id draws one id in a transaction of its own.
func (f *fixture) id() (id int64) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) (err error) {
		id, err = tx.NextID(ctx, 1)
		return err
	})
	return id
}

// absent is an id that nothing has.
const absent = 1 << 40

// exactly compares times to the instant and the location, so that a store which
// returns local time fails, and takes empty for nil.
var exactly = cmp.Options{
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() }),
	cmpopts.EquateEmpty(),
	cmp.AllowUnexported(outcome{}),
}

// same reports where got and want differ.
func (f *fixture) same(what string, got, want any) {
	f.t.Helper()
	if diff := cmp.Diff(want, got, exactly); diff != "" {
		f.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// complete asserts that no field of a struct is zero, so that a round trip says
// something about each of them, also about fields that are added later.
func (f *fixture) complete(value any, except ...string) {
	f.t.Helper()
	v := reflect.Indirect(reflect.ValueOf(value))
	skip := make(map[string]bool, len(except))
	for _, name := range except {
		skip[name] = true
	}
	for i := range v.NumField() {
		if field := v.Type().Field(i); !skip[field.Name] && v.Field(i).IsZero() {
			f.t.Errorf("%s.%s is zero in this test: give it a value to see it stored", v.Type(), field.Name)
		}
	}
}

// db is the database past the store.
func (f *fixture) db() *sql.DB {
	f.t.Helper()
	if f.past == nil {
		f.past = f.database.Raw(f.t)
	}
	return f.past
}

// raw counts rows past the store.
func (f *fixture) raw(statement string, args ...any) (n int) {
	f.t.Helper()
	if err := f.db().QueryRowContext(f.t.Context(), statement, args...).Scan(&n); err != nil {
		f.t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// account stores an agent with a name of its own.
func (f *fixture) account(change ...func(*chat.Account)) *chat.Account {
	f.t.Helper()
	name, at := f.name("agent"), f.now()
	a := &chat.Account{
		Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat,
		Username: name, NameKey: name, Handle: name, DisplayName: "Agent " + name,
		State: chat.StateActive, CreatedAt: at, UpdatedAt: at,
	}
	for _, c := range change {
		c(a)
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		id, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		a.ID = chat.AccountID(id)
		return tx.InsertAccount(ctx, a, "")
	})
	return a
}

// signature is one with a value in each field.
func signature() *chat.Signature {
	return &chat.Signature{
		Value: []byte{0x30, 0x45, 0, 0xff}, Scheme: chat.SignatureContent,
		PublicKey: "-----BEGIN PUBLIC KEY-----\n+/==\n-----END PUBLIC KEY-----",
	}
}

// accounts stores n agents.
func (f *fixture) accounts(n int) []*chat.Account {
	f.t.Helper()
	list := make([]*chat.Account, n)
	for i := range list {
		list[i] = f.account()
	}
	return list
}
