package opencord

import (
	"net/http"
	"strconv"
	"strings"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
)

// reader is a request body that takes its members from fields.
type reader interface{ read(f *wire.Fields) }

// read fills q from the body. What is wrong is left in x.call.Input for the core.
func (x *exchange) read(q reader) { x.readBody(q, false) }

// readOptional is read for routes where no body means {} (OC 2).
func (x *exchange) readOptional(q reader) { x.readBody(q, true) }

func (x *exchange) readBody(q reader, optional bool) {
	if err := wire.ReadBody(x.Request, bodyLimit, optional, q.read); err != nil {
		x.call.Input = err
	}
}

// limit reads the page size asked for; empty is absent (OC 9.5). What is no plain
// decimal number is handed on as a size no page has, so that the core names the
// range.
func limit(r *http.Request) chat.Opt[int64] {
	text := wire.Query(r, "limit")
	if text == "" {
		return chat.Opt[int64]{}
	}
	if strings.Trim(text, "0123456789") != "" {
		return chat.Some[int64](-1)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil { // digits only: the number is too large
		return chat.Some[int64](-1)
	}
	return chat.Some(n)
}
