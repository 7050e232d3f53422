package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/signing"
	"parley/internal/store"
)

// checkSignature checks the signature of a message, if it has one, against the key of
// its author, and notes scheme and key with it (AI 7.4). It runs where the request
// does, many at a time, so that the sender of batches does not wait for it. An author
// without a key is believed nothing: the signature is passed on unchecked. invalid is
// signature_bad, which is told only to those who may write there.
func (s *Service) checkSignature(ctx context.Context, author chat.AccountID, in *NewMessage) (invalid, err error) {
	if in.signature == nil {
		return nil, nil
	}
	var a *chat.Account
	err = s.view(ctx, "read public key", func(ctx context.Context, r store.Reader) error {
		var err error
		a, err = liveAccount(ctx, r, author)
		return err
	})
	if err != nil || a.PublicKey == "" {
		return nil, err
	}
	key, _, err := signing.ParsePublicKey(a.PublicKey)
	if err != nil {
		return nil, chat.Internal("read public key", err)
	}
	in.signature.PublicKey = a.PublicKey
	in.signature.Scheme = signing.Verify(key, in.signature.Value, in.Bound, in.Text)
	if !in.signature.Verified() {
		return chat.FailField(chat.CodeSignatureBad, "signature"), nil
	}
	return nil, nil
}

// publicKey reads a public key that an owner gives: "" for null. It fails with
// public_key_format.
func publicKey(given chat.Opt[string]) (string, error) {
	if !given.Present || given.Null {
		return "", nil
	}
	_, canonical, err := signing.ParsePublicKey(given.Value)
	if err != nil {
		return "", chat.FailField(chat.CodePublicKeyFormat, "public_key")
	}
	return canonical, nil
}
