package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Sessions is a bounded set of connections that keep what was prepared on them.
// database/sql can keep statements too, but prepares them on whichever
// connection is free (with a pool of one that is never the one in use), and
// books every use in a transaction: measurable on a path of microseconds.
type Sessions struct {
	db      *sql.DB
	rewrite func(text string) string
	slots   chan struct{} // one token per session in use
	idle    chan *link
}

// link is a connection and the statements prepared on it.
type link struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // by the text before rewriting
}

// NewSessions returns a set of at most size connections taken from db, whose
// own limit must allow for them. Texts are rewritten by flavor.
func NewSessions(db *sql.DB, size int, flavor *Flavor) *Sessions {
	return &Sessions{
		db: db, rewrite: flavor.Rewrite,
		slots: make(chan struct{}, size), idle: make(chan *link, size),
	}
}

// Begin takes a connection and begins a transaction on it. wait bounds the time
// until one is free, run is the context of the transaction.
func (p *Sessions) Begin(wait, run context.Context, opts *sql.TxOptions) (*Session, error) {
	if err := p.enter(wait); err != nil {
		return nil, err
	}
	for {
		l, kept, err := p.take(wait)
		if err != nil {
			<-p.slots
			return nil, err
		}
		tx, err := l.conn.BeginTx(run, opts)
		if err == nil {
			return &Session{link: l, pool: p, tx: tx}, nil
		}
		_ = l.discard() // already broken: its error adds nothing
		// A kept connection may have died while idle (a server restarted): the
		// next kept one, and at last a new one, is tried.
		if !kept || run.Err() != nil {
			<-p.slots
			return nil, err
		}
	}
}

// Use runs fn on a connection without a transaction, for what cannot be done in
// one. fn must leave the connection as it was.
func (p *Sessions) Use(ctx context.Context, fn func(conn *sql.Conn) error) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	l, _, err := p.take(ctx)
	if err != nil {
		<-p.slots
		return err
	}
	err = fn(l.conn)
	p.give(l, err == nil)
	return err
}

func (p *Sessions) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err // select would take a free slot as readily
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Sessions) take(ctx context.Context) (l *link, kept bool, err error) {
	select {
	case l = <-p.idle:
		return l, true, nil
	default:
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, false, err
	}
	return &link{conn: conn, stmts: make(map[string]*sql.Stmt)}, false, nil
}

// give returns a connection for the next to use, unless it is broken.
func (p *Sessions) give(l *link, sound bool) {
	if sound {
		p.idle <- l
	} else {
		_ = l.discard() // already broken: its error adds nothing
	}
	<-p.slots
}

// Close waits for the sessions in use and gives all connections back to the
// pool. Begin must not be called any more.
func (p *Sessions) Close() error {
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	var errs []error
	for {
		select {
		case l := <-p.idle:
			errs = append(errs, l.discard())
		default:
			return errors.Join(errs...)
		}
	}
}

// Session is one transaction on a connection and the statements prepared there.
// It is for one goroutine, and good for nothing once it has ended: the connection
// may be another's by then.
type Session struct {
	*link
	pool *Sessions
	tx   *sql.Tx // nil once ended
}

// Exec runs a statement that returns no rows. The text must be a constant of the
// program: what is prepared for it is kept.
func (s *Session) Exec(ctx context.Context, text string, args ...any) error {
	_, err := s.exec(ctx, text, args)
	return err
}

// Affect runs a statement and returns how many rows it touched.
func (s *Session) Affect(ctx context.Context, text string, args ...any) (int, error) {
	res, err := s.exec(ctx, text, args)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func (s *Session) exec(ctx context.Context, text string, args []any) (sql.Result, error) {
	stmt, err := s.stmt(ctx, text) //nolint:sqlclosecheck // kept with the connection
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// Query runs a statement that returns rows. The text must be a constant of the
// program: what is prepared for it is kept.
func (s *Session) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := s.stmt(ctx, text) //nolint:sqlclosecheck // kept with the connection
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (s *Session) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := s.stmts[text]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, s.pool.rewrite(text))
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	s.stmts[text] = stmt
	return stmt, nil
}

// Commit commits the transaction and gives the connection back, also when it
// fails.
func (s *Session) Commit() error { return s.CommitAnd(func(error) {}) }

// CommitAnd is Commit, and tells done the outcome while nobody else can have the
// connection yet.
func (s *Session) CommitAnd(done func(err error)) error {
	err := s.tx.Commit()
	done(err)
	s.end(err == nil)
	return err
}

// Rollback ends the transaction, unless it has ended, and gives the connection
// back.
func (s *Session) Rollback() {
	if s.tx == nil {
		return
	}
	// A context that ended rolls back by itself; that leaves the connection in
	// an unknown state, as does an error.
	s.end(s.tx.Rollback() == nil)
}

func (s *Session) end(sound bool) {
	s.tx = nil
	s.pool.give(s.link, sound)
}

func (l *link) discard() error {
	var errs []error
	for _, stmt := range l.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, l.conn.Close())...)
}
