package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sync/errgroup"

	"parley/internal/store"
)

// Common holds the options that all measurements of /v1 share, as kong reads them.
type Common struct {
	Engine      string `enum:"sqlite,postgres" default:"sqlite" help:"Where messages are kept: sqlite or postgres."`
	PostgresURL string `placeholder:"URL" help:"PostgreSQL database whose user may create others; one is made beside it."`
	Profile     string `placeholder:"FILE" help:"Write a CPU profile of the server, and one of its allocations to FILE.allocs."`
	JSON        bool   `name:"json" help:"Print JSON, for scripts."`

	Child []string  `kong:"-"` // command line that calls ServeChild
	Log   io.Writer `kong:"-"` // progress, and what the children complain about
}

func (o *Common) common() *Common { return o }

func (o *Common) check() error {
	switch {
	case o.Engine != EngineSQLite && o.Engine != EnginePostgres:
		return fmt.Errorf("engine: %q is neither %s nor %s", o.Engine, EngineSQLite, EnginePostgres)
	case o.Engine == EnginePostgres && o.PostgresURL == "":
		return errors.New("engine: postgres needs the address of a database")
	}
	return nil
}

// Measurement is one of Live, Fanout, Idle, Storm and Inbox.
type Measurement interface {
	// Measure needs all of the machine. It fails if an option is out of range, if a
	// child dies, or if the server does not do what it should.
	Measure(ctx context.Context) (*Figures, error)
	common() *Common
}

// Print measures and prints to out; progress goes to log. The children are this
// executable, called with `bench child`.
func Print(ctx context.Context, m Measurement, out, log io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the executable for the children: %w", err)
	}
	o := m.common()
	o.Child, o.Log = []string{self, "bench", "child"}, log
	figures, err := m.Measure(ctx)
	if err != nil {
		return err
	}
	if o.JSON {
		return figures.WriteJSON(out)
	}
	return figures.WriteText(out)
}

// rig is a server in a child process on a database of its own, for one measurement.
type rig struct {
	o        *Common
	log      *sharedLog
	show     *progress
	pair     database // of which only the server's is used
	server   *child
	children []*child
}

// run prepares a rig, lets measure use it and takes everything away again. seed
// stores what the server is to find; sockets is how many are open at a time.
func (o *Common) run(
	ctx context.Context, sockets int, seed func(ctx context.Context, c *crowd) error,
	measure func(ctx context.Context, r *rig) (*Figures, error),
) (*Figures, error) {
	if err := checkFiles(sockets); err != nil {
		return nil, err
	}
	r := &rig{o: o, log: &sharedLog{out: o.Log}}
	r.show = newProgress(r.log)
	defer r.show.done()
	figures, err := r.run(ctx, seed, measure)
	if ctx.Err() != nil { // what it broke off matters to nobody
		return nil, fmt.Errorf("broken off: %w", ctx.Err())
	}
	return figures, err
}

// checkFiles tells whether this process, and a child with the same limit, may have
// so many sockets.
func checkFiles(sockets int) error {
	const others = 100
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if need := uint64(sockets) + others; limit.Cur < need {
		return fmt.Errorf("sockets: a process may have %d files open, and %d are needed: raise the limit (ulimit -n)", limit.Cur, need)
	}
	return nil
}

func (r *rig) run(
	ctx context.Context, seed func(ctx context.Context, c *crowd) error,
	measure func(ctx context.Context, r *rig) (*Figures, error),
) (_ *Figures, err error) {
	folder, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if r.pair, err = openPair(ctx, &Options{Engine: r.o.Engine, PostgresURL: r.o.PostgresURL}, folder); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.pair.close(context.WithoutCancel(ctx), true)) }()
	switch there, err := r.pair.exists(ctx); {
	case err != nil:
		return nil, err
	case there:
		return nil, fmt.Errorf("an earlier run did not finish, or keeps what it made: remove %s", r.pair.where())
	}
	if err := r.seed(ctx, seed); err != nil {
		return nil, fmt.Errorf("prepare the database: %w", err)
	}
	defer func() {
		for _, c := range r.children {
			err = errors.Join(err, c.stop())
		}
	}()
	if r.server, err = r.start(ctx, workServer); err != nil {
		return nil, err
	}
	if r.o.Profile != "" {
		if _, err := r.server.tell(order{Profile: r.o.Profile}); err != nil {
			return nil, err
		}
	}
	return measure(ctx, r)
}

func (r *rig) seed(ctx context.Context, seed func(ctx context.Context, c *crowd) error) (err error) {
	var st store.Store
	if st, err = r.pair.create(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	c, err := newCrowd(ctx, st, r.show)
	if err != nil {
		return err
	}
	return seed(ctx, c)
}

// start starts a child that ends with the run.
func (r *rig) start(ctx context.Context, work string) (*child, error) {
	c, err := startChild(ctx, r.o.Child, &brief{Work: work, Place: r.pair.place(workSend)}, r.log)
	if err != nil {
		return nil, err
	}
	r.children = append(r.children, c)
	return c, nil
}

// used is the CPU time of a child, and of a database's own processes, so far.
func (r *rig) used(ctx context.Context, c *child) (usage, error) {
	database, err := r.pair.used(ctx)
	if err != nil {
		return usage{}, err
	}
	answer, err := c.tell(order{Usage: true})
	return usage{Child: answer.CPU, Database: database}, err
}

// opening is how many sockets are opened at once where a storm is not what is
// measured.
const opening = 32

// listen opens a socket per agent named, several for one that is named again;
// acks says whether the client of the k-th acknowledges. The caller closes them.
func (r *rig) listen(ctx context.Context, agents []agent, acks func(k int) bool) ([]*socket, error) {
	sockets := make([]*socket, len(agents))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(opening)
	for k := range agents {
		if groupCtx.Err() != nil {
			break
		}
		r.show.part(k, len(agents), "opening socket %d of %d", k, len(agents))
		group.Go(func() (err error) {
			sockets[k], err = openSocket(groupCtx, r.server.address, hello{agents[k].token, acks(k), openWait})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		closeAll(sockets)
		return nil, fmt.Errorf("open sockets: %w", err)
	}
	return sockets, ctx.Err()
}

func closeAll(sockets []*socket) {
	for _, s := range sockets {
		if s != nil {
			_ = s.conn.Close()
		}
	}
}
