package script_test

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/store/sqlite"
)

// near asks for the ids on both sides of one that is known.
func near(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 6, "near N STATUS TOKEN METHOD PATH-WITH-ID ID")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	want, known := number(ts, args[1]), args[5]
	last, err := strconv.ParseUint(known[24:], 16, 48)
	ts.Check(err)
	for distance := -n / 2; distance <= n/2; distance++ {
		if distance == 0 {
			continue
		}
		guess := known[:24] + hex12(last+uint64(distance))
		path := strings.ReplaceAll(args[4], "ID", guess)
		if got := send(ts, w, nil, []string{args[2], args[3], path}); got.status != want {
			ts.Fatalf("%s %s, %d from %s: got status %d, want %d: %s", args[3], path, distance, known, got.status, want, got.body)
		}
	}
}

// hex12 writes the last 12 digits of an id.
func hex12(n uint64) string {
	text := "00000000000" + strconv.FormatUint(n&(1<<48-1), 16)
	return text[len(text)-12:]
}

// expired puts a session that has just expired into the database of a server that
// does not run: nobody can wait a day for it.
func expired(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 3, "expired VARIABLE SERVER ACCOUNT")
	s, err := sqlite.Open(w.ctx, sqlite.Options{Path: filepath.Join(ts.MkAbs(args[1]), "parley.db")})
	ts.Check(err)
	token := secret.NewToken("sess_")
	err = s.Update(w.ctx, func(ctx context.Context, tx store.Tx) error {
		a, err := tx.AccountByNameKey(ctx, args[2])
		if err != nil {
			return err
		}
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		return tx.InsertCredential(ctx, &chat.Credential{
			ID: chat.CredentialID(n), Account: a.ID, Kind: chat.CredentialSession, Issuer: chat.SurfaceOpenCord,
			Prefix: token[:12], CreatedAt: time.Now().Add(-24 * time.Hour), ExpiresAt: time.Now().Add(-time.Second),
		}, secret.DigestOf(token))
	})
	ts.Check(err)
	ts.Check(s.Close())
	ts.Setenv(args[0], token)
}
