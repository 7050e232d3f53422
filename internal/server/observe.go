package server

import (
	"context"
	"log/slog"
	"net/http"

	"parley/internal/httpx"
	"parley/internal/ops"
)

// observer counts and logs the requests of one surface. It is complete before it
// is used, and safe for concurrent use from then on.
type observer struct {
	surface   string
	metrics   *ops.Metrics
	log       *slog.Logger
	endpoints map[route]*ops.Endpoint
	named     map[string]*ops.Endpoint
	unknown   *ops.Endpoint // no route: the path or the method is not known
}

type route struct{ method, pattern string }

func (s *Server) observer(surface string) *observer {
	return &observer{
		surface: surface, metrics: s.metrics, log: s.log,
		endpoints: make(map[route]*ops.Endpoint), named: make(map[string]*ops.Endpoint),
		unknown: s.metrics.Endpoint(surface, "unknown"),
	}
}

// add counts a route under the name of an operation; several routes may share it.
func (o *observer) add(method, pattern, operation string) {
	e := o.named[operation]
	if e == nil {
		e = o.metrics.Endpoint(o.surface, operation)
		o.named[operation] = e
	}
	o.endpoints[route{method, pattern}] = e
	if method == http.MethodGet {
		o.endpoints[route{http.MethodHead, pattern}] = e
	}
}

// observe is the hook of httpx.Observe. The line is for developers, so that a
// busy server does not write more log than messages.
func (o *observer) observe(r httpx.Record) {
	e := o.endpoints[route{r.Method, r.Pattern}]
	if e == nil {
		e = o.unknown
	}
	e.Observe(r.Status, r.Duration)
	if o.log.Enabled(context.Background(), slog.LevelDebug) {
		o.log.Debug("request served",
			"request_id", r.RequestID, "surface", o.surface, "method", r.Method, "route", r.Pattern,
			"status", r.Status, "bytes", r.Bytes, "duration", r.Duration, "client", r.Client.String())
	}
}
