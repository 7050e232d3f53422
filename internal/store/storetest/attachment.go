package storetest

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// attachment announces a file whose permission to upload ends at a time.
func (f *fixture) attachment(expires time.Time, change ...func(*chat.Attachment)) *chat.Attachment {
	f.t.Helper()
	a := &chat.Attachment{
		ID: chat.AttachmentID(f.id()), Uploader: 1, Peer: 2, Filename: f.name("file"), ContentType: "text/plain",
		Size: 5, SHA256: digest("hello"), CreatedAt: f.now(), ExpiresAt: expires,
	}
	for _, c := range change {
		c(a)
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertAttachment(ctx, a) })
	return a
}

func findAttachment(id chat.AttachmentID) func(context.Context, store.Reader) (*chat.Attachment, error) {
	return func(ctx context.Context, r store.Reader) (*chat.Attachment, error) { return r.Attachment(ctx, id) }
}

func testAttachmentRoundTrip(f *fixture) {
	direct := f.attachment(epoch.Add(time.Hour))
	f.complete(direct, "Conversation", "UploadedAt")
	group := f.attachment(epoch, func(a *chat.Attachment) {
		a.Peer, a.Conversation, a.UploadedAt = 0, 3, f.now()
		a.Filename, a.Size = "Grüße \u2028.pdf", 26_214_400
	})
	f.complete(group, "Peer")
	f.same("for an account", query(f, findAttachment(direct.ID)), direct)
	f.same("for a group", query(f, findAttachment(group.ID)), group)
	missing(f, "unknown attachment", findAttachment(absent))
	f.same("several", query(f, func(ctx context.Context, r store.Reader) (map[chat.AttachmentID]*chat.Attachment, error) {
		return r.Attachments(ctx, []chat.AttachmentID{group.ID, absent, direct.ID})
	}), map[chat.AttachmentID]*chat.Attachment{direct.ID: direct, group.ID: group})
	f.same("none", query(f, func(ctx context.Context, r store.Reader) (map[chat.AttachmentID]*chat.Attachment, error) {
		return r.Attachments(ctx, nil)
	}), map[chat.AttachmentID]*chat.Attachment{})
}

// The content comes once.
func testAttachmentUploaded(f *fixture) {
	a, other := f.attachment(epoch.Add(time.Hour)), f.attachment(epoch.Add(time.Hour))
	first := f.now()
	set := func(id chat.AttachmentID, at time.Time) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) error { return tx.SetUploaded(ctx, id, at) }
	}
	f.update(set(a.ID, first))
	f.refuse(store.ErrNotFound, set(a.ID, f.now()))
	f.refuse(store.ErrNotFound, set(absent, f.now()))
	a.UploadedAt = first
	f.same("uploaded", query(f, findAttachment(a.ID)), a)
	f.same("the other", query(f, findAttachment(other.ID)), other)
}

// What was never uploaded goes, unless a message shows it; nothing is listed twice.
func testAttachmentPurge(f *fixture) {
	second := func(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }
	late := f.attachment(second(60))
	old, older := f.attachment(second(2)), f.attachment(second(1))
	shown := f.attachment(second(3))
	here := f.attachment(second(1), func(a *chat.Attachment) { a.UploadedAt = f.now() })
	if _, err := f.db().ExecContext(f.t.Context(), `INSERT INTO messages
		(id, conversation_id, seq, author_id, kind, text, created_at, attachment_id) VALUES ($1, 1, 1, 1, 3, '', 0, $2)`,
		f.id(), int64(shown.ID)); err != nil {
		f.t.Fatalf("insert a message: %v", err)
	}

	stale := func(limit int) []chat.AttachmentID {
		return query(f, func(ctx context.Context, r store.Reader) ([]chat.AttachmentID, error) {
			return r.StaleAttachments(ctx, late.ExpiresAt, limit)
		})
	}
	f.same("stale, at most two", stale(2), []chat.AttachmentID{older.ID, old.ID})
	all := stale(10)
	f.same("stale", all, []chat.AttachmentID{older.ID, old.ID, shown.ID})
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.PurgeAttachments(ctx, append(all, here.ID))
	})
	f.same("stale after the purge", stale(10), []chat.AttachmentID(nil))
	missing(f, "purged", findAttachment(old.ID))
	shown.ExpiresAt = time.UnixMilli(0).UTC()
	for what, want := range map[string]*chat.Attachment{"shown": shown, "uploaded": here, "not due": late} {
		f.same(what, query(f, findAttachment(want.ID)), want)
	}
}
