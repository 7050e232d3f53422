package agentchat_test

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

// portraitOf is a square picture as PNG, of one grey.
func portraitOf(t testing.TB, side int, grey uint8) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for i := range picture.Pix {
		picture.Pix[i] = grey
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatalf("encode a picture: %v", err)
	}
	return out.Bytes()
}

// portrait is a picture that an avatar can be made of.
func portrait(t testing.TB) []byte {
	t.Helper()
	return portraitOf(t, 128, 0x80)
}

func TestAvatar(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		path := "/v1/agents/" + a.handle + "/avatar"
		code(a.Delete(path), 404, "NOT_FOUND")

		r := a.Put(path, portrait(t), "Content-Type: application/octet-stream").Want(200)
		key, url := r.Text("avatar_key"), r.Text("avatar_url")
		if !regexp.MustCompile(`^[0-9a-f]{16}/[0-9a-f]{32}\.png$`).MatchString(key) {
			t.Errorf("key: got %q, want 16 and 32 hexadecimal digits", key)
		}
		if want := w.Server.URL + "/v1/avatars/" + key; url != want {
			t.Errorf("url: got %q, want %q", url, want)
		}
		a.Get("/v1/agents/me").Want(200).Is("avatar_url", url)
		w.Visitor(t).Get("/v1/agents/"+a.handle).Want(200).Is("avatar_url", url)

		picture := w.Visitor(t).Get(url).Want(200)
		for name, want := range map[string]string{
			"Content-Type": "image/png", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		} {
			if got := picture.Header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		size, err := png.DecodeConfig(strings.NewReader(picture.Raw))
		if err != nil || size.Width != 512 || size.Height != 512 {
			t.Errorf("picture: got %d x %d, %v; want 512 x 512", size.Width, size.Height, err)
		}
		if got := w.Visitor(t).Get(url, "If-None-Match: "+picture.Header.Get("ETag")); got.Status != http.StatusNotModified {
			t.Errorf("the same picture again: got %d, want 304", got.Status)
		}

		a.Put(path, portrait(t)).Want(200).Is("avatar_key", key) // the same stays
		w.Visitor(t).Get(url).Want(200)
		other := a.Put(path, portraitOf(t, 200, 0x40)).Want(200).Text("avatar_url")
		code(w.Visitor(t).Get(url), 404, "NOT_FOUND")
		w.Visitor(t).Get(other).Want(200)
		a.Delete(path).Want(200).Is("ok", true)
		code(w.Visitor(t).Get(other), 404, "NOT_FOUND")
		a.Get("/v1/agents/me").Want(200).Is("avatar_url", nil)
	})
}

func TestAvatarIsRefused(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for _, test := range []struct {
			name   string
			body   any
			status int
			code   string
		}{
			{"no body", nil, 400, "EMPTY_BODY"},
			{"empty", "", 400, "EMPTY_BODY"},
			{"text", "hello", 400, "UNSUPPORTED_FORMAT"},
			{"half a picture", portrait(t)[:100], 400, "DECODE_FAILED"},
			{"small", portraitOf(t, 127, 0), 400, "IMAGE_TOO_SMALL"},
			{"large", bytes.Repeat([]byte("x"), 5<<20+1), 413, "PAYLOAD_TOO_LARGE"},
			{"as large as can be", bytes.Repeat([]byte("x"), 5<<20), 400, "UNSUPPORTED_FORMAT"},
		} {
			a := w.agent(t)
			r := a.Put("/v1/agents/"+a.handle+"/avatar", test.body)
			if r.Status != test.status || r.At("code") != test.code {
				t.Errorf("%s: got %d %s, want %d %s", test.name, r.Status, r.Raw, test.status, test.code)
			}
		}
		// A body that does not say how long it is.
		a := w.agent(t)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.Server.URL+"/v1/agents/"+a.handle+"/avatar",
			io.LimitReader(endless{}, 5<<20+1))
		if err != nil {
			t.Fatalf("request: %v", err)
		}
		req.Header.Set("Authorization", "Bearer "+a.Token)
		res, err := w.Server.Client().Do(req)
		if err != nil {
			t.Fatalf("put: %v", err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a body without a length: got %d, want 413", res.StatusCode)
		}
	})
}

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAvatarsPerMinute(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		path := "/v1/agents/" + a.handle + "/avatar"
		for range 4 {
			code(a.Put(path, "no picture"), 400, "UNSUPPORTED_FORMAT")
		}
		code(a.Delete(path), 404, "NOT_FOUND")
		r := a.Put(path, portrait(t))
		throttled(t, r, "RATE_LIMITED", 30*time.Second)
		r.Is("retry_after_ms", 30_000)
		throttled(t, a.Delete(path), "RATE_LIMITED", 30*time.Second)
		w.Clock.Advance(30 * time.Second)
		a.Put(path, portrait(t)).Want(200)
	})
}

func TestAvatarIsRetried(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		path := "/v1/agents/" + a.handle + "/avatar"
		for i := range 7 { // more often than the limit allows
			r := a.Put(path, portrait(t), "Idempotency-Key: avatar-1").Want(200)
			replayed(t, r, i > 0)
			w.Visitor(t).Get(r.Text("avatar_url")).Want(200)
		}
	})
}

// The folder of pictures holds files, too: their keys open nothing here.
func TestOnlyPicturesAreOpen(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		attachment := a.upload("secret", object{"to": b.handle})
		v := w.Visitor(t)
		for _, key := range []string{
			"att/" + attachment, "g/att/" + attachment, w.shown("att/", id.KindAttachment, 1), "x/y.png", "g/x/y.png",
			strings.Repeat("a", 16) + "/" + strings.Repeat("b", 32) + ".png",
			strings.Repeat("A", 16) + "/" + strings.Repeat("b", 32) + ".png",
			"..%2f" + strings.Repeat("a", 16) + "/" + strings.Repeat("b", 32) + ".png",
		} {
			r := code(v.Get("/v1/avatars/"+key), 404, "NOT_FOUND")
			if got := r.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: got Cache-Control %q, want no-store", key, got)
			}
		}
	})
}

func TestAvatarsWithoutStorage(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e, func(c *core.Config, _ *agentchat.Config) { c.Blobs = nil })
			a := w.agent(t)
			code(a.Put("/v1/agents/"+a.handle+"/avatar", portrait(t)), 503, "STORAGE_UNAVAILABLE")
		})
	}
}
