package core

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// The numbers of AC 17 and 29.
const (
	uploadLife    = 7_200 * time.Second
	uploadLargest = 26_214_400 // bytes
	filenameMax   = 255        // characters

	// uploadGrace is how long after its permission ended an upload may still be under
	// way; then the announcement goes.
	uploadGrace = time.Hour
)

// FileLinkLife is for how long a link to a file is good (AC 17.3).
const FileLinkLife = 300 * time.Second

// NewUpload announces a file. Exactly one of To and Into says for whom.
type NewUpload struct {
	To          chat.Opt[string] // a handle
	Into        chat.Opt[ConversationRef]
	Filename    string
	ContentType string
	Size        int64  // bytes
	SHA256      string // lower-case hexadecimal digits
}

// ReserveUpload announces a file for one account or group, which may be referred to
// in a message at once and uploaded until ExpiresAt (AC 17.1). Its errors: what is
// wrong with the fields; self, account_unknown, blocked; group_unknown, group_deleted;
// conversation_unknown; rate_limited, storage_unreached.
func (s *Service) ReserveUpload(ctx context.Context, c Call, in NewUpload) (*chat.Attachment, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	a, err := announced(&in)
	if err != nil {
		return nil, err
	}
	if s.blobs == nil {
		return nil, chat.Fail(chat.CodeStorageUnreached)
	}
	a.Uploader = c.Actor.Account
	if err := s.takeOf(c, rateUploads, strconv.FormatInt(int64(a.Uploader), 10)); err != nil {
		return nil, err
	}
	err = s.perform(ctx, c, "reserve upload", a, func(ctx context.Context, ch *change) error {
		if err := addressUpload(ctx, ch, a, &in); err != nil {
			return err
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		a.ID, a.CreatedAt, a.ExpiresAt = chat.AttachmentID(n), ch.at, ch.at.Add(uploadLife)
		return ch.InsertAttachment(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// announced checks the fields of an announcement.
func announced(in *NewUpload) (*chat.Attachment, error) {
	a := &chat.Attachment{Filename: in.Filename, ContentType: in.ContentType, Size: in.Size}
	digest, err := hex.DecodeString(in.SHA256)
	switch n := utf8.RuneCountInString(in.Filename); {
	case !in.To.Present && !in.Into.Present:
		return nil, chat.FailField(chat.CodeFieldRequired, "to")
	case in.To.Present && in.Into.Present:
		return nil, chat.FailField(chat.CodeFieldInvalid, "conversation_id")
	case n < 1 || n > filenameMax:
		return nil, chat.FailLength("filename", 1, filenameMax)
	case !uploadable(in.ContentType):
		return nil, chat.FailField(chat.CodeFieldInvalid, "content_type")
	case in.Size < 1 || in.Size > uploadLargest:
		return nil, chat.FailField(chat.CodeFieldInvalid, "size")
	case err != nil || len(digest) != len(a.SHA256) || hex.EncodeToString(digest) != in.SHA256:
		return nil, chat.FailField(chat.CodeFieldInvalid, "sha256")
	}
	copy(a.SHA256[:], digest)
	return a, nil
}

// uploadable tells whether files may be of a type: nothing that a browser or shell
// would run (AC 17.1).
func uploadable(contentType string) bool {
	switch contentType {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "application/json", "text/plain",
		"text/markdown", "text/csv", "audio/mpeg", "audio/wav", "audio/ogg", "video/mp4", "video/webm":
		return true
	}
	return false
}

// addressUpload finds out for whom a file is. A direct conversation stands for its
// other side.
func addressUpload(ctx context.Context, r store.Reader, a *chat.Attachment, in *NewUpload) error {
	a.Peer, a.Conversation = 0, 0
	if in.To.Present {
		peer, err := apparent(ctx, r, in.To.Value)
		if err != nil {
			return err
		}
		return uploadTo(ctx, r, a, peer)
	}
	if in.Into.Value.Kind != chat.ConversationDirect { // a group, or no id at all
		g, _, err := groupSeat(ctx, r, in.Into.Value.Conversation, a.Uploader)
		if err == nil {
			a.Conversation = g.ID
		}
		return err
	}
	s, err := seatIn(ctx, r, in.Into.Value, a.Uploader)
	if err != nil {
		return err
	}
	peer, err := r.Account(ctx, s.peer())
	if err != nil {
		return err
	}
	if peer.Gone() || peer.Off() {
		return chat.Fail(chat.CodeAccountUnknown)
	}
	return uploadTo(ctx, r, a, peer)
}

// uploadTo addresses a file to an account.
func uploadTo(ctx context.Context, r store.Reader, a *chat.Attachment, peer *chat.Account) error {
	if peer.ID == a.Uploader {
		return chat.FailField(chat.CodeSelf, "to")
	}
	a.Peer = peer.ID
	return unblocked(ctx, r, a.Uploader, peer.ID)
}

// StoreUpload takes the content of a file that was announced; whoever has the link
// may bring it, once (AC 17.2). Its errors: file_unknown, upload_done,
// upload_expired, body_too_large, upload_size (also when the content breaks off),
// upload_checksum, storage_unreached.
func (s *Service) StoreUpload(ctx context.Context, _ Call, id chat.AttachmentID, content io.Reader) (*chat.Attachment, error) {
	a, err := s.attachment(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !a.UploadedAt.IsZero():
		return nil, chat.Fail(chat.CodeUploadDone)
	case !s.now().Before(a.ExpiresAt):
		return nil, chat.Fail(chat.CodeUploadExpired)
	}
	source := &source{r: content}
	err = s.blobs.Put(ctx, a.Key(), source, a.Size, a.SHA256)
	if source.broke {
		return nil, chat.Fail(chat.CodeUploadSize)
	}
	// Content that is there without a note of it came just now, or before a crash.
	if err != nil && chat.CodeOf(err) != chat.CodeUploadDone {
		return nil, asError("store upload", err)
	}
	a.UploadedAt = s.now()
	err = s.update(ctx, "note upload", func(ctx context.Context, ch *change) error {
		err := ch.SetUploaded(ctx, a.ID, a.UploadedAt)
		if errors.Is(err, store.ErrNotFound) {
			return chat.Fail(chat.CodeUploadDone)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// source notes when its reader fails.
type source struct {
	r     io.Reader
	broke bool
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.broke = s.broke || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// FetchAttachment tells an agent that it may have a file, for how long it may hand
// the permission on, and what the file is (AC 17.3). It fails with file_unknown,
// also while there is no content, with group_deleted or with storage_unreached.
func (s *Service) FetchAttachment(ctx context.Context, c Call, id chat.AttachmentID) (*chat.Attachment, time.Time, error) {
	if err := c.agent(); err != nil {
		return nil, time.Time{}, err
	}
	var a *chat.Attachment
	err := s.view(ctx, "fetch attachment", func(ctx context.Context, r store.Reader) error {
		var err error
		a, err = r.Attachment(ctx, id)
		if a, err = known(a, err, chat.CodeFileUnknown); err != nil {
			return err
		}
		return mayFetch(ctx, r, a, c.Actor.Account)
	})
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case a.UploadedAt.IsZero():
		return nil, time.Time{}, chat.Fail(chat.CodeFileUnknown)
	case s.blobs == nil:
		return nil, time.Time{}, chat.Fail(chat.CodeStorageUnreached)
	}
	return a, s.now().Add(FileLinkLife), nil
}

// mayFetch fails unless a file is an account's to have.
func mayFetch(ctx context.Context, r store.Reader, a *chat.Attachment, account chat.AccountID) error {
	if account == a.Uploader || account == a.Peer {
		return nil
	}
	if a.Conversation == 0 {
		return chat.Fail(chat.CodeFileUnknown)
	}
	_, _, err := groupSeat(ctx, r, a.Conversation, account)
	if chat.CodeOf(err) == chat.CodeGroupUnknown {
		return chat.Fail(chat.CodeFileUnknown)
	}
	return err
}

// OpenAttachment returns a file with content; whoever has the link may read it.
// It fails with file_unknown.
func (s *Service) OpenAttachment(ctx context.Context, _ Call, id chat.AttachmentID) (*chat.Attachment, error) {
	a, err := s.attachment(ctx, id)
	if err == nil && a.UploadedAt.IsZero() {
		return nil, chat.Fail(chat.CodeFileUnknown)
	}
	return a, err
}

// attachment returns a file that was announced. It fails with file_unknown.
func (s *Service) attachment(ctx context.Context, id chat.AttachmentID) (*chat.Attachment, error) {
	var a *chat.Attachment
	err := s.view(ctx, "read attachment", func(ctx context.Context, r store.Reader) error {
		var err error
		a, err = r.Attachment(ctx, id)
		a, err = known(a, err, chat.CodeFileUnknown)
		return err
	})
	if err == nil && s.blobs == nil {
		return nil, chat.Fail(chat.CodeStorageUnreached)
	}
	return a, err
}

// purgeUploads removes files that were announced and never uploaded, with what an
// upload left that was cut off at its very end.
func (s *Service) purgeUploads(ctx context.Context) error {
	for {
		var ids []chat.AttachmentID
		err := s.view(ctx, "list stale uploads", func(ctx context.Context, r store.Reader) error {
			var err error
			ids, err = r.StaleAttachments(ctx, s.now().Add(-uploadGrace), sweepRows)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if s.blobs == nil {
				break
			}
			if err := s.blobs.Delete(ctx, (&chat.Attachment{ID: id}).Key()); err != nil {
				return asError("remove stale upload", err)
			}
		}
		err = s.update(ctx, "purge stale uploads", func(ctx context.Context, ch *change) error {
			return ch.PurgeAttachments(ctx, ids)
		})
		if err != nil {
			return err
		}
	}
}
