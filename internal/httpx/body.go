package httpx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"
)

var (
	// ErrTooLarge says that a body is longer than its limit.
	ErrTooLarge = errors.New("request body is too large")
	// ErrSyntax says that a body is not exactly one JSON object in UTF-8, or
	// broke off before its end.
	ErrSyntax = errors.New("request body is not one JSON object")
)

// firstRead bounds what is set aside on the word of a Content-Length: a client
// that announces much and sends nothing shall not hold much memory.
const firstRead = 8 << 10

// ReadObject reads the body of r as exactly one JSON object, whatever its
// Content-Type. Errors are [ErrTooLarge] above limit bytes, else [ErrSyntax].
// With optional, a body of no bytes reads as {}.
//
// Nesting is bounded by encoding/json (10,000 levels), the number of members
// by limit alone: memory beside the body itself stays constant.
func ReadObject(r *http.Request, limit int64, optional bool) (*Object, error) {
	body, err := readBody(r, limit)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 && optional {
		return &Object{}, nil
	}
	return ParseObject(body)
}

// ParseObject reads one JSON object that did not come as a request body, by the
// same rules. The object refers to data, which must not change afterwards.
func ParseObject(data []byte) (*Object, error) {
	// encoding/json would let invalid UTF-8 pass and replace it later.
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, ErrSyntax
	}
	if start := skipBlanks(data, 0); data[start] != '{' {
		return nil, ErrSyntax
	}
	return newObject(data), nil
}

// readBody reads up to limit bytes.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, ErrTooLarge
	}
	size := int64(512)
	if r.ContentLength >= 0 {
		size = min(r.ContentLength+1, firstRead) // one more, to meet the end without growing
	}
	body := make([]byte, 0, size)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if int64(len(body)) > limit {
			return nil, ErrTooLarge
		}
		if err == io.EOF { // io.Reader promises the bare value
			return body, nil
		}
		if err != nil {
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				return nil, ErrTooLarge
			}
			return nil, fmt.Errorf("%w: read: %w", ErrSyntax, err)
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}
