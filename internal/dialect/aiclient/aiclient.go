// Package aiclient speaks the agent network of aiclient: the HTTP surface under /ai/
// and the form of its webhooks (AI).
//
// It translates and decides nothing. A handler reads its input, calls one operation
// of the core and words the result. What is wrong with the input is handed to the
// core along with the call; the core says when it is told (AI 2.1).
//
// Every route is one row of [Routes], every failure one row of [Answers]; the mux,
// the OpenAPI document and the tests are made from these two tables. The texts are
// Chinese and part of the contract, byte for byte.
package aiclient

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	apidoc "parley/api"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
	"parley/internal/id"
)

// bodyLimit is the longest request body in bytes (AI 2).
const bodyLimit = 65536

// Config is what the surface is built from. Core, IDs and Log are needed.
type Config struct {
	Core *core.Service
	IDs  *id.Codec
	Log  *slog.Logger
	// Clients says whose forwarding headers count; nil trusts nobody.
	Clients *httpx.Clients
	// Observe is told about every finished request; nil: nobody is.
	Observe func(httpx.Record)
	// PublicURL is the address of the server in the OpenAPI document and in links,
	// without a slash at the end; "" takes the address that a request was made to.
	PublicURL string
	// FileLink is where whoever has the address may read a file for a while, on a
	// server with a base address; nil: files are shown by their names alone.
	FileLink func(base string, file *chat.Attachment) string
}

// api is the surface; it is immutable and serves concurrently.
type api struct {
	Config

	answers Catalogue
}

// New builds the handler for everything under /ai/. It panics if the route table is
// at fault.
func New(cfg Config) http.Handler {
	if cfg.Clients == nil {
		cfg.Clients = httpx.NewClients(nil)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(httpx.Record) {}
	}
	a := &api{Config: cfg, answers: Answers()}
	guard := httpx.Guard{Log: cfg.Log, Answer: func(w http.ResponseWriter, r *http.Request) {
		if !wire.QuotaKnown(w.Header()) { // it was the admission that panicked
			a.peek(w, r)
		}
		a.fail(w, r, chat.Fail(chat.CodeInternal)) // the guard has logged the cause
	}}
	cors := httpx.CORS{
		Origin:  "*",
		Methods: "GET, POST, PATCH, DELETE",
		Headers: "Authorization, Content-Type",
		Expose:  wire.RateHeaders + ", Retry-After",
	}
	h := a.preflights(cors.Wrap(a.mux()))
	return httpx.Observe(cfg.Clients, cfg.Observe)(httpx.RequestIDs(wire.CommonHeaders(guard.Wrap(h))))
}

// mux is the router of all routes and of what is said elsewhere.
func (a *api) mux() http.Handler {
	var table []httpx.Route
	for _, r := range Routes() {
		table = append(table, httpx.Route{Method: r.Method, Path: r.Path, Handler: a.serve(r)})
	}
	table = append(table, httpx.Route{
		Method: http.MethodGet, Path: "/ai/openapi.json",
		Handler: a.admitted(core.CountsNothing, func(w http.ResponseWriter, _ *http.Request, _ core.Admission) {
			httpx.WriteBody(w, http.StatusOK, a.document())
		}),
	})
	return httpx.NewMux(table, a.refuse(chat.CodeRouteUnknown), a.wrongMethod())
}

// document is the OpenAPI document with the server's address in it.
func (a *api) document() []byte {
	text := apidoc.AIClient()
	if a.PublicURL != "" {
		address, _ := json.Marshal(a.PublicURL) // a string always encodes
		text = strings.Replace(text, `"url": "/"`, `"url": `+string(address), 1)
	}
	return []byte(text)
}
