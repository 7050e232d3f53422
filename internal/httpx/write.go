package httpx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
)

// maxPooled keeps the buffer of one long list from staying with the pool.
const maxPooled = 64 << 10

// encoders holds *encoder: buffer and codec together, because a json.Encoder
// is bound to its writer. It spares memory and carries nothing from one answer
// to the next.
var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}}

type encoder struct {
	buf  bytes.Buffer
	json *json.Encoder
}

// WriteJSON answers with v as JSON: no HTML escapes, no newline at the end. An
// error says that v cannot be encoded, and that nothing has been written yet.
// A client that has gone away is not an error.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	e := encoders.Get().(*encoder)
	e.buf.Reset()
	defer func() {
		if e.buf.Cap() <= maxPooled {
			encoders.Put(e)
		}
	}()
	if err := e.json.Encode(v); err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	WriteBody(w, status, bytes.TrimSuffix(e.buf.Bytes(), []byte("\n")))
	return nil
}

// WriteBody answers with a body that is JSON already. For HEAD the server
// sends the headers and drops the body.
func WriteBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	values := [...]string{"application/json; charset=utf-8", strconv.Itoa(len(body))}
	h["Content-Type"], h["Content-Length"] = values[0:1:1], values[1:2:2]
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: there is nobody left to tell
}
