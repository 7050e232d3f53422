package httpx

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// member is a place in a JSON text: a key without its quotes, still escaped,
// and a value without blanks around it. Elements of arrays have no key.
// Offsets of 32 bits are enough: limits are in the range of megabytes.
type member struct {
	keyStart, keyEnd, valueStart, valueEnd int32
}

// walk goes over the members of an object or the elements of an array. The
// text must be valid JSON: nothing is checked again here.
type walk struct {
	member

	data  []byte
	pos   int
	keyed bool
}

// newWalk stands before the first member of the object or array in data.
func newWalk(data []byte) walk {
	pos := skipBlanks(data, 0)
	return walk{data: data, pos: pos + 1, keyed: data[pos] == '{'}
}

// next moves to the next member.
func (w *walk) next() bool {
	pos := skipBlanks(w.data, w.pos)
	if pos < len(w.data) && w.data[pos] == ',' {
		pos = skipBlanks(w.data, pos+1)
	}
	if pos >= len(w.data) || w.data[pos] == '}' || w.data[pos] == ']' {
		return false
	}
	if w.keyed {
		end := skipString(w.data, pos)
		w.keyStart, w.keyEnd = int32(pos+1), int32(end-1)
		pos = skipBlanks(w.data, skipBlanks(w.data, end)+1) // the colon
	}
	w.pos = skipValue(w.data, pos)
	w.valueStart, w.valueEnd = int32(pos), int32(w.pos)
	return true
}

func skipBlanks(data []byte, pos int) int {
	for pos < len(data) && (data[pos] == ' ' || data[pos] == '\n' || data[pos] == '\r' || data[pos] == '\t') {
		pos++
	}
	return pos
}

// skipString returns the position after the string that opens at pos.
func skipString(data []byte, pos int) int {
	for pos++; data[pos] != '"'; pos++ {
		if data[pos] == '\\' {
			pos++
		}
	}
	return pos + 1
}

// skipValue returns the position after the value that begins at pos. It counts
// brackets instead of calling itself: depth is the sender's choice.
func skipValue(data []byte, pos int) int {
	depth := 0
	for pos < len(data) {
		switch data[pos] {
		case '"':
			pos = skipString(data, pos)
			if depth == 0 {
				return pos
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of what holds a number or a word
				return pos
			}
			if depth--; depth == 0 {
				return pos + 1
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return pos
			}
		}
		pos++
	}
	return pos
}

// text decodes a JSON string with its quotes; ok is false if it holds U+0000,
// which valid JSON can only say with an escape.
func text(raw []byte) (s string, ok bool) {
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw), true
	}
	if HasNUL(raw) {
		return "", false
	}
	return string(unescape(make([]byte, 0, len(raw)), raw)), true
}

// unescape appends the inside of a valid JSON string to dst. A surrogate
// without its other half becomes U+FFFD.
func unescape(dst, src []byte) []byte {
	for {
		i := bytes.IndexByte(src, '\\')
		if i < 0 {
			return append(dst, src...)
		}
		dst = append(dst, src[:i]...)
		c := src[i+1]
		src = src[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(src)
			src = src[4:]
			if utf16.IsSurrogate(r) {
				if r = utf16.DecodeRune(r, lowHalf(src)); r != utf8.RuneError {
					src = src[6:]
				}
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
}

// lowHalf returns the rune of a \u escape at the start of src, or U+FFFD.
func lowHalf(src []byte) rune {
	if len(src) < 6 || src[0] != '\\' || src[1] != 'u' {
		return utf8.RuneError
	}
	return hex4(src[2:])
}

// hex4 reads four hexadecimal digits that are known to be there.
func hex4(src []byte) rune {
	var r rune
	for _, c := range src[:4] {
		switch {
		case c <= '9':
			c -= '0'
		case c <= 'F':
			c -= 'A' - 10
		default:
			c -= 'a' - 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
