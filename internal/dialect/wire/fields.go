package wire

import (
	"errors"
	"net/http"

	"parley/internal/chat"
	"parley/internal/httpx"
)

// Fields reads the members of a JSON object and keeps the first thing wrong, in the
// order in which they are read. After that the values are of no use.
type Fields struct {
	Object *httpx.Object
	err    error
}

// Err returns the first thing that was wrong, nil if there was none.
func (f *Fields) Err() error { return f.err }

// Fail notes a failure unless there was one before.
func (f *Fields) Fail(err *chat.Error) {
	if f.err == nil {
		f.err = err
	}
}

// check takes over what the object found wrong.
func (f *Fields) check() {
	var e *httpx.FieldError
	if f.err != nil || !errors.As(f.Object.Err(), &e) {
		return
	}
	if e.Kind == httpx.KindNUL {
		f.Fail(chat.FailField(chat.CodeFieldInvalid, e.Field))
		return
	}
	f.Fail(&chat.Error{Code: chat.CodeFieldType, Field: e.Field, Want: e.Want})
}

// ReadBody reads a JSON object of at most limit bytes out of a body with read; no body
// is {} if it is optional. It fails with body_too_large, body_invalid or what read
// found wrong first.
func ReadBody(r *http.Request, limit int64, optional bool, read func(*Fields)) error {
	o, err := httpx.ReadObject(r, limit, optional)
	switch {
	case errors.Is(err, httpx.ErrTooLarge):
		return chat.Fail(chat.CodeBodyTooLarge)
	case err != nil:
		return chat.Fail(chat.CodeBodyInvalid)
	}
	f := Fields{Object: o}
	read(&f)
	return f.Err()
}

// Required reads a string that must be there.
func (f *Fields) Required(key string) string {
	value, present := f.Object.String(key)
	f.check()
	if !present {
		f.Fail(chat.FailField(chat.CodeFieldRequired, key))
	}
	return value
}

// Text reads a string; absent and null are "".
func (f *Fields) Text(key string) string {
	value, _ := f.Object.String(key)
	f.check()
	return value
}

// Optional reads a string of which absence and null are told apart.
func (f *Fields) Optional(key string) chat.Opt[string] {
	value, presence := f.Object.StringOrNull(key)
	f.check()
	return chat.Opt[string]{Present: presence != httpx.Absent, Null: presence == httpx.Null, Value: value}
}

// Flag reads a boolean; null is absent.
func (f *Fields) Flag(key string) chat.Opt[bool] {
	value, present := f.Object.Bool(key)
	f.check()
	return chat.Opt[bool]{Present: present, Value: value}
}

// Integer reads a whole number; null is absent.
func (f *Fields) Integer(key string) chat.Opt[int64] {
	value, present := f.Object.Int(key)
	f.check()
	return chat.Opt[int64]{Present: present, Value: value}
}

// Strings reads an array of strings; absent and null are nil.
func (f *Fields) Strings(key string) []string {
	value, _ := f.Object.Strings(key)
	f.check()
	return value
}

// Nested reads the members of an object inside with read, which is not called if
// there is none; null is absent. What is wrong there counts here.
func (f *Fields) Nested(key string, read func(*Fields)) {
	inner, present := f.Object.Object(key)
	f.check()
	if !present || inner == nil {
		return
	}
	g := Fields{Object: inner, err: f.err}
	read(&g)
	f.err = g.err
}
