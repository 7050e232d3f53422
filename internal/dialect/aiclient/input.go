package aiclient

import (
	"net/http"
	"strconv"
	"strings"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

// reader is a request body that takes its members from fields.
type reader interface{ read(f *wire.Fields) }

// read fills q from the body. What is wrong is left in x.call.Input for the core.
func (x *exchange) read(q reader) {
	if err := wire.ReadBody(x.Request, bodyLimit, false, q.read); err != nil {
		x.call.Input = err
	}
}

// timePage reads limit and before (AI 8.3).
func (x *exchange) timePage() core.TimePage {
	page := core.TimePage{Limit: number(x.Request, "limit")}
	if before := wire.Query(x.Request, "before"); before != "" {
		var ok bool
		if page.Before, ok = wire.ParseInstant(before); !ok && x.call.Input == nil {
			x.call.Input = chat.FailField(chat.CodePageCursor, "before")
		}
	}
	return page
}

// number reads a whole number of the query; empty is absent. What is no plain decimal
// number is handed on as -1, which no range has.
func number(r *http.Request, name string) chat.Opt[int64] {
	text := wire.Query(r, name)
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
