package wsx

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// readBuffer is small, since most connections are idle most of the time: it holds the
// usual client frame, and larger payloads are read past it.
const readBuffer = 512

// Upgrade turns the request into a connection of the group. The origin does not
// matter, no subprotocol and no extension is agreed on, and the headers set on w are
// sent with the 101.
//
// The caller has to Start the connection. It fails with ErrNotWebSocket or, after
// CloseAll, with ErrClosed; both leave the request to the caller to answer, as does a
// w that cannot be hijacked. After any other error the socket is closed.
func (g *Group) Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	key, err := handshakeKey(r)
	if err != nil {
		return nil, err
	}
	if g.isClosed() {
		return nil, ErrClosed
	}
	header := w.Header().Clone()
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("take over the connection: %w", err)
	}
	c := &Conn{group: g, nc: nc, header: header, done: make(chan struct{})}
	if c.header == nil {
		c.header = http.Header{}
	}
	input, err := c.input(rw.Reader)
	if err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	// The library gets what it needs of the request and no more: it refuses nothing
	// that handshakeKey let pass, and keeps nothing alive.
	c.ws, err = g.upgrader.UpgradeFromConn((*wire)(c), input, &http.Request{
		Method: http.MethodGet,
		Header: http.Header{
			"Connection":            {"Upgrade"},
			"Upgrade":               {"websocket"},
			"Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key":     {key},
		},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("answer the handshake: %w", err), nc.Close())
	}
	if !g.add(c) {
		return nil, errors.Join(ErrClosed, nc.Close())
	}
	return c, nil
}

// input returns a small reader in place of the large one of net/http, and hands over
// what a client in a hurry has sent behind its request.
func (c *Conn) input(before *bufio.Reader) (*bufio.Reader, error) {
	early, err := before.Peek(before.Buffered())
	if err != nil {
		return nil, fmt.Errorf("read on after the request: %w", err)
	}
	var source io.Reader = (*wire)(c)
	if len(early) > 0 {
		source = io.MultiReader(bytes.NewReader(bytes.Clone(early)), source)
	}
	return bufio.NewReaderSize(source, readBuffer), nil
}

// handshakeKey checks the request as RFC 6455 (4.2.1) asks a server to.
func handshakeKey(r *http.Request) (string, error) {
	switch {
	case r.Method != http.MethodGet:
		return "", fmt.Errorf("%w: method %s", ErrNotWebSocket, r.Method)
	case !hasToken(r.Header["Connection"], "upgrade"), !hasToken(r.Header["Upgrade"], "websocket"):
		return "", fmt.Errorf("%w: no upgrade asked for", ErrNotWebSocket)
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "", fmt.Errorf("%w: version %q", ErrNotWebSocket, r.Header.Get("Sec-WebSocket-Version"))
	}
	key := strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key"))
	if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != 16 {
		return "", fmt.Errorf("%w: bad key", ErrNotWebSocket)
	}
	return key, nil
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// wire is the connection as the library sees it. It reads from the socket, but writes
// to it only the answer to the handshake: of what comes later, which is at most one
// close frame, wire takes note, and the writer sends it when its turn comes.
type wire Conn

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	for {
		n, err := w.nc.Read(p)
		if errors.Is(err, os.ErrDeadlineExceeded) && n == 0 && (*Conn)(w).overdue() {
			continue
		}
		if err != nil {
			w.readErr = err
		}
		return n, err
	}
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	if w.header == nil {
		w.reply = bytes.Clone(p)
		return len(p), nil
	}
	// The first write is the 101 with its empty line: our headers go before that.
	var answer bytes.Buffer
	answer.Write(bytes.TrimSuffix(p, []byte("\r\n")))
	_ = w.header.Write(&answer) // a Buffer takes everything
	answer.WriteString("\r\n")
	w.header = nil
	if _, err := w.nc.Write(answer.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements net.Conn: the reader closes the socket when the close frame is out.
func (w *wire) Close() error { return nil }

// LocalAddr implements net.Conn.
func (w *wire) LocalAddr() net.Addr { return w.nc.LocalAddr() }

// RemoteAddr implements net.Conn.
func (w *wire) RemoteAddr() net.Addr { return w.nc.RemoteAddr() }

// SetDeadline implements net.Conn; the library sets that of the handshake.
func (w *wire) SetDeadline(t time.Time) error { return w.nc.SetDeadline(t) }

// SetReadDeadline implements net.Conn.
func (w *wire) SetReadDeadline(t time.Time) error { return w.nc.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (w *wire) SetWriteDeadline(t time.Time) error { return w.nc.SetWriteDeadline(t) }
