package httpx_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"parley/internal/httpx"
)

func TestReadObjectAccepts(t *testing.T) {
	t.Parallel()
	const limit = 64
	for _, tc := range []struct {
		name, body string
		optional   bool
		want       error
	}{
		{"object", `{"a":1}`, false, nil},
		{"empty object", `{}`, false, nil},
		{"blanks around", " \r\n\t{ } \n", false, nil},
		{"empty", "", false, httpx.ErrSyntax},
		{"empty, optional", "", true, nil},
		{"blanks only, optional", " ", true, httpx.ErrSyntax},
		{"exactly the limit", `{"a":"` + strings.Repeat("x", limit-8) + `"}`, false, nil},
		{"one over the limit", `{"a":"` + strings.Repeat("x", limit-7) + `"}`, false, httpx.ErrTooLarge},
		{"far over the limit", `{"a":"` + strings.Repeat("x", 100_000), true, httpx.ErrTooLarge},
		{"array", `[]`, false, httpx.ErrSyntax},
		{"string", `"{}"`, false, httpx.ErrSyntax},
		{"null", `null`, true, httpx.ErrSyntax},
		{"half", `{`, false, httpx.ErrSyntax},
		{"two", `{} {}`, false, httpx.ErrSyntax},
		{"trailing data", `{"a":1}x`, false, httpx.ErrSyntax},
		{"trailing comma", `{"a":1,}`, false, httpx.ErrSyntax},
		{"comment", `{}//`, false, httpx.ErrSyntax},
		{"byte order mark", "\ufeff{}", false, httpx.ErrSyntax},
		{"single quotes", `{'a':1}`, false, httpx.ErrSyntax},
		{"NUL byte", "{\"a\":\"\x00\"}", false, httpx.ErrSyntax},
		{"invalid UTF-8 in a value", "{\"a\":\"\xff\"}", false, httpx.ErrSyntax},
		{"invalid UTF-8 in a key nobody reads", "{\"\xc3\":1}", false, httpx.ErrSyntax},
		{"encoded surrogate", "{\"a\":\"\xed\xa0\x80\"}", false, httpx.ErrSyntax},
		{"escaped lone surrogate", `{"a":"\ud800"}`, false, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for how, in := range map[string]io.Reader{
				"known length":   strings.NewReader(tc.body),
				"unknown length": struct{ io.Reader }{strings.NewReader(tc.body)},
				"byte by byte":   iotest.OneByteReader(strings.NewReader(tc.body)),
			} {
				r := httptest.NewRequest(http.MethodPost, "/", in)
				o, err := httpx.ReadObject(r, limit, tc.optional)
				if !errors.Is(err, tc.want) || (o == nil) != (tc.want != nil) {
					t.Errorf("%s: ReadObject = %v, %v, want error %v", how, o, err, tc.want)
				}
			}
		})
	}
}

func TestReadObjectBreaksOff(t *testing.T) {
	t.Parallel()
	cause := errors.New("line cut")
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("{}"), iotest.ErrReader(cause)))
	if _, err := httpx.ReadObject(r, 64, true); !errors.Is(err, httpx.ErrSyntax) || !errors.Is(err, cause) {
		t.Errorf("error = %v, want ErrSyntax and the cause", err)
	}
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"a":"0123456789"}`))
	r.Body = http.MaxBytesReader(nil, r.Body, 4)
	if _, err := httpx.ReadObject(r, 64, false); !errors.Is(err, httpx.ErrTooLarge) {
		t.Errorf("error = %v, want ErrTooLarge from an outer limit too", err)
	}
}

// Attack: a body that is all brackets, keys or escapes, to exhaust stack,
// memory or time.
func TestHostileBodiesDoNoHarm(t *testing.T) {
	t.Parallel()
	const size = 64 << 10
	for name, tc := range map[string]struct {
		body string
		want error
	}{
		"open brackets":     {`{"a":` + strings.Repeat("[", size-5), httpx.ErrSyntax},
		"open braces":       {strings.Repeat(`{"a":`, size/5), httpx.ErrSyntax},
		"nested too deep":   {`{"a":` + strings.Repeat("[", 32000) + strings.Repeat("]", 32000) + `}`, httpx.ErrSyntax},
		"nested just right": {`{"a":` + strings.Repeat("[", 9999) + strings.Repeat("]", 9999) + `}`, nil},
		"keys":              {`{` + strings.Repeat(`"":1,`, 13000) + `"a":1}`, nil},
		"escaped keys":      {`{` + strings.Repeat(`"\n":1,`, 9300) + `"a":1}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := httpx.ReadObject(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tc.body)), size, false)
			if !errors.Is(err, tc.want) {
				t.Fatalf("error = %v, want %v", err, tc.want)
			}
			if err != nil {
				return
			}
			if _, ok := o.Raw("a"); !ok {
				t.Error("a is absent")
			}
		})
	}
}
