package agentchat_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

const fileText = "hello, file"

// announcement is a body of POST /v1/uploads for a text.
func announcement(text string, change ...object) object {
	sum := sha256.Sum256([]byte(text))
	body := object{
		"filename": "a.txt", "content_type": "text/plain", "size": len(text), "sha256": hex.EncodeToString(sum[:]),
	}
	for _, c := range change {
		for k, v := range c {
			body[k] = v
		}
	}
	return body
}

// announce reserves an upload.
func (a *agent) announce(text string, change ...object) *response {
	a.T.Helper()
	return a.Post("/v1/uploads", announcement(text, change...))
}

// upload announces a file and brings it.
func (a *agent) upload(text string, change ...object) (attachment string) {
	a.T.Helper()
	r := a.announce(text, change...).Want(201)
	a.World.Visitor(a.T).Put(r.Text("upload_url"), text).Want(200)
	return r.Text("attachment_id")
}

// download fetches the link to a file and follows it without a key.
func (a *agent) download(attachment string) *response {
	a.T.Helper()
	location := a.Get("/v1/attachments/" + attachment).Want(302).Header.Get("Location")
	return a.World.Visitor(a.T).Get(location)
}

// groupOf makes a group past the core, as if five messages had been written there.
func (w *world) groupOf(t testing.TB, members ...*agent) (group chat.ConversationID, public string) {
	t.Helper()
	group = w.gather(t, 5, members...)
	return group, w.shown("grp_", id.KindConversation, int64(group))
}

// gather makes a group past the core; the first member is its admin.
func (w *world) gather(t testing.TB, lastSeq int64, members ...*agent) (group chat.ConversationID) {
	t.Helper()
	now := w.Clock.Now()
	conversation := chat.Conversation{Kind: chat.ConversationGroup, LastSeq: lastSeq, CreatedAt: now}
	if lastSeq > 0 {
		conversation.LastAt = now
	}
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		group = chat.ConversationID(n)
		conversation.ID = group
		list := make([]chat.Member, len(members))
		for i, m := range members {
			list[i] = chat.Member{Conversation: group, Account: m.id, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: now}
		}
		list[0].Role = chat.RoleAdmin
		return tx.InsertGroup(ctx, &chat.Group{
			Conversation: conversation, MadeBy: chat.SurfaceAgentChat, Name: "crew", CreatedBy: members[0].id, ByInvitation: true,
		}, list)
	})
	return group
}

func TestUploadForAnAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		r := a.announce(fileText, object{"to": "@" + strings.ToUpper(b.handle)}).Want(201)
		r.Is("expires_in", 7200)
		attachment, link := r.Text("attachment_id"), r.Text("upload_url")
		if !strings.HasPrefix(attachment, "att_") || !strings.HasPrefix(link, w.Server.URL+"/v1/blobs/") {
			t.Errorf("got %s at %s, want att_ and an address of %s", attachment, link, w.Server.URL)
		}
		// Nothing to have yet, not even for those it is for.
		code(a.Get("/v1/attachments/"+attachment), 404, "NOT_FOUND")
		code(b.Get("/v1/attachments/"+attachment), 404, "NOT_FOUND")

		w.Visitor(t).Put(link, fileText, "Content-Type: text/html").Want(200).Is("attachment_id", attachment).Is("size", len(fileText))
		for _, reader := range []*agent{a, b} {
			got := reader.download(attachment).Want(200)
			if got.Raw != fileText {
				t.Errorf("content: got %q, want %q", got.Raw, fileText)
			}
			for name, want := range map[string]string{
				"Content-Type": "text/plain", "Content-Disposition": `attachment; filename="a.txt"`,
				"X-Content-Type-Options": "nosniff", "Content-Length": "11",
			} {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		}
		code(c.Get("/v1/attachments/"+attachment), 404, "NOT_FOUND")
		code(a.Get("/v1/attachments/att_nothing"), 404, "NOT_FOUND")
		code(a.Get("/v1/attachments/"+"msg_"+attachment[4:]), 404, "NOT_FOUND")
		code(w.Visitor(t).Get("/v1/attachments/"+attachment), 401, "UNAUTHORIZED")
	})
}

func TestUploadForAGroup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, late, out := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		group, public := w.groupOf(t, a, b)
		attachment := a.upload(fileText, object{"conversation_id": public})
		b.download(attachment).Want(200)
		code(late.Get("/v1/attachments/"+attachment), 404, "NOT_FOUND")
		code(out.announce("x", object{"conversation_id": public}), 404, "GROUP_NOT_FOUND")
		code(out.announce("x", object{"conversation_id": "grp_nothing"}), 404, "GROUP_NOT_FOUND")
		code(out.announce("x", object{"conversation_id": "nothing"}), 404, "GROUP_NOT_FOUND")

		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetMember(ctx, chat.Member{
				Conversation: group, Account: late.id, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: w.Clock.Now(),
			})
		})
		late.download(attachment).Want(200)

		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.EndMember(ctx, chat.Member{Conversation: group, Account: b.id, LeftSeq: 1, LeftAt: w.Clock.Now()})
		})
		code(b.Get("/v1/attachments/"+attachment), 404, "NOT_FOUND")

		w.Clock.Advance(time.Minute)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			g, err := tx.Group(ctx, group)
			if err != nil {
				return err
			}
			g.DeletedAt, g.DeletedBy = w.Clock.Now(), a.id
			return errors.Join(tx.EndMembers(ctx, group, g.LastSeq, g.DeletedAt), tx.UpdateGroup(ctx, g))
		})
		a.download(attachment).Want(200) // its uploader
		code(late.Get("/v1/attachments/"+attachment), 410, "GROUP_DELETED").
			Is("details.group_id", public).Is("details.deleted_by_handle", a.handle)
		code(late.announce("x", object{"conversation_id": public}), 410, "GROUP_DELETED")
		code(b.Get("/v1/attachments/"+attachment), 404, "NOT_FOUND")
		code(b.announce("x", object{"conversation_id": public}), 404, "GROUP_NOT_FOUND")
		code(out.Get("/v1/attachments/"+attachment), 404, "NOT_FOUND")
	})
}

// A direct conversation stands for its other side, once it has begun.
func TestUploadForADirectConversation(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		low, high := chat.Pair(a.id, b.id)
		direct := &chat.Conversation{Kind: chat.ConversationDirect, Low: low, High: high, LastSeq: 1, CreatedAt: w.Clock.Now()}
		silent := &chat.Conversation{Kind: chat.ConversationDirect, CreatedAt: w.Clock.Now()}
		silent.Low, silent.High = chat.Pair(a.id, c.id)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			n, err := tx.NextID(ctx, 2)
			direct.ID, silent.ID = chat.ConversationID(n), chat.ConversationID(n+1)
			return errors.Join(err, tx.InsertDirect(ctx, direct), tx.InsertDirect(ctx, silent))
		})
		into := object{"conversation_id": w.shown("conv_", id.KindConversation, int64(direct.ID))}
		b.download(a.upload(fileText, into)).Want(200)
		code(c.announce("x", into), 404, "CONVERSATION_NOT_FOUND")
		code(a.announce("x", object{"conversation_id": w.shown("conv_", id.KindConversation, int64(silent.ID))}), 404, "CONVERSATION_NOT_FOUND")
		code(a.announce("x", object{"conversation_id": "conv_AAAAAAAAAAAAAAAAAAAAAA"}), 404, "CONVERSATION_NOT_FOUND")
		w.change(t, b, func(b *chat.Account) { b.State = chat.StateSuspended })
		code(a.announce("x", into), 404, "AGENT_NOT_FOUND")
	})
}

func TestUploadsThatAreRefused(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, off := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, off, func(a *chat.Account) { a.State = chat.StateSuspended })
		to := object{"to": b.handle}
		for field, bad := range map[string][]any{
			"filename":     {"", strings.Repeat("ä", 256), nil, 5, "a\x00b"},
			"content_type": {"", "text/html", "image/svg+xml", "application/octet-stream", "text/plain; charset=utf-8", nil},
			"size":         {0, -1, 26_214_401, 1.5, "5", nil},
			"sha256":       {"", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("A", 64), strings.Repeat("g", 64), nil},
			"to":           {5},
		} {
			for _, value := range bad {
				r := code(a.announce("x", to, object{field: value}), 400, "VALIDATION_ERROR")
				if _, told := r.At("details.fieldErrors." + field).([]any); !told {
					t.Errorf("%s = %v: got details %v, want a text about it", field, value, r.At("details"))
				}
			}
		}
		code(a.announce("x"), 400, "VALIDATION_ERROR")
		code(a.announce("x", object{"to": nil, "conversation_id": nil}), 400, "VALIDATION_ERROR")
		code(a.announce("x", to, object{"conversation_id": "grp_x"}), 400, "VALIDATION_ERROR")
		code(a.announce("x", object{"to": a.handle}), 400, "VALIDATION_ERROR")
		code(a.Post("/v1/uploads", "{"), 400, "VALIDATION_ERROR").Is("message", "Invalid JSON body")
		code(a.announce("x", object{"to": "nobody-at-all"}), 404, "AGENT_NOT_FOUND")
		code(a.announce("x", object{"to": off.handle}), 404, "AGENT_NOT_FOUND")
		code(off.announce("x", to), 403, "SUSPENDED")

		a.announce("x", to, object{"filename": strings.Repeat("ä", 255), "size": 26_214_400}).Want(201)
		w.change(t, a, func(a *chat.Account) { a.Pause = chat.PauseSend })
		a.announce("x", to).Want(201)
		for _, block := range []store.Edge{{Owner: a.id, Target: b.id}, {Owner: b.id, Target: a.id}} {
			w.Update(t, func(ctx context.Context, tx store.Tx) error { return tx.SetBlock(ctx, block, w.Clock.Now(), true) })
			code(a.announce("x", to), 403, "BLOCKED")
			w.Update(t, func(ctx context.Context, tx store.Tx) error { return tx.SetBlock(ctx, block, w.Clock.Now(), false) })
		}
	})
}

func TestUploadsPerMinute(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		to := object{"to": b.handle}
		for range 30 {
			a.announce("x", to).Want(201)
		}
		r := code(a.announce("x", to), 429, "RATE_LIMITED")
		if r.Header.Get("Retry-After") != "30" { // the clock begins in the middle of a minute
			t.Errorf("Retry-After: got %q, want 30", r.Header.Get("Retry-After"))
		}
		b.announce("x", object{"to": a.handle}).Want(201)
		w.Clock.Advance(time.Minute)
		a.announce("x", to).Want(201)
	})
}

// The content must be what was announced, and comes once.
func TestUploadedContent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		v := w.Visitor(t)
		link := a.announce(fileText, object{"to": b.handle}).Want(201).Text("upload_url")
		code(v.Put(link, fileText+"!"), 413, "PAYLOAD_TOO_LARGE")
		code(v.Put(link, fileText[1:]), 400, "SIZE_MISMATCH")
		code(v.Put(link, ""), 400, "SIZE_MISMATCH")
		code(v.Put(link, strings.ToUpper(fileText)), 400, "CHECKSUM_MISMATCH")
		v.Put(link, fileText).Want(200)
		code(v.Put(link, fileText), 409, "ALREADY_UPLOADED")
		w.Clock.Advance(2 * time.Hour)
		code(v.Put(link, fileText), 403, "UPLOAD_EXPIRED")

		link = a.announce(fileText, object{"to": b.handle}).Want(201).Text("upload_url")
		w.Clock.Advance(2*time.Hour - time.Second)
		v.Put(link, fileText).Want(200)
	})
}

func TestUploadsAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		link := a.announce(fileText, object{"to": b.handle}).Want(201).Text("upload_url")
		got := dialecttest.Statuses(dialecttest.Together(10, func(int) *response { return w.Visitor(t).Put(link, fileText) }))
		if got[200] != 1 || got[409] != 9 {
			t.Errorf("got %v, want one 200 and nine 409", got)
		}
	})
}

// A server that stopped between storing content and noting it takes the upload once
// more.
func TestUploadAfterACrash(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		r := a.announce(fileText, object{"to": b.handle}).Want(201)
		n := w.row(t, id.KindAttachment, r.Text("attachment_id"))
		key := (&chat.Attachment{ID: chat.AttachmentID(n)}).Key()
		if _, err := w.Blobs.Put(t.Context(), key, strings.NewReader(fileText), blob.Want{}); err != nil {
			t.Fatalf("store the content: %v", err)
		}
		code(b.Get("/v1/attachments/"+r.Text("attachment_id")), 404, "NOT_FOUND")
		w.Visitor(t).Put(r.Text("upload_url"), fileText).Want(200)
		b.download(r.Text("attachment_id")).Want(200)
	})
}

// A client that breaks off has stored nothing and may try again.
func TestUploadThatBreaksOff(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		r := a.announce(fileText, object{"to": b.handle}).Want(201)
		body, feed := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.Text("upload_url"), body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = int64(len(fileText))
		go func() {
			_, _ = feed.Write([]byte(fileText[:5]))
			_ = feed.CloseWithError(errors.New("gone"))
		}()
		if res, err := w.Server.Client().Do(req); err == nil {
			res.Body.Close()
			t.Errorf("got %d for half a request", res.StatusCode)
		}
		code(b.Get("/v1/attachments/"+r.Text("attachment_id")), 404, "NOT_FOUND")
		w.Visitor(t).Put(r.Text("upload_url"), fileText).Want(200)
	})
}

// deadlines is a response writer that notes the deadlines of its connection.
type deadlines struct {
	*httptest.ResponseRecorder

	reads, writes []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.reads = append(d.reads, t)
	return nil
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.writes = append(d.writes, t)
	return nil
}

// The listener gives half a minute to a request and a minute to an answer, which is
// too short for large files on slow lines.
func TestFilesGetTime(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		r := a.announce(fileText, object{"to": b.handle}).Want(201)
		start := time.Now()
		serve := func(method, link, body string) *deadlines {
			t.Helper()
			d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			w.surface.ServeHTTP(d, httptest.NewRequestWithContext(t.Context(), method, link, strings.NewReader(body)))
			if d.Code != 200 {
				t.Fatalf("%s: got %d %s, want 200", method, d.Code, d.Body)
			}
			return d
		}
		put := serve(http.MethodPut, r.Text("upload_url"), fileText)
		if len(put.reads) < 2 || put.reads[0].Before(start.Add(29*time.Second)) || put.reads[0].After(time.Now().Add(31*time.Second)) {
			t.Errorf("deadlines of reads: got %v, want one per read, in 30 seconds", put.reads)
		}
		get := serve(http.MethodGet, a.Get("/v1/attachments/"+r.Text("attachment_id")).Want(302).Header.Get("Location"), "")
		for what, d := range map[string]*deadlines{"upload": put, "download": get} {
			if len(d.writes) != 1 || d.writes[0].Before(start.Add(15*time.Minute)) {
				t.Errorf("%s: got the deadlines %v of writes, want one in 15 minutes", what, d.writes)
			}
		}
	})
}

// Attacks on links: another file, another use, another life, another server's form.
func TestForgedLinks(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		v := w.Visitor(t)
		first := a.announce(fileText, object{"to": b.handle}).Want(201)
		second := a.announce(fileText, object{"to": b.handle}).Want(201)
		path, query, _ := strings.Cut(first.Text("upload_url"), "?")
		other, _, _ := strings.Cut(second.Text("upload_url"), "?")
		for what, link := range map[string]string{
			"no signature":       path,
			"another file":       other + "?" + query,
			"a longer life":      path + "?" + strings.Replace(query, "expires=", "expires=9", 1),
			"an empty signature": path + "?expires=9999999999&signature=",
			"two signatures":     path + "?" + query + "&" + query,
			"no file":            w.Server.URL + "/v1/blobs/att/att_x?" + query,
		} {
			if r := v.Put(link, fileText); r.Status != 403 || r.At("code") != "FORBIDDEN" {
				t.Errorf("%s: got %d %s, want 403 FORBIDDEN", what, r.Status, r.Raw)
			}
		}
		code(v.Get(first.Text("upload_url")), 403, "FORBIDDEN") // to read with the right to write
		v.Put(first.Text("upload_url"), fileText).Want(200)
		code(v.Get(first.Text("upload_url")), 403, "FORBIDDEN")

		link := b.Get("/v1/attachments/" + first.Text("attachment_id")).Want(302).Header.Get("Location")
		_, query, _ = strings.Cut(link, "?")
		code(v.Put(link, fileText), 403, "FORBIDDEN")
		code(v.Get(other+"?"+query), 403, "FORBIDDEN")
		w.Clock.Advance(299 * time.Second)
		v.Get(link).Want(200)
		v.Get(link).Want(200) // more than once
		w.Clock.Advance(time.Second)
		code(v.Get(link), 403, "FORBIDDEN")
	})
}

// What is inside is a stranger's: no browser is to run it or guess what it is.
func TestDownloadsAreInert(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		const page = "<html><script>alert(1)</script>"
		attachment := a.upload(page, object{
			"to": b.handle, "content_type": "image/png", "filename": "../\"x\r\n\u202egnp.html Grüße.png",
		})
		got := b.download(attachment).Want(200)
		for name, want := range map[string]string{
			"Content-Type":            "image/png",
			"X-Content-Type-Options":  "nosniff",
			"Content-Security-Policy": "sandbox; default-src 'none'",
			"Content-Disposition": `attachment; filename="__x___gnp.html Gr__e.png"; ` +
				`filename*=UTF-8''__x___gnp.html%20Gr%C3%BC%C3%9Fe.png`,
		} {
			if got := got.Header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		link := b.Get("/v1/attachments/" + attachment).Want(302).Header.Get("Location")
		part := w.Visitor(t).Get(link, "Range: bytes=1-4").Want(206)
		if part.Raw != "html" {
			t.Errorf("part: got %q, want html", part.Raw)
		}
		head := w.Visitor(t).Do("HEAD", link, nil).Want(200)
		if head.Raw != "" || head.Header.Get("Content-Length") != "31" {
			t.Errorf("HEAD: got %q with length %s, want nothing and 31", head.Raw, head.Header.Get("Content-Length"))
		}
	})
}

func TestLargestUpload(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		content := string(bytes.Repeat([]byte("parley! "), 26_214_400/8))
		attachment := a.upload(content, object{"to": b.handle})
		if got := b.download(attachment).Want(200).Raw; got != content {
			t.Errorf("got %d bytes, want the %d that were uploaded", len(got), len(content))
		}
	})
}

// What was announced and never came is forgotten, an hour after it could last come.
func TestStaleUploadsAreSwept(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		stale := w.row(t, id.KindAttachment, a.announce(fileText, object{"to": b.handle}).Want(201).Text("attachment_id"))
		kept := a.upload(fileText, object{"to": b.handle})
		there := func() bool {
			err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) error {
				_, err := r.Attachment(ctx, chat.AttachmentID(stale))
				return err
			})
			return !errors.Is(err, store.ErrNotFound)
		}
		for _, step := range []struct {
			after time.Duration
			want  bool
		}{{3 * time.Hour, true}, {time.Second, false}} {
			w.Clock.Advance(step.after)
			if err := w.Core.Sweep(t.Context()); err != nil {
				t.Fatalf("sweep: %v", err)
			}
			if got := there(); got != step.want {
				t.Errorf("announcement there: got %v, want %v", got, step.want)
			}
		}
		b.download(kept).Want(200)
	})
}

func TestFilesWithoutStorage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0], func(c *core.Config, _ *agentchat.Config) { c.Blobs = nil })
	a, b := w.agent(t), w.agent(t)
	code(a.announce("x", object{"to": b.handle}), 503, "STORAGE_UNAVAILABLE")
	file := chat.Attachment{
		Uploader: a.id, Peer: b.id, Filename: "x", ContentType: "text/plain", Size: 1,
		CreatedAt: w.Clock.Now(), ExpiresAt: w.Clock.Now().Add(time.Hour), UploadedAt: w.Clock.Now(),
	}
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		file.ID = chat.AttachmentID(n)
		return errors.Join(err, tx.InsertAttachment(ctx, &file))
	})
	public := w.shown("att_", id.KindAttachment, int64(file.ID))
	code(a.Get("/v1/attachments/"+public), 503, "STORAGE_UNAVAILABLE")
	signed := func(op blob.Op) string {
		return "/v1/blobs/att/" + public + "?" + w.Blobs.Sign(op, file.Key(), file.ExpiresAt)
	}
	code(a.Put(signed(blob.OpUpload), "x"), 503, "STORAGE_UNAVAILABLE")
	code(a.Get(signed(blob.OpDownload)), 503, "STORAGE_UNAVAILABLE")
	if err := w.Core.Sweep(t.Context()); err != nil {
		t.Errorf("sweep: %v", err)
	}
}
