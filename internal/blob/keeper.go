package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"parley/internal/chat"
)

// Keeper is a Store and an Imager in the words of the core.
type Keeper struct {
	store *Store
	*Imager
}

// NewKeeper wraps a store; so many pictures are worked on at once.
func NewKeeper(s *Store, parallel int) *Keeper { return &Keeper{store: s, Imager: NewImager(parallel)} }

// Avatar makes an avatar of a picture, see Imager.Avatar. Errors: image_empty,
// body_too_large, image_format, image_decode, image_small, image_processing; the
// error of ctx.
func (k *Keeper) Avatar(ctx context.Context, picture []byte) ([]byte, error) {
	if len(picture) == 0 {
		return nil, chat.Fail(chat.CodeImageEmpty)
	}
	encoded, err := k.Imager.Avatar(ctx, picture)
	switch {
	case err == nil:
		return encoded, nil
	case errors.Is(err, ErrTooLarge):
		return nil, chat.Fail(chat.CodeBodyTooLarge)
	case errors.Is(err, ErrFormat):
		return nil, chat.Fail(chat.CodeImageFormat)
	case errors.Is(err, ErrDecode), errors.Is(err, ErrTooManyPixels):
		return nil, chat.Fail(chat.CodeImageDecode)
	case errors.Is(err, ErrTooSmall):
		return nil, chat.Fail(chat.CodeImageSmall)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("make avatar: %w", err)
	}
	return nil, &chat.Error{Code: chat.CodeImageProcessing, Cause: err}
}

// Put stores content that must have this size and digest; nothing is done if the
// key has content. Errors: body_too_large, upload_size, upload_checksum,
// upload_done, storage_unreached.
func (k *Keeper) Put(ctx context.Context, key string, content io.Reader, size int64, digest [sha256.Size]byte) error {
	_, err := k.store.Put(ctx, key, content, Want{Size: size, SHA256: &digest})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrExists):
		return chat.Fail(chat.CodeUploadDone)
	case errors.Is(err, ErrTooLarge):
		return chat.Fail(chat.CodeBodyTooLarge)
	case errors.Is(err, ErrSize):
		return chat.Fail(chat.CodeUploadSize)
	case errors.Is(err, ErrChecksum):
		return chat.Fail(chat.CodeUploadChecksum)
	case errors.Is(err, ErrRead), ctx.Err() != nil:
		return fmt.Errorf("receive content: %w", err)
	}
	return &chat.Error{Code: chat.CodeStorageUnreached, Cause: err}
}

// Has tells whether there is content under a key.
func (k *Keeper) Has(ctx context.Context, key string) (bool, error) {
	r, _, err := k.store.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, &chat.Error{Code: chat.CodeStorageUnreached, Cause: err}
	}
	return true, r.Close()
}

// Delete removes what is under a key, if anything.
func (k *Keeper) Delete(ctx context.Context, key string) error {
	if err := k.store.Delete(ctx, key); err != nil && !errors.Is(err, ErrNotFound) {
		return &chat.Error{Code: chat.CodeStorageUnreached, Cause: err}
	}
	return nil
}
