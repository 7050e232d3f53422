package agentchat

import (
	"errors"
	"strconv"
	"strings"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
)

// reader is a request body that takes its members from fields.
type reader interface{ read(f *wire.Fields) }

// read fills q from the body; no body at all is {} (AC 2.1). What is wrong is left
// in x.call.Input for the core.
func (x *exchange) read(q reader) {
	if err := wire.ReadBody(x.Request, bodyLimit, true, q.read); err != nil {
		x.call.Input = err
	}
}

// invalid leaves a failure for the core unless there is one.
func (x *exchange) invalid(err *chat.Error) {
	if x.call.Input == nil {
		x.call.Input = err
	}
}

// pageLimit reads a page size: the usual one if absent, clamped to the most (AC
// 2.7). What is no positive whole number is an input error.
func (x *exchange) pageLimit(usual, most int) int {
	n, ok := x.number("limit", usual, 1)
	if !ok {
		return usual
	}
	return min(n, most)
}

// offset reads how many rows to pass over (AC 2.7).
func (x *exchange) offset() int {
	n, _ := x.number("offset", 0, 0)
	return n
}

// number reads a whole number of at least least out of the query. One that is too
// large for an int is as large as can be.
func (x *exchange) number(name string, usual, least int) (int, bool) {
	text := wire.Query(x.Request, name)
	if text == "" {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	if errors.Is(err, strconv.ErrRange) && strings.Trim(text, "0123456789") == "" {
		return int(^uint(0) >> 1), true
	}
	if err != nil || n < least || text[0] == '+' {
		x.invalid(chat.FailField(chat.CodeFieldInvalid, name))
		return usual, false
	}
	return n, true
}
