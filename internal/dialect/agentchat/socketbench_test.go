package agentchat_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/secret"
	"parley/internal/store"
)

func benchWorld(b *testing.B) *world {
	b.Helper()
	return newWorld(b, dialecttest.Engines()[0], func(c *core.Config, _ *agentchat.Config) { c.LimitsOff = true })
}

// crowd makes many agents in one transaction.
func (w *world) crowd(t testing.TB, n int) []*agent {
	t.Helper()
	now := w.Clock.Now()
	all := make([]*agent, n)
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		id, err := tx.NextID(ctx, 2*n)
		if err != nil {
			return err
		}
		for i := range all {
			a := &agent{Client: &dialecttest.Client{T: t, World: w.World}, id: chat.AccountID(id), handle: "agent" + strconv.FormatInt(id, 10)}
			a.Token = secret.NewToken("ac_live_")
			all[i] = a
			err := tx.InsertAccount(ctx, &chat.Account{
				ID: a.id, Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: a.handle, NameKey: a.handle, Handle: a.handle,
				State: chat.StateActive, Guarded: true, CreatedAt: now, UpdatedAt: now,
			}, "")
			if err != nil {
				return err
			}
			err = tx.InsertCredential(ctx, &chat.Credential{
				ID: chat.CredentialID(id + 1), Account: a.id, Kind: chat.CredentialKey, Issuer: chat.SurfaceAgentChat, CreatedAt: now,
			}, secret.DigestOf(a.Token))
			if err != nil {
				return err
			}
			id += 2
		}
		return nil
	})
	return all
}

// bare opens a socket whose client costs next to nothing: a connection without
// buffers, which nobody reads. It returns when hello.ok has come.
func (w *world) bare(b *testing.B, a *agent, capabilities string) net.Conn {
	b.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.Server.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer %s\r\n"+
		"X-AgentChat-Capabilities: %s\r\n\r\n", a.Token, capabilities)
	if err != nil {
		b.Fatal(err)
	}
	var got []byte
	for buf := make([]byte, 1024); !strings.Contains(string(got), "hello.ok"); {
		n, err := conn.Read(buf)
		if err != nil {
			b.Fatalf("%v after %q", err, got)
		}
		got = append(got, buf[:n]...)
	}
	return conn
}

// resident is the resident memory of the process in bytes, after a collection.
func resident(b *testing.B) float64 {
	b.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip(err)
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize())
}

func inUse() float64 {
	runtime.GC()
	runtime.GC() // the first one only ages the pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkIdleSocket is the resident memory of an idle authenticated socket, each
// of an agent of its own, with all that the server keeps for it. The client's end is
// in the same process and included.
func BenchmarkIdleSocket(b *testing.B) {
	const n = 5_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < 2*n+100 {
		b.Skipf("at most %d files may be open, %v", limit.Cur, err)
	}
	w := benchWorld(b)
	agents := w.crowd(b, n)
	// What the database keeps of its pages, up to a bound, belongs to no socket: a
	// round of sockets that come and go has it there before. What the core remembers
	// of an account that was there, some 500 bytes, is there, too.
	for _, a := range agents {
		_ = w.bare(b, a, "ack").Close()
	}
	for w.surface.Sockets() > 0 {
		runtime.Gosched()
	}
	for b.Loop() {
		before, used := resident(b), inUse()
		for _, a := range agents[:n] {
			w.bare(b, a, "ack")
		}
		b.ReportMetric((inUse()-used)/n/1024, "KB-used/socket")
		b.ReportMetric((resident(b)-before)/n/1024, "KB-resident/socket")
	}
}

const fanMembers, fanSockets = 250, 4

// cpu is the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// receivers read frames from all connections, each in a goroutine of its own, and
// tell of every one.
func receivers(conns []net.Conn, came chan<- struct{}) {
	for _, c := range conns {
		go func() {
			r := bufio.NewReaderSize(c, 4096)
			for {
				var head [4]byte
				if _, err := io.ReadFull(r, head[:2]); err != nil {
					return
				}
				size := int(head[1])
				if size == 126 {
					if _, err := io.ReadFull(r, head[2:]); err != nil {
						return
					}
					size = int(head[2])<<8 | int(head[3])
				}
				if _, err := r.Discard(size); err != nil {
					return
				}
				came <- struct{}{}
			}
		}()
	}
}

// tally is what a part of a benchmark has cost.
type tally struct {
	deliveries int
	cpu        time.Duration
}

// count adds one round of a part.
func (c *tally) count(b *testing.B, deliveries int, round func()) {
	b.Helper()
	began := cpu(b)
	round()
	c.cpu += cpu(b) - began
	c.deliveries += deliveries
}

func (c *tally) rate() float64 { return float64(c.deliveries) / c.cpu.Seconds() }

// BenchmarkFanout sends to 250 agents with four sockets each and waits until all but
// the sender's have the frame: messages from the core through the database, the hub
// and the sockets, to clients that acknowledge themselves (ack) or not (legacy), and
// typing, which nothing stores. In turns with that a floor writes ready-made frames
// to as many bare connections, from one goroutine: ratio is what the one delivers per
// second of processor time, divided by the other. Both ends are in the process.
func BenchmarkFanout(b *testing.B) {
	const frames = (fanMembers - 1) * fanSockets
	for _, mode := range []string{"typing", "ack", "legacy"} {
		b.Run(mode, func(b *testing.B) {
			came := make(chan struct{}, 4096)
			arrive := func() {
				for range frames {
					<-came
				}
			}
			w := benchWorld(b)
			members := w.crowd(b, fanMembers)
			group := w.crew(b, members...)
			var conns []net.Conn
			for _, a := range members {
				for range fanSockets {
					conns = append(conns, w.bare(b, a, mode))
				}
			}
			receivers(conns, came)
			bottom := floor(b, frames, came)
			say := func() { w.writeIn(b, members[0], group, strings.Repeat("x", 200)) }
			if mode == "typing" {
				ref := core.ConversationRef{Kind: chat.ConversationGroup, Conversation: group}
				say = func() {
					if err := w.Core.Type(b.Context(), w.as(members[0]), ref, true); err != nil {
						b.Fatal(err)
					}
				}
			}
			var ours, theirs tally
			for b.Loop() {
				ours.count(b, frames, func() { say(); arrive() })
				theirs.count(b, frames, func() { bottom(); arrive() })
			}
			b.ReportMetric(ours.rate(), "deliveries/cpu-s")
			b.ReportMetric(theirs.rate(), "floor/cpu-s")
			b.ReportMetric(ours.rate()/theirs.rate(), "ratio")
		})
	}
}

// floor opens connections, whose frames come, and returns what writes one to each.
func floor(b *testing.B, n int, came chan<- struct{}) func() {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	var ours, theirs []net.Conn
	for range n {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _, _ = c.Close(), s.Close() })
		ours, theirs = append(ours, s), append(theirs, c)
	}
	receivers(theirs, came)
	const payload = 640 // about as long as the message
	frame := append([]byte{0x81, 126, payload >> 8, payload & 255}, strings.Repeat("x", payload)...)
	return func() {
		for _, c := range ours {
			if _, err := c.Write(frame); err != nil {
				b.Fatal(err)
			}
		}
	}
}
