package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Who connects to the floor of Fanout says with one byte what for, and gets one
// back when that is noted.
const (
	frameReceiver byte = 'r'
	frameSender   byte = 's'
)

// bareFrames writes every frame that a sender hands it to all receivers: what a
// server cannot do without, and nothing else.
type bareFrames struct {
	listen net.Listener
	serve  sync.WaitGroup
	failed error // of accepting; read after serve is done

	mu        sync.RWMutex
	conns     []net.Conn
	receivers []net.Conn
}

func beginFrames(ctx context.Context) (subject, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &bareFrames{listen: l}
	f.serve.Go(f.accept)
	return f, nil
}

func (f *bareFrames) address() string { return f.listen.Addr().String() }

func (f *bareFrames) drive(context.Context, pace) (*slice, error) {
	return nil, errors.New("is driven from outside")
}

func (f *bareFrames) stop() error {
	err := f.listen.Close()
	f.mu.Lock()
	for _, c := range f.conns {
		_ = c.Close() // the other end may have done so already
	}
	f.mu.Unlock()
	f.serve.Wait()
	return errors.Join(err, f.failed)
}

func (f *bareFrames) accept() {
	for {
		conn, err := f.listen.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			f.failed = fmt.Errorf("accept: %w", err)
			return
		}
		f.mu.Lock()
		f.conns = append(f.conns, conn)
		f.mu.Unlock()
		f.serve.Go(func() { f.attend(conn) })
	}
}

// attend serves one connection until it ends, which those at the other end notice.
func (f *bareFrames) attend(conn net.Conn) {
	role := make([]byte, 1)
	if _, err := io.ReadFull(conn, role); err != nil {
		return
	}
	if role[0] == frameReceiver {
		f.mu.Lock()
		f.receivers = append(f.receivers, conn)
		f.mu.Unlock()
	}
	if _, err := conn.Write(role); err != nil || role[0] == frameReceiver {
		return
	}
	head := make([]byte, 4)
	frame := make([]byte, frameLimit)
	for {
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		frame = frame[:min(binary.BigEndian.Uint32(head), frameLimit)]
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		if err := f.write(frame); err != nil {
			_ = conn.Close()
			return
		}
		if _, err := conn.Write(role); err != nil {
			return
		}
	}
}

func (f *bareFrames) write(frame []byte) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, c := range f.receivers {
		if _, err := c.Write(frame); err != nil {
			return err
		}
	}
	return nil
}
