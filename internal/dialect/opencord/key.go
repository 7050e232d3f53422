package opencord

import (
	"parley/internal/chat"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

type createKeyRequest struct {
	Name chat.Opt[string] `json:"name" nullable:"true" minLength:"1" maxLength:"64" default:"default" description:"Trimmed; need not be unique." example:"laptop"`
}

func (q *createKeyRequest) read(f *wire.Fields) { q.Name = f.Optional("name") }

func createKey(x *exchange) (any, error) {
	var q createKeyRequest
	x.readOptional(&q)
	k, token, err := x.api.core.CreateKey(x.Context(), x.call, q.Name)
	if err != nil {
		return nil, err
	}
	return newKeyResponse{
		Key: token, ID: x.api.seal(id.KindCredential, int64(k.ID)), Name: k.Name, Prefix: k.Prefix,
		CreatedAt: wire.Instant(k.CreatedAt),
	}, nil
}

func listKeys(x *exchange) (any, error) {
	keys, err := x.api.core.ListKeys(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	out := make([]apiKey, 0, len(keys))
	for _, k := range keys {
		out = append(out, apiKey{
			ID: x.api.seal(id.KindCredential, int64(k.ID)), Name: k.Name, Prefix: k.Prefix,
			CreatedAt: wire.Instant(k.CreatedAt), LastUsedAt: wire.InstantOrNull(k.LastUsedAt),
		})
	}
	return keysResponse{out}, nil
}

func revokeKey(x *exchange) (any, error) {
	key := chat.CredentialID(x.pathID(id.KindCredential))
	return successResponse{true}, x.api.core.RevokeKey(x.Context(), x.call, key)
}
