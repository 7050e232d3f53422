package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
)

const (
	attachmentColumns = `a.id, a.uploader_id, a.conversation_id, a.peer_id, a.filename, a.content_type, a.size,
			a.sha256, a.created_at, a.expires_at, a.uploaded_at`
	attachmentByID   = `SELECT ` + attachmentColumns + ` FROM attachments a WHERE a.id = $1`
	attachmentsByID  = `SELECT ` + attachmentColumns + ` FROM {ints} CROSS JOIN attachments a WHERE a.id = j.value`
	insertAttachment = `INSERT INTO attachments (id, uploader_id, conversation_id, peer_id, filename, content_type, size,
			sha256, created_at, expires_at, uploaded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	setUploaded = `UPDATE attachments SET uploaded_at = $2 WHERE id = $1 AND uploaded_at IS NULL`

	// Those that were seen stand at 0, so that this passes over none of them.
	staleAttachments = `SELECT a.id FROM attachments a
		WHERE a.uploaded_at IS NULL AND a.expires_at > 0 AND a.expires_at < $1 ORDER BY a.expires_at, a.id LIMIT 0 + $2`
	purgeAttachments = `DELETE FROM attachments WHERE id IN (SELECT j.value FROM {ints}) AND uploaded_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.attachment_id = attachments.id)`
	seeAttachments = `UPDATE attachments SET expires_at = 0
		WHERE id IN (SELECT j.value FROM {ints}) AND uploaded_at IS NULL`
)

// Attachment returns a file that was announced.
func (t *Tx) Attachment(ctx context.Context, id chat.AttachmentID) (*chat.Attachment, error) {
	var a chat.Attachment
	if err := t.one(ctx, "read attachment", scan(attachmentDest(&a)...), attachmentByID, int64(id)); err != nil {
		return nil, err
	}
	return &a, nil
}

// Attachments returns those of some files that were announced.
func (t *Tx) Attachments(
	ctx context.Context, ids []chat.AttachmentID,
) (map[chat.AttachmentID]*chat.Attachment, error) {
	found := make(map[chat.AttachmentID]*chat.Attachment, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	err := t.each(ctx, "read attachments", func(r Row) error {
		a := new(chat.Attachment)
		if err := r.Scan(attachmentDest(a)...); err != nil {
			return err
		}
		found[a.ID] = a
		return nil
	}, attachmentsByID, t.f.Ints(numbers(ids)))
	return found, err
}

func attachmentDest(a *chat.Attachment) []any {
	return []any{
		(*number)(&a.ID), (*number)(&a.Uploader), (*number)(&a.Conversation), (*number)(&a.Peer), &a.Filename,
		&a.ContentType, &a.Size, (*digest)(&a.SHA256), (*millis)(&a.CreatedAt), (*millis)(&a.ExpiresAt),
		(*millis)(&a.UploadedAt),
	}
}

// StaleAttachments lists files that can no longer be uploaded.
func (t *Tx) StaleAttachments(ctx context.Context, before time.Time, limit int) ([]chat.AttachmentID, error) {
	var ids []chat.AttachmentID
	err := t.each(ctx, "list stale attachments", func(r Row) error {
		var id chat.AttachmentID
		err := r.Scan((*number)(&id))
		ids = append(ids, id)
		return err
	}, staleAttachments, ceilMillis(before), limit)
	return ids, err
}

// InsertAttachment stores a file that is announced.
func (t *Tx) InsertAttachment(ctx context.Context, a *chat.Attachment) error {
	return t.exec(ctx, "insert attachment", insertAttachment,
		int64(a.ID), int64(a.Uploader), NullID(a.Conversation), NullID(a.Peer), a.Filename, a.ContentType, a.Size,
		a.SHA256[:], Millis(a.CreatedAt), Millis(a.ExpiresAt), Millis(a.UploadedAt))
}

// SetUploaded notes when the content of a file came.
func (t *Tx) SetUploaded(ctx context.Context, id chat.AttachmentID, at time.Time) error {
	return t.hit(ctx, "set uploaded", setUploaded, int64(id), Millis(at))
}

// PurgeAttachments removes files that were never uploaded and belong to no message.
func (t *Tx) PurgeAttachments(ctx context.Context, ids []chat.AttachmentID) error {
	list := t.f.Ints(numbers(ids))
	if err := t.exec(ctx, "purge attachments", purgeAttachments, list); err != nil {
		return err
	}
	return t.exec(ctx, "note attachments seen", seeAttachments, list)
}
