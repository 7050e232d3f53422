package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// AttachmentReader answers questions about files beside messages.
type AttachmentReader interface {
	// Attachment returns a file that was announced, whether or not it was uploaded.
	Attachment(ctx context.Context, id chat.AttachmentID) (*chat.Attachment, error)
	// Attachments returns those of some files that were announced, by id.
	Attachments(ctx context.Context, ids []chat.AttachmentID) (map[chat.AttachmentID]*chat.Attachment, error)
	// StaleAttachments lists files whose permission to upload ended before a time
	// without an upload, the longest ago first, at most limit; those that
	// PurgeAttachments saw are left out.
	StaleAttachments(ctx context.Context, before time.Time, limit int) ([]chat.AttachmentID, error)
}

// AttachmentTx writes files beside messages.
type AttachmentTx interface {
	// InsertAttachment stores a file that is announced.
	InsertAttachment(ctx context.Context, a *chat.Attachment) error
	// SetUploaded notes when the content of a file came: ErrNotFound if there is no
	// such file or its content is there already.
	SetUploaded(ctx context.Context, id chat.AttachmentID, at time.Time) error
	// PurgeAttachments removes those of some files that were never uploaded and
	// belong to no message, and notes that it saw the others that were never
	// uploaded: their permission to upload ends with 1970.
	PurgeAttachments(ctx context.Context, ids []chat.AttachmentID) error
}
