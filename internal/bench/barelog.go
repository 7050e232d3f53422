package bench

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	bareLogLimit = 4096 // frames of the log from which it is copied into the database
	bareLogRest  = 256  // frames that the writer may wait for
	bareRounds   = 4
	bareLook     = 10 * time.Millisecond // the log is looked at no more often
)

// bareLog keeps the bare writer's log as short as the server keeps its own: a
// goroutine copies it into the database beside the writer, and when little is
// left the writer lets it begin anew.
type bareLog struct {
	conn  *sql.Conn
	wrote chan struct{} // holds one signal; closed at the end
	done  chan error
	due   atomic.Bool // the writer is to begin the log anew
}

func startBareLog(ctx context.Context, pool *sql.DB) (*bareLog, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	l := &bareLog{conn: conn, wrote: make(chan struct{}, 1), done: make(chan error, 1)}
	go func() { l.done <- l.run(context.WithoutCancel(ctx)) }()
	return l, nil
}

// written says that a batch is committed.
func (l *bareLog) written() {
	select {
	case l.wrote <- struct{}{}:
	default:
	}
}

// giveWay begins the log anew on the writer's connection if that is due.
func (l *bareLog) giveWay(ctx context.Context, writer *sql.Conn) error {
	if !l.due.Load() {
		return nil
	}
	_, _, err := checkpoint(ctx, writer, "RESTART")
	l.due.Store(false)
	return err
}

func (l *bareLog) run(ctx context.Context) error {
	for range l.wrote {
		if l.due.Load() {
			continue
		}
		time.Sleep(bareLook)
		frames, _, err := checkpoint(ctx, l.conn, "NOOP")
		if err != nil {
			return err
		}
		if frames < bareLogLimit {
			continue
		}
		for range bareRounds {
			frames, copied, err := checkpoint(ctx, l.conn, "PASSIVE")
			if err != nil {
				return err
			}
			if frames-copied < bareLogRest {
				break
			}
		}
		l.due.Store(true)
	}
	return nil
}

// stop waits for the goroutine. Nothing is written any more.
func (l *bareLog) stop() error {
	close(l.wrote)
	if err := <-l.done; err != nil {
		return err
	}
	return l.conn.Close()
}

// checkpoint runs one checkpoint and says how long the log is and how much of it
// the database has.
func checkpoint(ctx context.Context, conn *sql.Conn, mode string) (frames, copied int, err error) {
	var busy bool
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(`+mode+`)`).Scan(&busy, &frames, &copied)
	if err != nil {
		return 0, 0, fmt.Errorf("checkpoint: %w", err)
	}
	return frames, copied, nil
}
