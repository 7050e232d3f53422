package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/store"
)

const (
	// beat is how often a lease asks whether its connection still lives: a machine
	// or network that is gone does not say so.
	beat = 5 * time.Second
	// beatTimeout is how long it waits for the answer.
	beatTimeout = 10 * time.Second
)

// Lease is the right of one process to serve the database. Its goroutine lives
// from Exclusive to Release or to the loss of the connection.
type Lease struct {
	conn *pgx.Conn
	stop context.CancelFunc
	lost chan struct{}
	done chan struct{}
	once sync.Once
	err  error // why it was lost; set before lost is closed
}

// Exclusive takes the right to serve the database alone. It fails at once with
// store.ErrInUse if another process has it. The right belongs to a connection of
// its own and ends with it: the holder watches Lost.
func (s *Store) Exclusive(ctx context.Context) (*Lease, error) {
	conn, err := pgx.ConnectConfig(ctx, configure(s.config, unbounded()))
	if err != nil {
		return nil, fmt.Errorf("connect for the exclusive lock: %w", err)
	}
	var taken bool
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, keyExclusive).Scan(&taken)
	switch {
	case err != nil:
		err = fmt.Errorf("take the exclusive lock: %w", err)
	case !taken:
		err = fmt.Errorf("take the exclusive lock: %w", store.ErrInUse)
	}
	if err != nil {
		_ = conn.Close(ctx) // err says more
		return nil, err
	}
	watch, stop := context.WithCancel(context.Background())
	l := &Lease{conn: conn, stop: stop, lost: make(chan struct{}), done: make(chan struct{})}
	go l.watch(watch)
	return l, nil
}

// Lost is closed when the right is gone though it was not released: another
// process may have it by now. The holder stops serving.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Err says why the right was lost. It may be called once Lost is closed.
func (l *Lease) Err() error { return l.err }

// Release gives the right back and returns when another process can take it. It
// may be called more than once, also after a loss.
func (l *Lease) Release() {
	l.once.Do(func() {
		l.stop()
		<-l.done
		ctx, cancel := context.WithTimeout(context.Background(), beatTimeout)
		defer cancel()
		// The server may notice a closed connection late, so it is told first; if
		// that fails, closing does it.
		_, _ = l.conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, keyExclusive)
		_ = l.conn.Close(ctx)
	})
}

// watch reads from the connection, where nothing ever arrives: reading ends when
// the server ends it, and in between the server is asked for a sign of life.
func (l *Lease) watch(ctx context.Context) {
	defer close(l.done)
	for {
		err := l.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = l.ping(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			l.err = fmt.Errorf("exclusive lock: %w", err)
			close(l.lost)
			return
		}
	}
}

// listen waits for a beat and returns an error if the connection ended meanwhile.
func (l *Lease) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beat)
	defer cancel()
	_, err := l.conn.WaitForNotification(ctx)
	if ctx.Err() != nil && !l.conn.IsClosed() {
		return nil // only the wait ended
	}
	return err
}

func (l *Lease) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	return l.conn.Ping(ctx)
}
