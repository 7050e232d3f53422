package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"parley/internal/chat"
)

func TestContentBytes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   NewMessage
		want string // whose length it is
	}{
		{NewMessage{}, `{}`},
		{NewMessage{Text: "a"}, `{"text":"a"}`},
		{NewMessage{Text: "<é\u2028\U0001f9ea>\"\\\n\x01\x7f"}, `{"text":"<é` + "\u2028\U0001f9ea" + `>\"\\\n\u0001` + "\x7f" + `"}`},
		{NewMessage{Data: []byte(`{ "a" : [ 1.0e2, "b c" ] }`)}, `{"data":{"a":[1.0e2,"b c"]}}`},
		{NewMessage{Data: []byte(`{"a":"\u00e9\ud83e\uddea\/\"\\\u0001\n\u003c\uD800x\udc00"}`)}, `{"data":{"a":"é🧪/\"\\\u0001\n<\ud800x\udc00"}}`},
		{NewMessage{Text: "a", Data: []byte(`{}`), Metadata: []byte(`{"m":null}`)}, `{"text":"a","data":{}}{"m":null}`},
		{NewMessage{Attachment: 1}, `{"attachment_id":"att_0123456789012345678901"}`},
	} {
		if got := contentBytes(&test.in); got != len(test.want) {
			t.Errorf("%+v: got %d bytes, want %d: %s", test.in, got, len(test.want), test.want)
		}
	}
}

// The size of JSON is that of what an encoder makes of it, compact and without
// needless escapes.
func FuzzContentBytes(f *testing.F) {
	for _, seed := range []string{
		`"\u00e9"`, `"\ud83e\uddea"`, `"\ud83e"`, `{"a": [1, 2.50, true, null]}`, "\"\u2028<&>\\/\"", `"\\u0041"`, `" \t\"\b\f"`, `[ ]`, `"\uDC00\uD800"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		text := NewMessage{Text: raw}
		if storable(raw) && raw != "" {
			want := len(`{"text":}`) + len(encoded(t, raw))
			if got := contentBytes(&text); got != want {
				t.Errorf("text %q: got %d bytes, want %d", raw, got, want)
			}
		}
		if !storable(raw) || !json.Valid([]byte(raw)) {
			return
		}
		want := 0
		for i, part := range split(raw) {
			if i%2 == 0 {
				var compact bytes.Buffer
				for _, c := range []byte(part) {
					if !strings.ContainsRune(" \t\r\n", rune(c)) {
						compact.WriteByte(c)
					}
				}
				want += compact.Len()
				continue
			}
			var s string
			if err := json.Unmarshal([]byte(part), &s); err != nil {
				t.Fatalf("string %s: %v", part, err)
			}
			if strings.Contains(s, "\ufffd") {
				return // half a surrogate pair, which the library replaces
			}
			want += len(encoded(t, s))
		}
		if got := jsonBytes([]byte(raw)); got != want {
			t.Errorf("JSON %s: got %d bytes, want %d", raw, got, want)
		}
	})
}

// split cuts JSON into what is outside of strings and the strings, in turn.
func split(raw string) (parts []string) {
	from := 0
	inside := false
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '\\':
			i++
		case raw[i] == '"' && !inside:
			parts, from, inside = append(parts, raw[from:i]), i, true
		case raw[i] == '"':
			parts, from, inside = append(parts, raw[from:i+1]), i+1, false
		}
	}
	return append(parts, raw[from:])
}

func encoded(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatalf("encode %q: %v", s, err)
	}
	out := strings.TrimSuffix(b.String(), "\n")
	return strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029").Replace(out) // the encoder escapes them all the same
}

func TestCheckMessage(t *testing.T) {
	t.Parallel()
	ok := NewMessage{ClientID: "x", Type: chat.MessageText, Text: "a"}
	for _, test := range []struct {
		what    string
		surface chat.Surface
		change  func(*NewMessage)
		want    chat.Code
		field   string
	}{
		{"good", chat.SurfaceAgentChat, func(*NewMessage) {}, "", ""},
		{"blank", chat.SurfaceAgentChat, func(m *NewMessage) { m.Text = " " }, "", ""},
		{"long", chat.SurfaceAgentChat, func(m *NewMessage) { m.Text = strings.Repeat("é", 10_000) }, "", ""},
		{"no own id", chat.SurfaceAgentChat, func(m *NewMessage) { m.ClientID = "" }, chat.CodeFieldLength, "client_msg_id"},
		{"long own id", chat.SurfaceAgentChat, func(m *NewMessage) { m.ClientID = strings.Repeat("é", 129) }, chat.CodeFieldLength, "client_msg_id"},
		{"NUL in own id", chat.SurfaceAgentChat, func(m *NewMessage) { m.ClientID = "\x00" }, chat.CodeFieldInvalid, "client_msg_id"},
		{"system", chat.SurfaceAgentChat, func(m *NewMessage) { m.Type = chat.MessageSystem }, chat.CodeFieldInvalid, "type"},
		{"empty", chat.SurfaceAgentChat, func(m *NewMessage) { m.Text = "" }, chat.CodeTextEmpty, ""},
		{"data only", chat.SurfaceAgentChat, func(m *NewMessage) { m.Text, m.Data = "", []byte(`{}`) }, "", ""},
		{"file only", chat.SurfaceAgentChat, func(m *NewMessage) { m.Text, m.Attachment = "", 7 }, "", ""},
		{"no UTF-8", chat.SurfaceAgentChat, func(m *NewMessage) { m.Text = "\xff" }, chat.CodeFieldInvalid, "content"},
		{"NUL in metadata", chat.SurfaceAgentChat, func(m *NewMessage) { m.Metadata = []byte("\x00") }, chat.CodeFieldInvalid, "metadata"},
		{"too large", chat.SurfaceAgentChat, func(m *NewMessage) { m.Text = strings.Repeat("x", 32_768) }, chat.CodeContentTooLarge, ""},
		{"no own id elsewhere", chat.SurfaceOpenCord, func(m *NewMessage) { m.ClientID = "" }, "", ""},
		{"blank elsewhere", chat.SurfaceOpenCord, func(m *NewMessage) { m.Text = " " }, chat.CodeTextEmpty, ""},
		{"long elsewhere", chat.SurfaceOpenCord, func(m *NewMessage) { m.Text = strings.Repeat("x", 4001) }, chat.CodeTextTooLong, "content"},
	} {
		in := ok
		test.change(&in)
		err := checkMessage(&in, limits(test.surface))
		if chat.CodeOf(err) != test.want {
			t.Errorf("%s: got %v, want %q", test.what, err, test.want)
			continue
		}
		if e := new(chat.Error); errors.As(err, &e) && e.Field != test.field {
			t.Errorf("%s: got field %q, want %q", test.what, e.Field, test.field)
		}
	}
}
