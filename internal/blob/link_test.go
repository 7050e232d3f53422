package blob_test

import (
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"parley/internal/blob"
)

var today = time.Date(2026, 11, 21, 21, 26, 5, 0, time.UTC)

func query(t testing.TB, text string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatalf("read the query %q: %v", text, err)
	}
	return values
}

func TestALinkAllowsWhatItWasSignedFor(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	other, err := blob.Open(t.TempDir(), [32]byte{9})
	if err != nil {
		t.Fatalf("open another store: %v", err)
	}
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Errorf("close another store: %v", err)
		}
	})
	expires := today.Add(5 * time.Minute)
	link := s.Sign(blob.OpDownload, "a/b", expires, "x", "yz")
	changed := func(change func(url.Values)) url.Values {
		values := query(t, link)
		change(values)
		return values
	}
	same := func(url.Values) {}
	for _, test := range []struct {
		name   string
		store  *blob.Store
		op     blob.Op
		key    string
		change func(url.Values)
		now    time.Time
		want   error
	}{
		{name: "as signed"},
		{name: "a moment before the end", now: expires.Add(-time.Nanosecond)},
		{name: "with other parameters", change: func(v url.Values) { v.Set("utm_source", "x") }},
		{name: "at the end", now: expires, want: blob.ErrExpired},
		{name: "to upload", op: blob.OpUpload, want: blob.ErrSignature},
		{name: "another key", key: "a/c", want: blob.ErrSignature},
		{name: "another store", store: other, want: blob.ErrSignature},
		{name: "prolonged", change: func(v url.Values) { v.Set("expires", "9999999999") }, want: blob.ErrSignature},
		{name: "prolonged when expired", now: expires, change: func(v url.Values) { v.Set("expires", "9999999999") }, want: blob.ErrSignature},
		{name: "two ends", change: func(v url.Values) { v.Add("expires", "9999999999") }, want: blob.ErrSignature},
		{name: "no end", change: func(v url.Values) { v.Del("expires") }, want: blob.ErrSignature},
		{name: "no signature", change: func(v url.Values) { v.Del("signature") }, want: blob.ErrSignature},
		{name: "empty signature", change: func(v url.Values) { v.Set("signature", "") }, want: blob.ErrSignature},
		{name: "two signatures", change: func(v url.Values) { v.Add("signature", v.Get("signature")) }, want: blob.ErrSignature},
		{name: "extra left out", change: func(v url.Values) { v.Del("extra") }, want: blob.ErrSignature},
		{name: "extra added", change: func(v url.Values) { v.Add("extra", "z") }, want: blob.ErrSignature},
		{name: "extra cut elsewhere", change: func(v url.Values) { v["extra"] = []string{"xy", "z"} }, want: blob.ErrSignature},
		{name: "extra in another order", change: func(v url.Values) { slices.Reverse(v["extra"]) }, want: blob.ErrSignature},
	} {
		if test.store == nil {
			test.store = s
		}
		if test.op == "" {
			test.op = blob.OpDownload
		}
		if test.key == "" {
			test.key = "a/b"
		}
		if test.change == nil {
			test.change = same
		}
		if test.now.IsZero() {
			test.now = today
		}
		values := changed(test.change)
		if err := test.store.Verify(test.op, test.key, values, test.now); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	if got := query(t, link)[blob.ExtraParam]; !slices.Equal(got, []string{"x", "yz"}) {
		t.Errorf("got extra %q, want x and yz", got)
	}
}

func FuzzVerify(f *testing.F) {
	s := open(f, f.TempDir())
	deadline := today.Add(time.Minute)
	genuine := s.Sign(blob.OpUpload, "a", deadline, "x")
	f.Add(genuine, "a")
	f.Add(genuine, "b")
	f.Add(genuine+"&extra=y", "a")
	f.Add(genuine+"&other=y", "a")
	f.Add("expires=99999999999999999999&signature=x", "a")
	f.Add("", "")
	want := query(f, genuine)
	f.Fuzz(func(t *testing.T, text, key string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		same := key == "a" && slices.Equal(values["expires"], want["expires"]) &&
			slices.Equal(values["extra"], want["extra"]) && slices.Equal(values["signature"], want["signature"])
		if got := s.Verify(blob.OpUpload, key, values, today) == nil; got != same {
			t.Errorf("query %q, key %q: got %v, want %v", text, key, got, same)
		}
		if s.Verify(blob.OpDownload, key, values, today) == nil {
			t.Errorf("an upload link %q downloads", text)
		}
		// Whatever is signed is verified.
		if link := s.Sign(blob.OpDownload, key, deadline, text); s.Verify(blob.OpDownload, key, query(t, link), today) != nil {
			t.Errorf("the link %q is refused", link)
		}
	})
}
