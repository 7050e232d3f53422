package storetest

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

// reopen closes the fixture's store and opens the database again.
func (f *fixture) reopen() error {
	f.t.Helper()
	f.close()
	s, err := f.database.Open(f.t.Context())
	if err == nil {
		f.store = s
	}
	return err
}

// write changes the database past the store.
func (f *fixture) write(statement string) {
	f.t.Helper()
	if _, err := f.db().ExecContext(f.t.Context(), statement); err != nil {
		f.t.Fatalf("%s: %v", statement, err)
	}
}

// refused asserts that the database cannot be opened, for one of the reasons.
func (f *fixture) refused(reasons ...error) {
	f.t.Helper()
	err := f.reopen()
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return
		}
	}
	f.t.Errorf("open: got error %v, want one of %v", err, reasons)
}

// What was stored is there after the database was closed and opened, and ids go on.
func testOpenAgain(f *fixture) {
	a := f.account()
	c := f.community(a)
	m := f.say(a, c.Channel.ID, "hello")
	before := f.id()
	for range 3 {
		if err := f.reopen(); err != nil {
			f.t.Fatalf("open again: %v", err)
		}
		f.same("message", f.message(m.ID), m)
		after := f.id()
		if after <= before {
			f.t.Errorf("id after opening again: got %d, want above %d", after, before)
		}
		before = after
	}
	if next := f.say(a, c.Channel.ID, "again"); next.Seq != 2 || int64(next.ID) <= before {
		f.t.Errorf("next message: got number %d and id %d, want 2 and above %d", next.Seq, next.ID, before)
	}
}

// The key of public ids is made once, with the database.
func testIDKey(f *fixture) {
	key := func() [32]byte {
		f.t.Helper()
		k, err := f.store.IDKey(f.t.Context())
		if err != nil {
			f.t.Fatalf("id key: %v", err)
		}
		return k
	}
	want := key()
	if want == [32]byte{} {
		f.t.Error("the id key is zero")
	}
	f.same("asked again", key(), want)
	if name := f.store.Name(); name != "sqlite" && name != "postgres" {
		f.t.Errorf("name: got %q, want sqlite or postgres", name)
	}
	if err := f.reopen(); err != nil {
		f.t.Fatalf("open again: %v", err)
	}
	f.same("after opening again", key(), want)
}

func testNewerSchema(f *fixture) {
	f.write("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
	f.refused(store.ErrNewerSchema)
	f.refused(store.ErrNewerSchema) // refusing changed nothing
	f.write("DELETE FROM goose_db_version WHERE version_id = 99999")
	if err := f.reopen(); err != nil {
		f.t.Fatalf("open once the newer version is gone: %v", err)
	}
}

// A database that has later migrations than one it lacks is refused. While there
// is a single migration, a later one is newer than the program as well.
func testSchemaGap(f *fixture) {
	if f.raw("SELECT count(*) FROM goose_db_version WHERE version_id > 0") > 1 {
		f.write("DELETE FROM goose_db_version WHERE version_id = 1")
		f.refused(store.ErrSchemaGap)
		return
	}
	f.write("UPDATE goose_db_version SET version_id = 2 WHERE version_id = 1")
	f.refused(store.ErrSchemaGap, store.ErrNewerSchema)
}

// Processes that start at once on an empty database find one schema and one key.
func testOpenTogether(f *fixture) {
	if !f.database.Shared {
		f.t.Skip("the engine opens a database for one process")
	}
	const processes = 6
	stores, keys := make([]store.Store, processes), make([][32]byte, processes)
	for i, err := range race(processes, func(i int) (err error) {
		if stores[i], err = f.database.Open(f.t.Context()); err != nil {
			return err
		}
		keys[i], err = stores[i].IDKey(f.t.Context())
		return err
	}) {
		if err != nil {
			f.t.Errorf("process %d: %v", i, err)
			continue
		}
		f.same("id key", keys[i], keys[0])
		a := &chat.Account{Kind: chat.KindAgent, State: chat.StateActive, Handle: f.name("h"), CreatedAt: f.now(), UpdatedAt: f.now()}
		err := stores[i].Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
			id, err := tx.NextID(ctx, 1)
			a.ID = chat.AccountID(id)
			return errors.Join(err, tx.InsertAccount(ctx, a, ""))
		})
		if err != nil {
			f.t.Errorf("process %d: insert: %v", i, err)
		}
	}
	for _, s := range stores {
		if s != nil {
			if err := s.Close(); err != nil {
				f.t.Errorf("close: %v", err)
			}
		}
	}
}
