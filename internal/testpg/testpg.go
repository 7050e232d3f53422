// Package testpg gives tests real PostgreSQL databases and leaves nothing
// behind. Only tests and the withpg command import it.
//
// # Design
//
// One throw-away cluster serves many tests. When the environment variable
// PARLEY_TEST_POSTGRES names a server (`make test` starts one with withpg),
// every test process uses that one; otherwise the first call of New in a
// process starts a cluster for that process. Each test has a database of its
// own, so tests run in parallel and see nothing of each other.
//
// The owner of a cluster is the process that called Start, and the cluster
// never outlives it: a small shell, the keeper, starts the server, then reads a
// pipe whose writing end only the owner holds. The kernel closes that end
// whatever way the owner goes, kill -9 included; the keeper then stops the
// server and removes its folder. So a test package needs no TestMain for it.
//
// PostgreSQL refuses to run as root. Where the owner is root, keeper and server
// run as the system user postgres.
package testpg

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Env is the environment variable that names a running server to use instead of
// starting one. Its value is the postgres:// address of a database to which the
// user may connect, with the right to create and drop databases.
const Env = "PARLEY_TEST_POSTGRES"

// adminTimeout bounds creating or dropping one database. Both take about 30 ms
// on an idle machine; the bound is for a machine that runs everything at once.
const adminTimeout = time.Minute

// shared starts the cluster of this process once, when no server is given.
var shared = sync.OnceValues(Start)

// New creates an empty database and returns its address, postgres://... . The
// database is dropped when the test ends, after the cleanups that the test
// registers later, connections that are still open included. Without PostgreSQL
// on the machine the test fails: it is never skipped.
func New(t testing.TB) string {
	t.Helper()
	admin := os.Getenv(Env)
	if admin == "" {
		cluster, err := shared()
		if err != nil {
			t.Fatalf("start PostgreSQL for tests: %v", err)
		}
		admin = cluster.DSN()
	}
	address, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("read %s: %v", Env, err)
	}

	name := "test_" + strings.ToLower(rand.Text())
	if err := execute(t.Context(), admin, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		// The context of the test has ended by now; its values are still of use.
		ctx := context.WithoutCancel(t.Context())
		if err := execute(ctx, admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database of the test: %v", err)
		}
	})
	address.Path = "/" + name
	return address.String()
}

// execute runs one statement on a connection of its own.
func execute(ctx context.Context, dsn, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		_ = conn.Close(ctx) // what the statement answered says more
		return err
	}
	if err := conn.Close(ctx); err != nil {
		return fmt.Errorf("close the connection: %w", err)
	}
	return nil
}
