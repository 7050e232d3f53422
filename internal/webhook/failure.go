package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"parley/internal/chat"
	"parley/internal/netguard"
)

const sentenceBytes = 300 // of an error that are kept

var (
	// errAborted is the outcome of an attempt that Stop broke off.
	errAborted = errors.New("broken off")
	// errOver is the outcome of an attempt that was not to be made any more.
	errOver = errors.New("no longer to be told")
)

// failure is an attempt that reached the receiver in vain, or not at all.
type failure struct {
	kind  string // what the owner of the hook is told: one of the chat.HookError constants
	final bool   // another attempt would fare no better
	cause error
}

// Error is the cause's, for logs and operators.
func (f *failure) Error() string { return f.cause.Error() }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.cause }

// answered is the failure of an answer that is no success.
func answered(status int) error {
	return &failure{
		kind:  chat.HookErrorStatus,
		final: status != 408 && status != 429 && (status < 500 || status > 599),
		cause: fmt.Errorf("the receiver answered %d", status),
	}
}

// unanswered is the failure of a call that got no answer.
func unanswered(err error, shook *handshake) error {
	f := &failure{kind: chat.HookErrorConnect, cause: err}
	switch {
	case errors.Is(err, netguard.ErrBlocked), errors.Is(err, netguard.ErrURL):
		f.kind, f.final = chat.HookErrorBlocked, true
	case timedOut(err):
		f.kind = chat.HookErrorTimeout
	case shook.failed.Load():
		f.kind = chat.HookErrorTLS
	}
	return f
}

// timedOut tells whether a call failed for lack of patience. The error of a client
// only says so of what it encloses directly.
func timedOut(err error) bool {
	var call *url.Error
	if errors.As(err, &call) {
		err = call.Err
	}
	var late net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout()
}

// handshake watches that of TLS: what may go wrong there has no type in common.
type handshake struct{ failed atomic.Bool }

// watched is a context for a call whose handshake is watched.
func (h *handshake) watched(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				h.failed.Store(true)
			}
		},
	})
}

// sentence is what is kept of an error: without the URL, which may hold a secret of
// its owner, and without what a database would not take.
func sentence(err error) string {
	var call *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the receiver did not answer in time"
	case errors.As(err, &call):
		err = call.Err
	}
	text := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "")
	if len(text) > sentenceBytes {
		text = strings.ToValidUTF8(text[:sentenceBytes], "")
	}
	return text
}
