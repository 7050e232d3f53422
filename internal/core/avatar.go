package core

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"parley/internal/chat"
)

// groupAvatars is what the keys of groups' pictures begin with (AC 7.4).
const groupAvatars = "g/"

// SetAvatar makes a picture the avatar of the caller and returns its key (AC 7.4).
// It fails with not_own unless handle is the caller's, rate_limited, or as
// storeAvatar does.
func (s *Service) SetAvatar(ctx context.Context, c Call, handle string, picture []byte) (string, error) {
	if err := c.agent(); err != nil {
		return "", err
	}
	if _, err := s.ownAgent(ctx, c, handle); err != nil {
		return "", err
	}
	key, err := s.storeAvatar(ctx, c, "", accountKey(c.Actor.Account), picture)
	if err != nil {
		return "", err
	}
	var before string
	err = s.perform(ctx, c, "set avatar", &key, func(ctx context.Context, ch *change) error {
		a, err := ownAccount(ctx, ch, c, handle)
		if err != nil {
			return err
		}
		before, a.Avatar = a.Avatar, key
		return storeProfile(ctx, ch, a)
	})
	if err != nil {
		return "", err
	}
	if before != key {
		s.dropAvatar(ctx, before)
	}
	return key, nil
}

// RemoveAvatar takes the caller's avatar away: avatar_unknown if there was none (AC
// 7.4). It fails with not_own unless handle is the caller's, or rate_limited.
func (s *Service) RemoveAvatar(ctx context.Context, c Call, handle string) error {
	if err := c.agent(); err != nil {
		return err
	}
	if _, err := s.ownAgent(ctx, c, handle); err != nil {
		return err
	}
	if err := s.takeOf(c, rateAvatars, accountKey(c.Actor.Account)); err != nil {
		return err
	}
	var before string
	err := s.perform(ctx, c, "remove avatar", nil, func(ctx context.Context, ch *change) error {
		a, err := ownAccount(ctx, ch, c, handle)
		if err != nil {
			return err
		}
		if a.Avatar == "" {
			return chat.Fail(chat.CodeAvatarUnknown)
		}
		before, a.Avatar = a.Avatar, ""
		return storeProfile(ctx, ch, a)
	})
	if err == nil {
		s.dropAvatar(ctx, before)
	}
	return err
}

// storeAvatar makes an avatar of a picture and stores it; who calls then notes the
// key and, after the commit, drops the picture before, unless it is the same. owner
// is a text that names whose it is for ever, prefix "" or groupAvatars. A replayed
// request stores nothing: its key is "" and must not be used.
//
// It fails with rate_limited, the input error of the call, image_empty, image_format,
// image_decode, image_small, image_processing or storage_unreached.
func (s *Service) storeAvatar(ctx context.Context, c Call, prefix, owner string, picture []byte) (string, error) {
	if c.Once.replays() {
		return "", nil
	}
	if err := s.take(rateAvatars, accountKey(c.Actor.Account)); err != nil {
		return "", err
	}
	if c.Input != nil {
		return "", c.Input
	}
	if s.blobs == nil {
		return "", chat.Fail(chat.CodeStorageUnreached)
	}
	encoded, err := s.blobs.Avatar(ctx, picture)
	if err != nil {
		return "", asError("make avatar", err)
	}
	// Keyed, since the key is public: a bare hash of a number gives the number away.
	who, what := s.vault.Digest("avatar", prefix, owner), sha256.Sum256(encoded)
	key := prefix + hex.EncodeToString(who[:8]) + "/" + hex.EncodeToString(what[:16]) + ".png"
	err = s.blobs.Put(ctx, key, bytes.NewReader(encoded), int64(len(encoded)), what)
	if err != nil && chat.CodeOf(err) != chat.CodeUploadDone { // done: the same bytes are there
		return "", asError("store avatar", err)
	}
	return key, nil
}

// dropAvatar deletes a picture that nothing shows any more; "" is none. One that
// cannot be deleted takes up space and does no other harm.
func (s *Service) dropAvatar(ctx context.Context, key string) {
	if key == "" || s.blobs == nil {
		return
	}
	if err := s.blobs.Delete(context.WithoutCancel(ctx), key); err != nil {
		s.log.WarnContext(ctx, "avatar not deleted", "key", key, "error", err)
	}
}
