package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// The engines and the mixes of work.
const (
	EngineSQLite   = "sqlite"
	EnginePostgres = "postgres"

	WorkChannel = "channel"
	WorkDirect  = "dm"
	WorkBoth    = "both"
)

// Options say what to measure. Send checks them.
type Options struct {
	Engine        string // EngineSQLite or EnginePostgres
	PostgresURL   string // of a database whose user may create others; EnginePostgres only
	Connections   int    // each has a sender of its own and one send in flight
	Conversations int
	Rows          int           // messages stored before measuring
	Duration      time.Duration // of one slice
	WarmUp        time.Duration // before each slice
	Repetitions   int           // slices of each work
	Work          string        // WorkChannel, WorkDirect or WorkBoth
	AI            bool          // also measure sends through /ai, unsigned and signed; WorkDirect only
	Keep          string        // folder to leave the databases in and to find them in; "": a temporary one
	Profile       string        // file for a CPU profile of the server, beside it one of its allocations; "": none

	Child []string  // command line that calls ServeChild
	Log   io.Writer // progress, and what the children complain about
}

func (o *Options) check() error {
	switch {
	case o.Engine != EngineSQLite && o.Engine != EnginePostgres:
		return fmt.Errorf("engine: %q is neither %s nor %s", o.Engine, EngineSQLite, EnginePostgres)
	case o.Engine == EnginePostgres && o.PostgresURL == "":
		return errors.New("engine: postgres needs the address of a database")
	case o.Work != WorkChannel && o.Work != WorkDirect && o.Work != WorkBoth:
		return fmt.Errorf("work: %q is none of %s, %s, %s", o.Work, WorkChannel, WorkDirect, WorkBoth)
	case o.AI && o.Work != WorkDirect:
		return fmt.Errorf("ai: private messages are direct ones: the work is to be %s", WorkDirect)
	case o.Connections < 1 || o.Connections > 1000:
		return fmt.Errorf("connections: %d is not between 1 and 1000", o.Connections)
	case o.Repetitions < 1:
		return fmt.Errorf("repetitions: %d is less than 1", o.Repetitions)
	case o.Duration < 100*time.Millisecond:
		return fmt.Errorf("duration: %v is shorter than 100ms", o.Duration)
	case o.WarmUp < 0:
		return fmt.Errorf("warm-up: %v is less than nothing", o.WarmUp)
	case o.Conversations < 1 || o.Work == WorkBoth && o.Conversations < 2:
		return fmt.Errorf("conversations: %d are too few", o.Conversations)
	case o.Rows < o.Conversations:
		return fmt.Errorf("rows: %d are fewer than the %d conversations, each of which has one at least", o.Rows, o.Conversations)
	}
	if f := newFixture(o); f.Directs > 0 && f.Directs < o.Connections {
		return fmt.Errorf("conversations: %d direct ones are too few for %d connections", f.Directs, o.Connections)
	}
	return nil
}

// Send measures durable sends over HTTP and both floors. It needs a minute or
// more and all of the machine. It fails if an option is out of range, if a child
// dies, or if a send is refused.
func Send(ctx context.Context, o Options) (_ *Report, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	folder := o.Keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "parley-bench-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	r := &runner{o: &o, log: &sharedLog{out: o.Log}}
	r.show = newProgress(r.log)
	defer r.show.done()
	if r.pair, err = openPair(ctx, &o, folder); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, r.pair.close(context.WithoutCancel(ctx), o.Keep == ""))
	}()
	report, err := r.run(ctx, folder)
	if ctx.Err() != nil { // what it broke off matters to nobody
		return nil, fmt.Errorf("broken off: %w", ctx.Err())
	}
	return report, err
}

func openPair(ctx context.Context, o *Options, folder string) (database, error) {
	if o.Engine == EnginePostgres {
		return openServerPair(ctx, folder, o.PostgresURL)
	}
	return &filePair{folder: folder}, nil
}

// runner is one call of Send.
type runner struct {
	o        *Options
	log      *sharedLog
	show     *progress
	pair     database
	fixture  *fixture
	children map[string]*child
}

func (r *runner) run(ctx context.Context, folder string) (*Report, error) {
	if err := r.prepare(ctx, folder); err != nil {
		return nil, fmt.Errorf("prepare the databases: %w", err)
	}
	return r.measure(ctx)
}

// prepare finds or makes the databases.
func (r *runner) prepare(ctx context.Context, folder string) (err error) {
	if r.fixture, err = loadFixture(folder, r.o); err != nil {
		return err
	}
	there, err := r.pair.exists(ctx)
	if err != nil {
		return err
	}
	switch {
	case r.fixture != nil && there:
		r.show.line("using %s", r.pair.where())
		return nil
	case there:
		return fmt.Errorf("an earlier run did not finish, or keeps what it made elsewhere: remove %s", r.pair.where())
	}
	r.fixture = newFixture(r.o)
	began := time.Now()
	err = r.pair.make(ctx, r.fixture, func(done int) {
		r.show.part(done, r.o.Rows, "preloading %d of %d messages", done, r.o.Rows)
	})
	if err != nil {
		return err
	}
	r.show.line("preloaded %d messages in %.1f s", r.o.Rows, time.Since(began).Seconds())
	return r.fixture.save(folder)
}

// works is everything that can be measured, in the order of the report.
func works() []string {
	return []string{workSend, workAI, workAISigned, workFloorHTTP, workFloorBare}
}

// works is what this run measures.
func (r *runner) works() []string {
	return slices.DeleteFunc(works(), func(work string) bool { return throughAI(work) && !r.o.AI })
}

// measure runs the slices in turn.
func (r *runner) measure(ctx context.Context) (_ *Report, err error) {
	r.children = make(map[string]*child)
	defer func() {
		for work, c := range r.children {
			if work == c.work {
				err = errors.Join(err, c.stop())
			}
		}
	}()
	for _, work := range r.works() {
		if throughAI(work) { // on the server of the sends before
			r.children[work] = r.children[workSend]
			continue
		}
		b := &brief{Work: work, Place: r.pair.place(work), Fixture: r.fixture}
		if r.children[work], err = startChild(ctx, r.o.Child, b, r.log); err != nil {
			delete(r.children, work)
			return nil, err
		}
	}
	if r.o.Profile != "" {
		if _, err := r.children[workSend].tell(order{Profile: r.o.Profile}); err != nil {
			return nil, err
		}
	}
	results := make(map[string][]*slice)
	for n := range r.o.Repetitions {
		for _, work := range r.works() {
			r.show.part(0, 0, "%d of %d: %s ...", n+1, r.o.Repetitions, work)
			if err := r.pair.settle(ctx); err != nil {
				return nil, err
			}
			s, err := r.slice(ctx, work)
			if err != nil {
				return nil, fmt.Errorf("measure %s: %w", work, err)
			}
			results[work] = append(results[work], s)
			r.show.line("%d of %d: %s %.0f/s, %.1f us of CPU, p99 %.1f ms",
				n+1, r.o.Repetitions, work, s.perSecond(), s.perSend(s.CPU), millis(s.P99))
		}
	}
	return newReport(results), nil
}

// slice drives one slice of one work.
func (r *runner) slice(ctx context.Context, work string) (*slice, error) {
	c := r.children[work]
	p := pace{Connections: r.o.Connections, WarmUp: r.o.WarmUp, Duration: r.o.Duration}
	used := func() (usage, error) {
		database, err := r.pair.used(ctx)
		if err != nil {
			return usage{}, err
		}
		answer, err := c.tell(order{Usage: true})
		return usage{Child: answer.CPU, Database: database}, err
	}
	if c.address != "" {
		return overHTTP(ctx, r.fixture, c.address, work, p, used)
	}
	before, err := r.pair.used(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := c.tell(order{Pace: &p})
	if err != nil {
		return nil, err
	}
	after, err := r.pair.used(ctx)
	if err != nil {
		return nil, err
	}
	// The database worked through the warm-up as well, which was not counted.
	share := float64(p.Duration) / float64(p.Duration+p.WarmUp)
	answer.Slice.Database = time.Duration(float64(after-before) * share)
	return answer.Slice, nil
}
