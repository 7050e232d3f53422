package wsx_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"parley/internal/wsx"
)

const handshake = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// dialMany opens connections whose clients cost next to nothing: a socket and no
// buffer, nobody reads it.
func dialMany(b *testing.B, url string, peers <-chan *peer, n int) (servers []*peer, clients []net.Conn) {
	b.Helper()
	buf := make([]byte, 4096)
	for range n {
		client, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = client.Close() })
		if _, err := io.WriteString(client, handshake); err != nil {
			b.Fatal(err)
		}
		servers = append(servers, <-peers)
		if _, err := client.Read(buf); err != nil {
			b.Fatal(err)
		}
		clients = append(clients, client)
	}
	return servers, clients
}

// resident is the resident memory of the process in bytes, after a collection.
func resident(b *testing.B) float64 {
	b.Helper()
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

// BenchmarkIdle reports the memory of an idle connection, its client's socket in the
// same process included: what is in use, and what is resident.
func BenchmarkIdle(b *testing.B) {
	const n = 2000
	url, peers := serve(b, newGroup(b, wsx.Options{}), nil)
	for b.Loop() {
		residentBefore, before := resident(b), inUse()
		_, clients := dialMany(b, url, peers, n)
		b.ReportMetric((inUse()-before)/n/1024, "KB-used/conn")
		b.ReportMetric((resident(b)-residentBefore)/n/1024, "KB-resident/conn")
		runtime.KeepAlive(clients)
	}
}

// BenchmarkFanOut sends one shared frame to 1,000 connections and waits until all have
// it: send is what the sender spends, the whole includes the system calls of both ends.
func BenchmarkFanOut(b *testing.B) {
	const n = 1000
	url, peers := serve(b, newGroup(b, wsx.Options{}), nil)
	servers, clients := dialMany(b, url, peers, n)
	frame := []byte(strings.Repeat("x", 500))
	buf := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range servers {
			if err := s.conn.Send(frame); err != nil {
				b.Fatal(err)
			}
		}
		for _, c := range clients {
			if _, err := io.ReadFull(c, buf[:4+len(frame)]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/frame")
}

// BenchmarkBurst queues 100 frames for one connection at a time: what waits is written
// together.
func BenchmarkBurst(b *testing.B) {
	const frames = 100
	url, peers := serve(b, newGroup(b, wsx.Options{}), nil)
	servers, clients := dialMany(b, url, peers, 1)
	frame := []byte(strings.Repeat("x", 500))
	buf := make([]byte, frames*(4+len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		for range frames {
			if err := servers[0].conn.Send(frame); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := io.ReadFull(clients[0], buf); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/frames, "ns/frame")
}
