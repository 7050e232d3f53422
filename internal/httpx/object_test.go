package httpx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/httpx"
)

func parse(t *testing.T, text string) *httpx.Object {
	t.Helper()
	o, err := httpx.ParseObject([]byte(text))
	if err != nil {
		t.Fatalf("ParseObject(%q): %v", text, err)
	}
	return o
}

func TestObjectValues(t *testing.T) {
	t.Parallel()
	o := parse(t, ` { "s" : "plain" , "esc":"a\"b\\c\/\b\f\n\r\t\u0041\u00e9\u4f60\ud83d\uDE00", "empty":"",
		"yes":true,"no":false,"n":-12,"big":9223372036854775807,"nil":null,
		"raw":{"x":[1, 2.50,"}"]}, "list":[ "a" , "\u0062" ], "none":[],
		"obj":{"s":"inner","deep":{"n":7}}, "Case":"upper","case":"lower",
		"dup":"first","dup":"last", "gone":"first","gone":null, "\u006bey":"escaped key" } `)

	got := map[string]any{}
	note := func(key string) func(any, bool) {
		return func(v any, present bool) {
			if !present {
				v = "absent"
			}
			got[key] = v
		}
	}
	str := func(key string) { v, ok := o.String(key); note(key)(v, ok) }
	for _, key := range []string{"s", "esc", "empty", "nil", "missing", "Case", "case", "CASE", "dup", "gone", "key"} {
		str(key)
	}
	for _, key := range []string{"yes", "no"} {
		v, ok := o.Bool(key)
		note(key)(v, ok)
	}
	for _, key := range []string{"n", "big"} {
		v, ok := o.Int(key)
		note(key)(v, ok)
	}
	raw, ok := o.Raw("raw")
	note("raw")(string(raw), ok)
	for _, key := range []string{"list", "none"} {
		v, ok := o.Strings(key)
		note(key)(v, ok)
	}
	elements, ok := o.Array("list")
	note("elements")(fmt.Sprintf("%s", elements), ok)
	inner, _ := o.Object("obj")
	deep, _ := inner.Object("deep")
	n, ok := deep.Int("n")
	note("obj.deep.n")(n, ok)
	if err := o.Err(); err != nil {
		t.Errorf("Err = %v, want none", err)
	}

	want := map[string]any{
		"s": "plain", "esc": "a\"b\\c/\b\f\n\r\tA\u00e9\u4f60\U0001f600", "empty": "", "nil": "absent", "missing": "absent",
		"Case": "upper", "case": "lower", "CASE": "absent", "dup": "last", "gone": "absent", "key": "escaped key",
		"yes": true, "no": false, "n": int64(-12), "big": int64(9223372036854775807), "raw": `{"x":[1, 2.50,"}"]}`,
		"list": []string{"a", "b"}, "none": []string{}, "elements": `["a" "\u0062"]`, "obj.deep.n": int64(7),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestObjectPresence(t *testing.T) {
	t.Parallel()
	o := parse(t, `{"null":null,"text":"x","zero":0}`)
	for key, want := range map[string]httpx.Presence{
		"missing": httpx.Absent, "null": httpx.Null, "text": httpx.Present, "zero": httpx.Present,
	} {
		if got := o.Presence(key); got != want {
			t.Errorf("Presence(%s) = %d, want %d", key, got, want)
		}
	}
	for key, want := range map[string]httpx.Presence{"missing": httpx.Absent, "null": httpx.Null, "text": httpx.Present} {
		if _, got := o.StringOrNull(key); got != want {
			t.Errorf("StringOrNull(%s) = %d, want %d", key, got, want)
		}
	}
	if err := o.Err(); err != nil {
		t.Errorf("Err = %v, want none", err)
	}
}

func TestObjectFieldErrors(t *testing.T) {
	t.Parallel()
	const text = `{"s":"x","n":1,"f":1.0,"e":1e3,"huge":9223372036854775808,"b":true,"o":{"s":5,"z":"\u0000"},
		"a":[1],"an":["\u0000"],"nul":"a\u0000b","ok":"\\u0000","word":"\\\\u0000"}`
	for _, tc := range []struct {
		name string
		read func(*httpx.Object)
		want *httpx.FieldError
	}{
		{"number for string", func(o *httpx.Object) { o.String("n") }, &httpx.FieldError{Field: "n", Want: "a string"}},
		{"boolean for nullable string", func(o *httpx.Object) { o.StringOrNull("b") }, &httpx.FieldError{Field: "b", Want: "a string"}},
		{"string for boolean", func(o *httpx.Object) { o.Bool("s") }, &httpx.FieldError{Field: "s", Want: "a boolean"}},
		{"string for integer", func(o *httpx.Object) { o.Int("s") }, &httpx.FieldError{Field: "s", Want: "an integer"}},
		{"fraction for integer", func(o *httpx.Object) { o.Int("f") }, &httpx.FieldError{Field: "f", Want: "an integer"}},
		{"exponent for integer", func(o *httpx.Object) { o.Int("e") }, &httpx.FieldError{Field: "e", Want: "an integer"}},
		{"integer too large", func(o *httpx.Object) { o.Int("huge") }, &httpx.FieldError{Field: "huge", Want: "an integer"}},
		{"string for object", func(o *httpx.Object) { o.Object("s") }, &httpx.FieldError{Field: "s", Want: "an object"}},
		{"object for array", func(o *httpx.Object) { o.Array("o") }, &httpx.FieldError{Field: "o", Want: "an array"}},
		{"object for strings", func(o *httpx.Object) { o.Strings("o") }, &httpx.FieldError{Field: "o", Want: "an array of strings"}},
		{"numbers for strings", func(o *httpx.Object) { o.Strings("a") }, &httpx.FieldError{Field: "a", Want: "an array of strings"}},
		{"NUL", func(o *httpx.Object) { o.String("nul") }, &httpx.FieldError{Field: "nul", Kind: httpx.KindNUL}},
		{"NUL among strings", func(o *httpx.Object) { o.Strings("an") }, &httpx.FieldError{Field: "an", Kind: httpx.KindNUL}},
		{"escaped backslash is no NUL", func(o *httpx.Object) { o.String("ok"); o.String("word") }, nil},
		{"the first read counts", func(o *httpx.Object) { o.String("nul"); o.Int("s") }, &httpx.FieldError{Field: "nul", Kind: httpx.KindNUL}},
		{"nested", func(o *httpx.Object) {
			in, _ := o.Object("o")
			in.String("s")
			o.Bool("n")
			if in.Err() == nil {
				t.Error("the nested object says nothing")
			}
		}, &httpx.FieldError{Field: "o.s", Want: "a string"}},
		{"unread fields do not matter", func(o *httpx.Object) { o.String("s"); o.Raw("nul"); o.Presence("an") }, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := parse(t, text)
			tc.read(o)
			var got *httpx.FieldError
			if err := o.Err(); err != nil && !errors.As(err, &got) {
				t.Fatalf("Err = %T, want *FieldError", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if got != nil && !strings.HasPrefix(got.Error(), got.Field+" must ") {
				t.Errorf("Error() = %q, want the field in it", got)
			}
		})
	}
}

func TestObjectWrongTypeIsPresent(t *testing.T) {
	t.Parallel()
	o := parse(t, `{"s":5,"b":"true","n":"5","z":"\u0000"}`)
	if v, ok := o.String("s"); v != "" || !ok {
		t.Errorf("String = %q, %v, want empty and present", v, ok)
	}
	if v, ok := o.Bool("b"); v || !ok {
		t.Errorf("Bool = %v, %v, want false and present", v, ok)
	}
	if v, ok := o.Int("n"); v != 0 || !ok {
		t.Errorf("Int = %v, %v, want 0 and present", v, ok)
	}
	if v, ok := o.String("z"); v != "" || !ok {
		t.Errorf("String with NUL = %q, %v, want empty and present", v, ok)
	}
}

func TestLoneSurrogates(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`\ud800`:             "\ufffd",
		`\udc00`:             "\ufffd",
		`\ud800\ud800`:       "\ufffd\ufffd",
		`\udc00\ud800`:       "\ufffd\ufffd",
		`\ud800\u0041`:       "\ufffdA",
		`\ud800\n`:           "\ufffd\n",
		`\ud800x`:            "\ufffdx",
		`\ud83d\ude00`:       "\U0001f600",
		`\ud83d\ud83d\ude00`: "\ufffd\U0001f600",
	} {
		if got, _ := parse(t, `{"s":"`+raw+`"}`).String("s"); got != want {
			t.Errorf("%s = %q, want %q", raw, got, want)
		}
	}
}

func TestFoldKeys(t *testing.T) {
	t.Parallel()
	o := parse(t, `{"ChannelId":"first","CHANNELID":"last","Inner":{"KEY":1},"\u0054ext":"t"}`)
	o.FoldKeys()
	if got, _ := o.String("channelId"); got != "last" {
		t.Errorf("channelId = %q, want last", got)
	}
	if got, _ := o.String("text"); got != "t" {
		t.Errorf("text = %q, want t", got)
	}
	inner, _ := o.Object("inner")
	if got, _ := inner.Int("key"); got != 1 {
		t.Errorf("inner.key = %d, want 1", got)
	}
}

// Above a few members the reader keeps no index; the answers must not change.
func TestObjectOfAnySize(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		var text strings.Builder
		text.WriteString(`{"dup":"first"`)
		for i := range n {
			fmt.Fprintf(&text, `,"k%d":"%d"`, i, i)
		}
		text.WriteString(`,"dup":"last","en\u0064":{"x":1}}`)
		o := parse(t, text.String())
		if got, _ := o.String("dup"); got != "last" {
			t.Errorf("%d members: dup = %q, want last", n, got)
		}
		if raw, _ := o.Raw("end"); string(raw) != `{"x":1}` {
			t.Errorf("%d members: end = %s", n, raw)
		}
		for i := range n {
			if got, _ := o.String(fmt.Sprintf("k%d", i)); got != fmt.Sprint(i) {
				t.Errorf("%d members: k%d = %q", n, i, got)
			}
		}
	}
}

func TestHasNUL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		`{}`: false, `"\u0000"`: true, `{"\u0000":1}`: true, `["\\u0000"]`: false, `["\\\u0000"]`: true,
		`["\u0001","\u00000"]`: true, `"\\"`: false,
	} {
		if got := httpx.HasNUL([]byte(raw)); got != want {
			t.Errorf("HasNUL(%s) = %v, want %v", raw, got, want)
		}
	}
}
