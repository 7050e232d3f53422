package admin

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/id"
)

func (h *handler) listAccounts(r *http.Request) (any, error) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		u, ok := id.ParseUUID(text)
		if ok {
			after, ok = h.Codec.Open(id.KindAccount, u)
		}
		if !ok {
			return nil, chat.Fail(chat.CodeAccountUnknown)
		}
	}
	list, err := h.Core.Accounts(r.Context(), chat.AccountID(after), pageSize)
	if err != nil {
		return nil, err
	}
	page := accountPage{Accounts: make([]Account, 0, len(list))}
	for _, a := range list {
		page.Accounts = append(page.Accounts, shownAccount(h.Codec, a))
	}
	if len(list) == pageSize {
		page.Next = page.Accounts[pageSize-1].ID
	}
	return page, nil
}

func (h *handler) createAccount(r *http.Request) (any, error) {
	var in NewAccount
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	for _, kind := range []chat.AccountKind{chat.KindHuman, chat.KindAgent, chat.KindSystem} {
		if kind.String() == in.Kind {
			a, err := h.Core.AddAccount(r.Context(), kind, core.Registration{
				Address: in.Address, Password: in.Password, Username: in.Username, Agent: kind == chat.KindAgent,
			})
			if err != nil {
				return nil, err
			}
			return shownAccount(h.Codec, a), nil
		}
	}
	return nil, chat.FailField(chat.CodeFieldInvalid, "kind")
}

func (h *handler) showAccount(r *http.Request) (any, error) {
	a, err := h.account(r)
	if err != nil {
		return nil, err
	}
	return shownAccount(h.Codec, a), nil
}

func (h *handler) removeAccount(r *http.Request) (any, error) {
	a, err := h.account(r)
	if err != nil {
		return nil, err
	}
	// As it was: afterwards there is nothing left to show.
	return shownAccount(h.Codec, a), h.Core.RemoveAccount(r.Context(), a.ID)
}

func (h *handler) suspend(on bool) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		a, err := h.account(r)
		if err != nil {
			return nil, err
		}
		if a, err = h.Core.Suspend(r.Context(), a.ID, on); err != nil {
			return nil, err
		}
		return shownAccount(h.Codec, a), nil
	}
}

func (h *handler) setGuard(r *http.Request) (any, error) {
	var in guardChange
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	a, err := h.account(r)
	if err != nil {
		return nil, err
	}
	if a, err = h.Core.SetGuard(r.Context(), a.ID, in.On); err != nil {
		return nil, err
	}
	return shownAccount(h.Codec, a), nil
}

func (h *handler) setPassword(r *http.Request) (any, error) {
	var in passwordChange
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	a, err := h.account(r)
	if err != nil {
		return nil, err
	}
	return shownAccount(h.Codec, a), h.Core.SetPassword(r.Context(), a.ID, in.Password)
}
