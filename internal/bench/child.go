package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"parley/internal/config"
)

// The things measured, by their names in the report.
const (
	workSend      = "send"
	workAI        = "ai" // on the same server as workSend
	workAISigned  = "ai-signed"
	workFloorHTTP = "floor-http"
	workFloorBare = "floor-bare"

	workServer      = "server" // of all measurements but that of sends
	workFloorFrames = "floor-frames"
	workFloorRows   = "floor-rows"
)

// throughAI tells whether a work is sends through /ai.
func throughAI(work string) bool { return work == workAI || work == workAISigned }

// brief is the first line a child reads.
type brief struct {
	Work    string
	Place   config.Place // of the database, for those that have one
	Fixture *fixture
}

// order is every later line. Exactly one member is set.
type order struct {
	Pace    *pace  `json:",omitempty"` // drive a slice; the bare writer only
	Profile string `json:",omitempty"` // begin a CPU profile and write it there at the end
	Usage   bool   `json:",omitempty"`

	Inbox    *inboxShare `json:",omitempty"` // drain these; the bare reader only
	Resident bool        `json:",omitempty"`
}

// reply answers the brief and each order.
type reply struct {
	Error   string        `json:",omitempty"`
	Address string        `json:",omitempty"` // to the brief: where it listens
	CPU     time.Duration `json:",omitempty"`
	Slice   *slice        `json:",omitempty"`

	Resident int64 `json:",omitempty"` // bytes of memory that the process keeps
}

// subject is what a child runs.
type subject interface {
	address() string // "" if it is driven from inside
	drive(ctx context.Context, p pace) (*slice, error)
	stop() error
}

// ServeChild is the whole life of a child process: it reads its brief and its
// orders from in, answers on out and returns when in ends or ctx does.
func ServeChild(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	lines, replies := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	var b brief
	if err := lines.Decode(&b); err != nil {
		return fmt.Errorf("read the brief: %w", err)
	}
	s, err := begin(ctx, &b)
	if err != nil {
		_ = replies.Encode(reply{Error: err.Error()}) // the exit status says so too
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := replies.Encode(reply{Address: s.address()}); err != nil {
		return fmt.Errorf("answer the brief: %w", err)
	}
	var p profile
	defer func() { err = errors.Join(err, p.end()) }()
	for {
		var o order
		if err := lines.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		if err := replies.Encode(obey(ctx, s, &p, o)); err != nil {
			return fmt.Errorf("answer an order: %w", err)
		}
	}
}

func begin(ctx context.Context, b *brief) (subject, error) {
	switch b.Work {
	case workSend, workServer:
		return beginServer(ctx, b)
	case workFloorHTTP:
		return beginHTTP(ctx, b)
	case workFloorBare:
		return beginBare(ctx, b)
	case workFloorFrames:
		return beginFrames(ctx)
	case workFloorRows:
		return beginRows(ctx, b)
	}
	return nil, fmt.Errorf("there is no work %q", b.Work)
}

func obey(ctx context.Context, s subject, p *profile, o order) (r reply) {
	var err error
	switch {
	case o.Pace != nil:
		r.Slice, err = s.drive(ctx, *o.Pace)
	case o.Profile != "":
		err = p.begin(o.Profile)
	case o.Inbox != nil:
		reader, ok := s.(*bareReader)
		if !ok {
			return reply{Error: "has no inboxes to drain"}
		}
		r.Slice, err = reader.drain(ctx, o.Inbox)
	case o.Resident:
		r.Resident, err = residentBytes()
	default:
		r.CPU, err = processTime()
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// processTime is the CPU time of this process so far.
func processTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read the CPU time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// residentBytes is how much memory this process keeps when it has collected its
// garbage and given back what it does not need.
func residentBytes() (int64, error) {
	runtime.GC()
	debug.FreeOSMemory() // collects once more: the first time only ages the pools
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read the memory in use: %w", err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		return 0, fmt.Errorf("read the memory in use: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// profile is a CPU profile that runs, and the allocations beside it.
type profile struct{ cpu *os.File }

func (p *profile) begin(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	p.cpu = file
	return pprof.StartCPUProfile(file)
}

// end writes both profiles; without begin it does nothing.
func (p *profile) end() error {
	if p.cpu == nil {
		return nil
	}
	pprof.StopCPUProfile()
	allocations, err := os.Create(p.cpu.Name() + ".allocs")
	if err != nil {
		return errors.Join(err, p.cpu.Close())
	}
	runtime.GC() // the profile is as of the last collection
	err = pprof.Lookup("allocs").WriteTo(allocations, 0)
	return errors.Join(err, allocations.Close(), p.cpu.Close())
}
