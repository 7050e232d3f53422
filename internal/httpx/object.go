package httpx

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Presence tells apart what a PATCH has to tell apart.
type Presence uint8

// A member may be missing, null, or have a value of any type.
const (
	Absent Presence = iota
	Null
	Present
)

// Kind is what is wrong with a member.
type Kind uint8

// KindType is a value of the wrong JSON type, KindNUL a string that holds
// U+0000, which the stores refuse.
const (
	KindType Kind = iota
	KindNUL
)

// FieldError says which member of an object is unusable.
type FieldError struct {
	Field string // the key as the getter was asked for it; "outer.inner" in a nested object
	Kind  Kind
	Want  string // for KindType: "a string", "a boolean", "an integer", "an object", "an array", "an array of strings"
}

// Error is for logs; a dialect words its own answer from the fields.
func (e *FieldError) Error() string {
	if e.Kind == KindNUL {
		return e.Field + " must not hold U+0000"
	}
	return e.Field + " must be " + e.Want
}

// indexed is how many members an object remembers. One with more, which no
// honest client sends, is walked again at each lookup, so that a hostile body
// buys no memory.
const indexed = 16

// Object is a JSON object read member by member. Keys match in exact case, the
// last of several equal keys counts, members nobody asks for are ignored.
//
// A getter takes null for absent. If the value has the wrong type, or is a
// string with U+0000, it reports the member as present with a zero value and
// remembers the error; [Object.Err] returns the first, in the order in which
// the members were read. An Object is for one goroutine.
type Object struct {
	data    []byte // valid JSON
	members [indexed]member
	count   int // of members found; above indexed, members is of no use
	fold    bool
	parent  *Object // where a nested object leaves its errors
	name    string  // the key in parent
	err     *FieldError
}

// newObject indexes valid JSON whose first token opens an object.
func newObject(data []byte) *Object {
	o := &Object{data: data}
	for w := newWalk(data); o.count <= indexed && w.next(); o.count++ {
		if o.count < indexed {
			o.members[o.count] = w.member
		}
	}
	return o
}

// FoldKeys makes this object, and nested ones taken from it later, match keys
// in any case.
func (o *Object) FoldKeys() { o.fold = true }

// Err returns the first error of the getters so far, nested objects included:
// a [*FieldError], or nil. A nested object and its outer one answer the same.
func (o *Object) Err() error {
	for o.parent != nil {
		o = o.parent
	}
	if o.err == nil {
		return nil
	}
	return o.err
}

// Presence looks at a member of any type and remembers no error.
func (o *Object) Presence(key string) Presence {
	switch raw := o.find(key); {
	case raw == nil:
		return Absent
	case raw[0] == 'n':
		return Null
	}
	return Present
}

// String reads a string. Escaped lone surrogates have become U+FFFD.
func (o *Object) String(key string) (value string, present bool) {
	raw := o.value(key)
	if raw == nil {
		return "", false
	}
	if raw[0] != '"' {
		o.fail(key, KindType, "a string")
		return "", true
	}
	value, ok := text(raw)
	if !ok {
		o.fail(key, KindNUL, "")
		return "", true
	}
	return value, true
}

// StringOrNull is String for members that null clears.
func (o *Object) StringOrNull(key string) (value string, presence Presence) {
	if presence = o.Presence(key); presence == Present {
		value, _ = o.String(key)
	}
	return value, presence
}

// Bool reads true or false.
func (o *Object) Bool(key string) (value, present bool) {
	raw := o.value(key)
	if raw == nil {
		return false, false
	}
	if raw[0] != 't' && raw[0] != 'f' {
		o.fail(key, KindType, "a boolean")
	}
	return raw[0] == 't', true
}

// Int reads a number written without fraction and exponent that fits 64 bits.
func (o *Object) Int(key string) (value int64, present bool) {
	raw := o.value(key)
	if raw == nil {
		return 0, false
	}
	// A string fails in ParseInt too: its quotes are no digits.
	value, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		o.fail(key, KindType, "an integer")
		return 0, true
	}
	return value, true
}

// Raw returns a value of any type as it was sent, for what is kept and not
// understood. It shares memory with the body. Strings in it may hold U+0000:
// see [HasNUL].
func (o *Object) Raw(key string) (value json.RawMessage, present bool) {
	raw := o.value(key)
	return raw, raw != nil
}

// Object reads a nested object, whose errors count as errors of o. It is nil
// if the value is none.
func (o *Object) Object(key string) (value *Object, present bool) {
	raw := o.value(key)
	if raw == nil {
		return nil, false
	}
	if raw[0] != '{' {
		o.fail(key, KindType, "an object")
		return nil, true
	}
	value = newObject(raw)
	value.fold, value.parent, value.name = o.fold, o, key
	return value, true
}

// Array reads an array of whatever values, sharing memory with the body.
func (o *Object) Array(key string) (value []json.RawMessage, present bool) {
	raw := o.value(key)
	if raw == nil {
		return nil, false
	}
	if raw[0] != '[' {
		o.fail(key, KindType, "an array")
		return nil, true
	}
	value = []json.RawMessage{}
	for w := newWalk(raw); w.next(); {
		value = append(value, raw[w.valueStart:w.valueEnd])
	}
	return value, true
}

// Strings reads an array of strings; null is no string.
func (o *Object) Strings(key string) (value []string, present bool) {
	const want = "an array of strings"
	raw := o.value(key)
	if raw == nil {
		return nil, false
	}
	if raw[0] != '[' {
		o.fail(key, KindType, want)
		return nil, true
	}
	value = []string{}
	for w := newWalk(raw); w.next(); {
		element := raw[w.valueStart:w.valueEnd]
		if element[0] != '"' {
			o.fail(key, KindType, want)
			return nil, true
		}
		s, ok := text(element)
		if !ok {
			o.fail(key, KindNUL, "")
			return nil, true
		}
		value = append(value, s)
	}
	return value, true
}

// HasNUL reports whether a string or key somewhere in valid JSON holds U+0000.
func HasNUL(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return false
		}
		if bytes.HasPrefix(raw[i:], []byte(`\u0000`)) {
			return true
		}
		raw = raw[i+2:] // the escaped character may be a backslash
	}
}

// value returns the raw value of a member, or nil when absent or null.
func (o *Object) value(key string) []byte {
	if raw := o.find(key); raw != nil && raw[0] != 'n' {
		return raw
	}
	return nil
}

func (o *Object) find(key string) []byte {
	if o.count <= indexed {
		for i := o.count - 1; i >= 0; i-- {
			if m := &o.members[i]; o.matches(m, key) {
				return o.data[m.valueStart:m.valueEnd]
			}
		}
		return nil
	}
	var raw []byte
	for w := newWalk(o.data); w.next(); {
		if o.matches(&w.member, key) {
			raw = o.data[w.valueStart:w.valueEnd]
		}
	}
	return raw
}

func (o *Object) matches(m *member, key string) bool {
	sent := o.data[m.keyStart:m.keyEnd]
	if len(sent) > 6*len(key) { // \u0061 is the longest way to write a letter
		return false
	}
	var buf [64]byte
	if bytes.IndexByte(sent, '\\') >= 0 {
		sent = unescape(buf[:0], sent)
	}
	if o.fold {
		return strings.EqualFold(string(sent), key)
	}
	return string(sent) == key
}

// fail remembers the first error at the outermost object.
func (o *Object) fail(field string, kind Kind, want string) {
	for ; o.parent != nil; o = o.parent {
		field = o.name + "." + field
	}
	if o.err == nil {
		o.err = &FieldError{Field: field, Kind: kind, Want: want}
	}
}
