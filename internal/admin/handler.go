package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/httpx"
	"parley/internal/id"
)

const (
	bodyLimit = 64 << 10
	pageSize  = 500 // accounts of one page
)

// Config is what a handler is made from. All but Backup is needed.
type Config struct {
	Core  *core.Service
	Codec *id.Codec
	Log   *slog.Logger
	// Backup writes a consistent copy of the database to a new file; nil if the
	// engine cannot.
	Backup func(ctx context.Context, path string) error
}

// handler serves the operator.
type handler struct{ Config }

// Handler serves the operator's commands. It does not authenticate: whoever can
// reach it may do everything.
func Handler(cfg Config) http.Handler {
	h := &handler{cfg}
	route := func(method, path string, serve func(*http.Request) (any, error)) httpx.Route {
		return httpx.Route{Method: method, Path: path, Handler: h.answer(serve)}
	}
	unknown := h.answer(func(*http.Request) (any, error) { return nil, chat.Fail(chat.CodeRouteUnknown) })
	mux := httpx.NewMux([]httpx.Route{
		route("GET", "/accounts", h.listAccounts),
		route("POST", "/accounts", h.createAccount),
		route("GET", "/accounts/{who}", h.showAccount),
		route("DELETE", "/accounts/{who}", h.removeAccount),
		route("POST", "/accounts/{who}/suspend", h.suspend(true)),
		route("POST", "/accounts/{who}/reinstate", h.suspend(false)),
		route("PUT", "/accounts/{who}/guard", h.setGuard),
		route("PUT", "/accounts/{who}/password", h.setPassword),
		route("GET", "/accounts/{who}/keys", h.listKeys),
		route("POST", "/accounts/{who}/keys", h.createKey),
		route("DELETE", "/accounts/{who}/keys/{key}", h.revokeKey),
		route("GET", "/webhooks", h.listWebhooks),
		route("DELETE", "/webhooks/{webhook}", h.removeWebhook),
		route("GET", "/dead-letters", h.listDeadLetters),
		route("POST", "/dead-letters/redrive", h.redriveAll),
		route("POST", "/dead-letters/{letter}/redrive", h.redrive),
		route("POST", "/backup", h.backup),
		route("GET", "/usage", func(*http.Request) (any, error) { return usage() }),
	}, unknown, unknown)
	internal := h.answer(func(*http.Request) (any, error) { return nil, chat.Fail(chat.CodeInternal) })
	return httpx.Guard{Log: cfg.Log, Answer: internal.ServeHTTP}.Wrap(mux)
}

// answer calls serve and writes what it returns as JSON.
func (h *handler) answer(serve func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		body, err := serve(r)
		if err != nil {
			e := asError(err)
			if e.Status == http.StatusInternalServerError {
				h.Log.ErrorContext(r.Context(), "operator command failed", "method", r.Method, "path", r.URL.Path, "error", err)
			}
			status, body = e.Status, errorBody{e}
		}
		if err := httpx.WriteJSON(w, status, body); err != nil {
			h.Log.ErrorContext(r.Context(), "operator answer not encoded", "error", err)
		}
	})
}

// decode reads the body into v. Fields that v does not have are passed over, so
// that a newer command can speak to an older server.
func decode(r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit+1))
	if err == nil && len(body) > bodyLimit {
		return chat.Fail(chat.CodeBodyTooLarge)
	}
	if err == nil {
		err = json.Unmarshal(body, v)
	}
	if err != nil {
		return &chat.Error{Code: chat.CodeBodyInvalid, Cause: err}
	}
	return nil
}

// account finds the account that the path names: by public id, username, handle
// or login address.
func (h *handler) account(r *http.Request) (*chat.Account, error) {
	return h.find(r, r.PathValue("who"))
}

// find finds an account likewise.
func (h *handler) find(r *http.Request, who string) (*chat.Account, error) {
	u, isID := id.ParseUUID(who)
	if !isID {
		return h.Core.FindAccount(r.Context(), who)
	}
	n, ok := h.Codec.Open(id.KindAccount, u)
	if !ok {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	// The list from just below the id begins with the account, if it is there.
	list, err := h.Core.Accounts(r.Context(), chat.AccountID(n-1), 1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].ID != chat.AccountID(n) {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	return list[0], nil
}

func (h *handler) backup(r *http.Request) (any, error) {
	var in backupRequest
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if h.Backup == nil {
		return nil, &Error{
			Status: http.StatusConflict, Code: "backup_elsewhere",
			Message: "This server keeps its data in PostgreSQL. Use pg_dump, and pg_restore to put it back.",
		}
	}
	err := h.Backup(r.Context(), in.Path)
	if err == nil {
		return empty{}, nil
	}
	if e := asError(err); e.Code != string(chat.CodeInternal) {
		return nil, e
	}
	h.Log.ErrorContext(r.Context(), "backup failed", "path", in.Path, "error", err)
	// A full disk is for the operator to mend, so the cause is told.
	return nil, &Error{
		Status: http.StatusInsufficientStorage, Code: "backup_failed",
		Message: fmt.Sprintf("The copy was not made: %v.", err),
	}
}
