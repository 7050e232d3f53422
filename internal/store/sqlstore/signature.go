package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"parley/internal/chat"
)

// signature scans the column of that name.
type signature struct{ into **chat.Signature }

// Scan implements sql.Scanner.
func (s signature) Scan(src any) error {
	*s.into = nil
	var stored text
	if err := stored.Scan(src); err != nil || stored == "" {
		return err
	}
	decoded, err := DecodeSignature(string(stored))
	*s.into = decoded
	return err
}

// EncodeSignature returns the stored form of a signature.
func EncodeSignature(s *chat.Signature) (string, error) {
	encoded, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("encode signature: %w", err)
	}
	return string(encoded), nil
}

// DecodeSignature reads what EncodeSignature wrote.
func DecodeSignature(stored string) (*chat.Signature, error) {
	s := new(chat.Signature)
	if err := json.Unmarshal([]byte(stored), s); err != nil {
		return nil, fmt.Errorf("decode signature: %w", err)
	}
	return s, nil
}

// Sign stores the signatures of messages that are there. Few are signed: the insert
// of the others does without the column.
func (t *Tx) Sign(ctx context.Context, messages []*chat.Message) error {
	for _, m := range messages {
		if m.Signature == nil {
			continue
		}
		encoded, err := EncodeSignature(m.Signature)
		if err != nil {
			return err
		}
		if err := t.exec(ctx, "store signature", signMessage, int64(m.ID), encoded); err != nil {
			return err
		}
	}
	return nil
}
