package opencord

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parley/internal/chat"
	"parley/internal/httpx"
)

// reader is a request body that takes its members from fields.
type reader interface{ read(f *fields) }

// read fills q from the body. What is wrong is left in x.call.Input for the core.
func (x *exchange) read(q reader) { x.readBody(q, false) }

// readOptional is read for routes where no body means {} (OC 2).
func (x *exchange) readOptional(q reader) { x.readBody(q, true) }

func (x *exchange) readBody(q reader, optional bool) {
	o, err := httpx.ReadObject(x.Request, bodyLimit, optional)
	switch {
	case errors.Is(err, httpx.ErrTooLarge):
		x.call.Input = chat.Fail(chat.CodeBodyTooLarge)
	case err != nil:
		x.call.Input = chat.Fail(chat.CodeBodyInvalid)
	default:
		f := fields{object: o}
		q.read(&f)
		if f.err != nil {
			x.call.Input = f.err
		}
	}
}

// fields reads the members of a body and keeps the first thing wrong, in the
// order in which they are read. After that the values are of no use.
type fields struct {
	object *httpx.Object
	err    error
}

// fail notes a failure unless there was one before.
func (f *fields) fail(err *chat.Error) {
	if f.err == nil {
		f.err = err
	}
}

// check takes over what the object found wrong.
func (f *fields) check() {
	var e *httpx.FieldError
	if f.err != nil || !errors.As(f.object.Err(), &e) {
		return
	}
	if e.Kind == httpx.KindNUL {
		f.fail(chat.FailField(chat.CodeFieldInvalid, e.Field))
		return
	}
	f.fail(&chat.Error{Code: chat.CodeFieldType, Field: e.Field, Want: e.Want})
}

// required reads a string that must be there.
func (f *fields) required(key string) string {
	value, present := f.object.String(key)
	f.check()
	if !present {
		f.fail(chat.FailField(chat.CodeFieldRequired, key))
	}
	return value
}

// text reads a string; absent and null are "".
func (f *fields) text(key string) string {
	value, _ := f.object.String(key)
	f.check()
	return value
}

// optional reads a string of which absence and null are told apart.
func (f *fields) optional(key string) chat.Opt[string] {
	value, presence := f.object.StringOrNull(key)
	f.check()
	return chat.Opt[string]{Present: presence != httpx.Absent, Null: presence == httpx.Null, Value: value}
}

// flag reads a boolean; null is absent.
func (f *fields) flag(key string) chat.Opt[bool] {
	value, present := f.object.Bool(key)
	f.check()
	return chat.Opt[bool]{Present: present, Value: value}
}

// integer reads a whole number; null is absent.
func (f *fields) integer(key string) chat.Opt[int64] {
	value, present := f.object.Int(key)
	f.check()
	return chat.Opt[int64]{Present: present, Value: value}
}

// limit reads the page size asked for; empty is absent (OC 9.5). What is no plain
// decimal number is handed on as a size no page has, so that the core names the
// range.
func limit(r *http.Request) chat.Opt[int64] {
	text := query(r, "limit")
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

// query returns the first value of a query parameter, "" if there is none. Unlike
// url.Values it does not lose values with bad escapes: those stay as they were
// sent and fail as what they are read for.
func query(r *http.Request, name string) string {
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != name {
			if decoded, err := url.QueryUnescape(key); err != nil || decoded != name {
				continue
			}
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			return decoded
		}
		return value
	}
	return ""
}
