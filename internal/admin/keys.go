package admin

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/id"
)

func (h *handler) listKeys(r *http.Request) (any, error) {
	a, err := h.account(r)
	if err != nil {
		return nil, err
	}
	keys, err := h.Core.AccountKeys(r.Context(), a.ID)
	if err != nil {
		return nil, err
	}
	list := keyList{Keys: make([]Key, 0, len(keys))}
	for _, k := range keys {
		list.Keys = append(list.Keys, shownKey(h.Codec, k))
	}
	return list, nil
}

func (h *handler) createKey(r *http.Request) (any, error) {
	var in keyRequest
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	a, err := h.account(r)
	if err != nil {
		return nil, err
	}
	k, token, err := h.Core.IssueKey(r.Context(), a.ID, in.Name)
	if err != nil {
		return nil, err
	}
	return IssuedKey{Key: shownKey(h.Codec, k), Token: token}, nil
}

func (h *handler) revokeKey(r *http.Request) (any, error) {
	a, err := h.account(r)
	if err != nil {
		return nil, err
	}
	u, ok := id.ParseUUID(r.PathValue("key"))
	if !ok {
		return nil, chat.Fail(chat.CodeCredentialUnknown)
	}
	n, ok := h.Codec.Open(id.KindCredential, u)
	if !ok {
		return nil, chat.Fail(chat.CodeCredentialUnknown)
	}
	return empty{}, h.Core.EndKey(r.Context(), a.ID, chat.CredentialID(n))
}
