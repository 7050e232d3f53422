package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"parley/internal/store/sqlstore"
)

// Sizes of the log, in frames of one 4 KB page.
const (
	logLimit = 16 << 20 / 4096 // from here on it is copied into the database
	logRest  = 1 << 20 / 4096  // little enough for the writer to wait for
)

const (
	passiveRounds = 4
	lookEvery     = 10 * time.Millisecond // at most; 2 MB of log at 20,000 messages a second
	restartWait   = 100                   // ms that the writer waits for readers of the log
	busyTimeout   = 5000                  // ms that it waits otherwise, as in commonParams
	busyPause     = time.Second           // after readers would not leave the log
)

// checkpointer keeps the log short. One goroutine owns its connection; the rest
// of the package tells it that something was written.
type checkpointer struct {
	conn    *sql.Conn
	writers *sqlstore.Sessions
	log     *slog.Logger

	wrote chan struct{} // holds one signal
	quit  chan struct{}
	done  chan struct{}
}

// startCheckpointer starts the goroutine; stop ends it.
func startCheckpointer(
	ctx context.Context, db *sql.DB, writers *sqlstore.Sessions, log *slog.Logger,
) (*checkpointer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect the checkpointer: %w", classify(err))
	}
	c := &checkpointer{
		conn: conn, writers: writers, log: log,
		wrote: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go c.run(context.WithoutCancel(ctx))
	return c, nil
}

// written says that a transaction has ended; it never waits.
func (c *checkpointer) written() {
	select {
	case c.wrote <- struct{}{}:
	default:
	}
}

// stop returns when the goroutine has ended and its connection is back.
func (c *checkpointer) stop() {
	close(c.quit)
	<-c.done
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.done)
	defer func() { _ = c.conn.Close() }() // back to its pool, which is closed next
	for {
		select {
		case <-c.quit:
			return
		case <-c.wrote:
		}
		pause := lookEvery
		clean, err := c.look(ctx)
		if err != nil {
			c.log.Error("checkpoint failed", "error", err)
		}
		if err != nil || !clean {
			pause = busyPause
		}
		select {
		case <-c.quit:
			return
		case <-time.After(pause):
		}
	}
}

// look checkpoints if the log has grown over its limit. It is false if readers
// kept the log from beginning anew.
func (c *checkpointer) look(ctx context.Context) (clean bool, err error) {
	state, err := readLog(ctx, c.conn, `PRAGMA wal_checkpoint(NOOP)`)
	if err != nil || state.frames < logLimit || state.frames == state.copied {
		return true, err // copied to the end, the log begins anew with the next write
	}
	for range passiveRounds {
		state, err = readLog(ctx, c.conn, `PRAGMA wal_checkpoint(PASSIVE)`)
		if err != nil {
			return false, err
		}
		if state.frames-state.copied < logRest {
			break
		}
	}
	err = c.writers.Use(ctx, func(conn *sql.Conn) error {
		state, err = restart(ctx, conn)
		return err
	})
	return !state.busy, err
}

// restart lets the log begin anew. It waits for readers, and all writing waits
// for it, so it does not wait long.
func restart(ctx context.Context, conn *sql.Conn) (state logState, err error) {
	if err := setBusyTimeout(ctx, conn, restartWait); err != nil {
		return state, err
	}
	state, err = readLog(ctx, conn, `PRAGMA wal_checkpoint(RESTART)`)
	return state, errors.Join(err, setBusyTimeout(ctx, conn, busyTimeout))
}

func setBusyTimeout(ctx context.Context, conn *sql.Conn, ms int) error {
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA busy_timeout = %d`, ms)); err != nil {
		return fmt.Errorf("set busy timeout: %w", classify(err))
	}
	return nil
}

// logState is what a checkpoint says of the log.
type logState struct {
	busy           bool // it could not do all it was asked
	frames, copied int
}

func readLog(ctx context.Context, conn *sql.Conn, pragma string) (s logState, err error) {
	if err := conn.QueryRowContext(ctx, pragma).Scan(&s.busy, &s.frames, &s.copied); err != nil {
		return s, fmt.Errorf("checkpoint: %w", classify(err))
	}
	return s, nil
}
