package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"parley/internal/config"
	"parley/internal/store"
	"parley/internal/store/postgres"
)

// serverPair is the pair on a PostgreSQL server: two databases of their own names.
type serverPair struct {
	folder string // for a data folder each, in which nothing is kept but a lock
	url    *url.URL
	admin  *pgx.Conn // on the database that was named, to make the two
	local  int       // process id of the server, 0 when it is not on this machine
}

func openServerPair(ctx context.Context, folder, address string) (database, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the address of the database is no URL") // it may hold a password
	}
	p := &serverPair{folder: folder, url: u}
	if p.admin, err = pgx.Connect(ctx, address); err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	var backend int
	if err := p.admin.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		return nil, errors.Join(err, p.admin.Close(ctx))
	}
	if s, ok := readProcess(backend); ok && strings.HasPrefix(s.name, "postgres") {
		p.local = s.parent
	}
	return p, nil
}

// name is that of the database of a work: the one that was named, with an ending.
func (p *serverPair) name(work string) string {
	ending := "_bench_send"
	if work == workFloorBare {
		ending = "_bench_bare"
	}
	return strings.Trim(p.url.Path, "/") + ending
}

// quoted is name as SQL has it.
func (p *serverPair) quoted(work string) string { return pgx.Identifier{p.name(work)}.Sanitize() }

func (p *serverPair) place(work string) config.Place {
	u := *p.url
	u.Path = "/" + p.name(work)
	return config.Place{Data: filepath.Join(p.folder, work), Database: config.Database(u.String())}
}

func (p *serverPair) exists(ctx context.Context) (there bool, err error) {
	err = p.admin.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1 OR datname = $2)`,
		p.name(workSend), p.name(workFloorBare)).Scan(&there)
	return there, err
}

func (p *serverPair) where() string {
	return "the databases " + p.name(workSend) + " and " + p.name(workFloorBare)
}

func (p *serverPair) create(ctx context.Context) (store.Store, error) {
	if _, err := p.admin.Exec(ctx, `CREATE DATABASE `+p.quoted(workSend)+` TEMPLATE template0 ENCODING 'UTF8'`); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, postgres.Options{
		DSN: string(p.place(workSend).Database), Logger: slog.New(slog.DiscardHandler),
	})
}

func (p *serverPair) make(ctx context.Context, f *fixture, tell func(done int)) error {
	s, err := p.create(ctx)
	if err != nil {
		return err
	}
	if err := seedAndClose(ctx, s, f); err != nil {
		return err
	}
	if err := p.fill(ctx, f, tell); err != nil {
		return err
	}
	_, err = p.admin.Exec(ctx, `CREATE DATABASE `+p.quoted(workFloorBare)+` TEMPLATE `+p.quoted(workSend))
	return err
}

func (p *serverPair) fill(ctx context.Context, f *fixture, tell func(done int)) error {
	dsn, err := pgx.ParseConfig(string(p.place(workSend).Database))
	if err != nil {
		return err
	}
	dsn.RuntimeParams["synchronous_commit"] = "off"
	db := stdlib.OpenDB(*dsn)
	err = fill(ctx, db, f, `SELECT setval('ids', $1)`, tell)
	if err == nil { // autovacuum would come round to it in the middle of a slice
		_, err = db.ExecContext(ctx, `VACUUM ANALYZE`)
	}
	return errors.Join(err, db.Close())
}

// settle asks for a checkpoint, which a user without that right does not get: the
// slices are noisier then.
func (p *serverPair) settle(ctx context.Context) error {
	var allowed bool
	err := p.admin.QueryRow(ctx, `SELECT pg_has_role(current_user, 'pg_checkpoint', 'MEMBER')`).Scan(&allowed)
	if err != nil || !allowed {
		return err
	}
	_, err = p.admin.Exec(ctx, `CHECKPOINT`)
	return err
}

// used adds up the processes of the server, and those that have ended.
func (p *serverPair) used(context.Context) (time.Duration, error) {
	if p.local == 0 {
		return 0, nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		s, ok := readProcess(pid)
		switch {
		case !ok: // it has just ended
		case pid == p.local:
			ticks += s.own + s.ended
		case s.parent == p.local:
			ticks += s.own
		}
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs on Linux
	return time.Duration(ticks) * tick, nil
}

// process is what the kernel says of a process: CPU time in ticks of its own and
// of its children that have ended.
type process struct {
	name       string
	parent     int
	own, ended int64
}

// readProcess reads /proc/<pid>/stat; ok is false without such a process.
func readProcess(pid int) (p process, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, false
	}
	head, tail, found := strings.Cut(string(text), ") ") // a name may hold blanks
	fields := strings.Fields(tail)
	if !found || len(fields) < 15 {
		return p, false
	}
	_, p.name, _ = strings.Cut(head, "(")
	numbers := make([]int64, 15)
	for i, field := range fields[:15] {
		numbers[i], _ = strconv.ParseInt(field, 10, 64) // field 0 is a letter
	}
	p.parent = int(numbers[1])
	p.own, p.ended = numbers[11]+numbers[12], numbers[13]+numbers[14]
	return p, true
}

func (p *serverPair) close(ctx context.Context, remove bool) error {
	var errs []error
	if remove {
		for _, work := range []string{workSend, workFloorBare} {
			_, err := p.admin.Exec(ctx, `DROP DATABASE IF EXISTS `+p.quoted(work))
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, p.admin.Close(ctx))...)
}
