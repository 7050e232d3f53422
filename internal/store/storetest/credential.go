package storetest

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// credential stores a credential whose token is its name.
func (f *fixture) credential(account *chat.Account, kind chat.CredentialKind, expires time.Time) *chat.Credential {
	f.t.Helper()
	c := &chat.Credential{
		ID: chat.CredentialID(f.id()), Account: account.ID, Kind: kind, Issuer: chat.SurfaceAIClient,
		Name: f.name("credential"), Prefix: "ak_", CreatedAt: f.now(), ExpiresAt: expires,
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertCredential(ctx, c, digest(c.Name)) })
	return c
}

func digest(token string) [32]byte { return sha256.Sum256([]byte(token)) }

func (f *fixture) credentials(account *chat.Account, kind chat.CredentialKind) []*chat.Credential {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]*chat.Credential, error) {
		return r.Credentials(ctx, account.ID, kind)
	})
}

func testCredentialRoundTrip(f *fixture) {
	a := f.account()
	want := &chat.Credential{
		ID: chat.CredentialID(f.id()), Account: a.ID, Kind: chat.CredentialKey, Issuer: chat.SurfaceArgon,
		Name: "deploy", Prefix: "bot_x", CreatedAt: f.now(), ExpiresAt: epoch.Add(-time.Hour), LastUsedAt: f.now(),
	}
	f.complete(want)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertCredential(ctx, want, digest("one")) })
	lasting := f.credential(a, chat.CredentialSession, time.Time{})

	find := func(token string) func(context.Context, store.Reader) (*chat.Credential, error) {
		return func(ctx context.Context, r store.Reader) (*chat.Credential, error) {
			return r.CredentialByDigest(ctx, digest(token))
		}
	}
	f.same("expired credential", query(f, find("one")), want)
	f.same("credential without end", query(f, find(lasting.Name)), lasting)
	missing(f, "credential", find("none"))

	double := *lasting
	double.ID = chat.CredentialID(f.id())
	f.refuse(store.ErrConflict, func(ctx context.Context, tx store.Tx) error {
		return tx.InsertCredential(ctx, &double, digest("one"))
	})
}

// The list is newest first, of one account and kind, and bounded.
func testCredentialList(f *fixture) {
	a, b := f.account(), f.account()
	f.credential(b, chat.CredentialKey, time.Time{})
	session := f.credential(a, chat.CredentialSession, epoch)
	f.same("sessions", f.credentials(a, chat.CredentialSession), []*chat.Credential{session})
	f.same("none", f.credentials(b, chat.CredentialSession), []*chat.Credential(nil))

	const made, kept = 1003, 1000
	keys := make([]*chat.Credential, made)
	f.update(func(ctx context.Context, tx store.Tx) error {
		first, err := tx.NextID(ctx, made)
		if err != nil {
			return err
		}
		for i := range keys {
			keys[i] = &chat.Credential{
				ID: chat.CredentialID(first + int64(i)), Account: a.ID, Kind: chat.CredentialKey,
				Issuer: chat.SurfaceAgentChat, CreatedAt: f.now(),
			}
			if err := tx.InsertCredential(ctx, keys[i], digest(f.name("key"))); err != nil {
				return err
			}
		}
		return nil
	})
	slices.Reverse(keys)
	f.same("keys", f.credentials(a, chat.CredentialKey), keys[:kept])
}

func testCredentialDelete(f *fixture) {
	a, b := f.account(), f.account()
	drop := func(id chat.CredentialID) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) error { return tx.DeleteCredential(ctx, id) }
	}
	one := f.credential(a, chat.CredentialKey, time.Time{})
	two := f.credential(a, chat.CredentialKey, time.Time{})
	f.update(drop(one.ID))
	f.refuse(store.ErrNotFound, drop(one.ID))
	f.same("keys", f.credentials(a, chat.CredentialKey), []*chat.Credential{two})
	missing(f, "deleted key", func(ctx context.Context, r store.Reader) (*chat.Credential, error) {
		return r.CredentialByDigest(ctx, digest(one.Name))
	})

	session, stranger := f.credential(a, chat.CredentialSession, time.Time{}), f.credential(b, chat.CredentialSession, time.Time{})
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteCredentials(ctx, a.ID, session.ID) })
	f.same("keys after the others were ended", f.credentials(a, chat.CredentialKey), []*chat.Credential(nil))
	f.same("the session kept", f.credentials(a, chat.CredentialSession), []*chat.Credential{session})
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteCredentials(ctx, a.ID, 0) })
	f.same("sessions after all were ended", f.credentials(a, chat.CredentialSession), []*chat.Credential(nil))
	f.same("another account's", f.credentials(b, chat.CredentialSession), []*chat.Credential{stranger})
}

func testCredentialExpired(f *fixture) {
	a := f.account()
	for i := range 5 {
		f.credential(a, chat.CredentialSession, epoch.Add(time.Duration(i)*time.Second))
	}
	later := f.credential(a, chat.CredentialSession, epoch.Add(time.Hour))
	lasting := f.credential(a, chat.CredentialSession, time.Time{})
	for _, want := range []int{3, 2, 0} {
		f.update(func(ctx context.Context, tx store.Tx) error {
			got, err := tx.DeleteExpiredCredentials(ctx, epoch.Add(time.Minute), 3)
			if got != want {
				f.t.Errorf("removed: got %d, want %d", got, want)
			}
			return err
		})
	}
	f.same("left", f.credentials(a, chat.CredentialSession), []*chat.Credential{lasting, later})
}

func testCredentialTouch(f *fixture) {
	a := f.account()
	one, two := f.credential(a, chat.CredentialKey, time.Time{}), f.credential(a, chat.CredentialKey, time.Time{})
	used := map[chat.CredentialID]time.Time{one.ID: f.now(), absent: f.now()}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.TouchCredentials(ctx, used) })
	one.LastUsedAt = used[one.ID]
	f.same("keys", f.credentials(a, chat.CredentialKey), []*chat.Credential{two, one})
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.TouchCredentials(ctx, nil) })
}
