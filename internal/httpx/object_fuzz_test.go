package httpx_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/internal/httpx"
)

// FuzzParseObject holds the reader against encoding/json: the same texts are
// objects, and every member has the same value.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":"b"}`, `{"a":"\ud800\udc00\ud800","\u0061":[1,{"b":null}],"c":-1.5e3}`, `{"a":1}x`, `[{}]`, ``, ` `,
		`{"a":{"a":{"a":"}\"{"}}}`, "{\"\xff\":1}", `{"a":1,"a":null,"A":true,"\ud83d\ude00":"\\\"\u0000"}`, `{"a" : [ "x" , "\n" ] }`,
		`{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"1":[2]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		o, err := httpx.ParseObject(data)
		var want map[string]json.RawMessage
		valid := utf8.Valid(data) && json.Unmarshal(data, &want) == nil && want != nil
		if (err == nil) != valid {
			t.Fatalf("ParseObject(%q) = %v, but encoding/json says %v", data, err, valid)
		}
		if err != nil {
			return
		}
		for key, raw := range want {
			compare(t, o, key, raw)
		}
		if !bytes.Equal(data, before) {
			t.Errorf("reading changed the text: %q, was %q", data, before)
		}
	})
}

func compare(t *testing.T, o *httpx.Object, key string, raw json.RawMessage) {
	t.Helper()
	got, present := o.Raw(key)
	if present != (string(raw) != "null") || present && !bytes.Equal(got, raw) {
		t.Errorf("Raw(%q) = %s, %v, want %s", key, got, present, raw)
	}
	var s string
	if raw[0] == '"' && json.Unmarshal(raw, &s) == nil && !strings.Contains(s, "\x00") {
		if got, ok := o.String(key); got != s || !ok {
			t.Errorf("String(%q) = %q, %v, want %q", key, got, ok, s)
		}
	}
	var n int64
	if present && json.Unmarshal(raw, &n) == nil {
		if got, ok := o.Int(key); got != n || !ok {
			t.Errorf("Int(%q) = %d, %v, want %d", key, got, ok, n)
		}
	}
	var list []json.RawMessage
	if raw[0] == '[' && json.Unmarshal(raw, &list) == nil {
		if got, ok := o.Array(key); !ok || !cmp.Equal(list, got) {
			t.Errorf("Array(%q) = %s, want %s", key, got, list)
		}
	}
	if raw[0] == '{' {
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(raw, &inner); err != nil {
			t.Fatal(err)
		}
		nested, ok := o.Object(key)
		if !ok {
			t.Fatalf("Object(%q) is absent", key)
		}
		for k, v := range inner {
			compare(t, nested, k, v)
		}
	}
	_, _ = o.Strings(key)
	_, _ = o.Bool(key)
}
