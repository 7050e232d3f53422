package blob_test

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"parley/internal/blob"
)

// serve answers one request for the blob "a".
func serve(t testing.TB, s *blob.Store, method string, header http.Header, meta blob.Download) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/blob", http.NoBody)
	r.Header = header
	w := httptest.NewRecorder()
	if err := s.ServeDownload(w, r, "a", meta); err != nil {
		t.Fatalf("serve: %v", err)
	}
	return w.Result()
}

func stored(t testing.TB, content string) *blob.Store {
	t.Helper()
	s := open(t, t.TempDir())
	if _, err := s.Put(t.Context(), "a", strings.NewReader(content), blob.Want{}); err != nil {
		t.Fatalf("put: %v", err)
	}
	return s
}

func TestADownloadCannotRunInABrowser(t *testing.T) {
	t.Parallel()
	s := stored(t, "<script>alert(1)</script>")
	got := serve(t, s, http.MethodGet, nil, blob.Download{ContentType: "text/plain", Filename: "a.txt"})
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		t.Errorf("got status %d, want 200", got.StatusCode)
	}
	for name, want := range map[string]string{
		"Content-Type":            "text/plain",
		"Content-Disposition":     `attachment; filename="a.txt"`,
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'",
		"Content-Length":          "25",
		"Accept-Ranges":           "bytes",
	} {
		if got := got.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for declared, want := range map[string]string{
		"":                               "application/octet-stream",
		"nonsense":                       "application/octet-stream",
		"text/html\r\nSet-Cookie: a=b":   "application/octet-stream",
		"audio/ogg":                      "audio/ogg",
		`text/csv; charset="utf-8"; a=b`: "text/csv; a=b; charset=utf-8",
	} {
		got := serve(t, s, http.MethodGet, nil, blob.Download{ContentType: declared})
		got.Body.Close()
		if got := got.Header.Get("Content-Type"); got != want {
			t.Errorf("%q: got %q, want %q", declared, got, want)
		}
	}
}

func TestDownloadsInParts(t *testing.T) {
	t.Parallel()
	s := stored(t, "0123456789")
	for _, test := range []struct {
		method, byteRange string
		status            int
		body, length      string
	}{
		{method: http.MethodGet, status: 200, body: "0123456789", length: "10"},
		{method: http.MethodHead, status: 200, length: "10"},
		{method: http.MethodGet, byteRange: "bytes=2-4", status: 206, body: "234", length: "3"},
		{method: http.MethodGet, byteRange: "bytes=-1", status: 206, body: "9", length: "1"},
		{method: http.MethodHead, byteRange: "bytes=2-4", status: 206, length: "3"},
		{method: http.MethodGet, byteRange: "bytes=10-", status: 416, body: "invalid range: failed to overlap\n"},
	} {
		header := http.Header{}
		if test.byteRange != "" {
			header.Set("Range", test.byteRange)
		}
		got := serve(t, s, test.method, header, blob.Download{ContentType: "text/plain"})
		body := new(strings.Builder)
		if _, err := io.Copy(body, got.Body); err != nil {
			t.Fatalf("read the body: %v", err)
		}
		got.Body.Close()
		if got.StatusCode != test.status || body.String() != test.body || test.length != "" && got.Header.Get("Content-Length") != test.length {
			t.Errorf("%s %q: got %d %q with length %s, want %d %q with length %s", test.method, test.byteRange,
				got.StatusCode, body, got.Header.Get("Content-Length"), test.status, test.body, test.length)
		}
	}
}

func TestNothingIsWrittenForABlobThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for key, want := range map[string]error{"a": blob.ErrNotFound, "../a": blob.ErrKey} {
		w := httptest.NewRecorder()
		err := s.ServeDownload(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody), key, blob.Download{})
		if !errors.Is(err, want) || w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%q: got %v, headers %v, body %q; want %v and nothing else", key, err, w.Header(), w.Body, want)
		}
	}
}

func TestFilenames(t *testing.T) {
	t.Parallel()
	s := stored(t, "x")
	for filename, want := range map[string]string{
		"":                  `attachment; filename="file"`,
		"..":                `attachment; filename="file"`,
		" .profile ":        `attachment; filename="profile"`,
		"a b.txt":           `attachment; filename="a b.txt"`,
		`a"; x="b`:          `attachment; filename="a_; x=_b"`,
		"../../etc/passwd":  `attachment; filename="_.._etc_passwd"`,
		`C:\boot.ini`:       `attachment; filename="C:_boot.ini"`,
		"a\r\nX: y\x00.txt": `attachment; filename="a__X: y_.txt"`,
		"a%41.txt":          `attachment; filename="a_41.txt"; filename*=UTF-8''a%2541.txt`,
		"Grüße 你好.pdf":      `attachment; filename="Gr__e __.pdf"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%E4%BD%A0%E5%A5%BD.pdf`,
		"it's (1)*.txt":     `attachment; filename="it's (1)*.txt"`,
		"ä'*.txt":           `attachment; filename="_'*.txt"; filename*=UTF-8''%C3%A4%27%2A.txt`,
		"fdp.\u202eexe.txt": `attachment; filename="fdp._exe.txt"`,
		"a\xffb":            `attachment; filename="a_b"`,
	} {
		got := serve(t, s, http.MethodHead, nil, blob.Download{Filename: filename})
		got.Body.Close()
		if got := got.Header.Get("Content-Disposition"); got != want {
			t.Errorf("%q:\n got %s\nwant %s", filename, got, want)
		}
	}
	if got := utf8.RuneCountInString(blob.SafeFilename(strings.Repeat("ä", 1000))); got != 255 {
		t.Errorf("got %d characters of a long name, want 255", got)
	}
}

func FuzzFilename(f *testing.F) {
	for _, name := range []string{"", "a.txt", `a"b`, "ä.txt", "a\r\nb", "../a", "a%41", "\xff", "\u202ea", "'", "a;b=c", `\"`} {
		f.Add(name)
	}
	s := stored(f, "x")
	f.Fuzz(func(t *testing.T, name string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/", http.NoBody)
		if err := s.ServeDownload(w, r, "a", blob.Download{Filename: name, ContentType: name}); err != nil {
			t.Fatalf("serve: %v", err)
		}
		for _, header := range []string{"Content-Disposition", "Content-Type"} {
			value := w.Header().Get(header)
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%q: got %s %q, want printable ASCII", name, header, value)
			}
		}
		kind, params, err := mime.ParseMediaType(w.Header().Get("Content-Disposition"))
		if err != nil || kind != "attachment" || len(params) != 1 {
			t.Fatalf("%q: got %s, %v, %v; want an attachment with a name", name, kind, params, err)
		}
		safe := blob.SafeFilename(name)
		if params["filename"] != safe {
			t.Errorf("%q: clients read the name %q, want %q", name, params["filename"], safe)
		}
		if safe == "" || safe == "." || safe == ".." || blob.SafeFilename(safe) != safe || !utf8.ValidString(safe) ||
			strings.ContainsAny(safe, "/\\\"") || strings.ContainsFunc(safe, unicode.IsControl) {
			t.Errorf("%q: got the unsafe name %q", name, safe)
		}
	})
}
