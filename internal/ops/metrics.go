package ops

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is the registry of a server. All methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec

	batches  prometheus.Histogram
	reruns   prometheus.Counter
	ended    *prometheus.CounterVec
	batching prometheus.Histogram

	attempts *prometheus.CounterVec
	calls    *prometheus.HistogramVec
}

// NewMetrics makes a registry with the figures of the Go runtime, of the process
// and of the chat.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_http_requests_total",
			Help: "Requests answered, by surface, operation and HTTP status.",
		}, []string{"surface", "operation", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "parley_http_request_duration_seconds",
			Help:    "Time from reading a request to the end of its answer, by surface and operation.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"surface", "operation"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "parley_send_batch_size",
			Help:    "Messages stored together in one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10), // to 512, the most a batch holds
		}),
		reruns: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_send_batch_reruns_total",
			Help: "Batches, or halves of them, that had to be run again.",
		}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_live_ended_total",
			Help: "Live subscriptions that the server ended, by reason.",
		}, []string{"reason"}),
		batching: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "parley_send_batch_duration_seconds",
			Help:    "Time from taking a batch to its end on disk.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	m.attempts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_webhook_attempts_total",
		Help: "Calls to webhooks that ended, by the surface the webhook was registered through, kind (event, wake) and outcome (delivered, failed).",
	}, []string{"surface", "kind", "outcome"})
	m.calls = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "parley_webhook_attempt_duration_seconds",
		Help:    "Time that calls to webhooks took, by surface.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"surface"})
	m.registry.MustRegister(
		m.attempts, m.calls, m.requests, m.duration, m.batches, m.reruns, m.batching, m.ended,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler shows the metrics in the formats of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Info adds a figure that is always 1 and tells facts by its labels.
func (m *Metrics) Info(name, help string, labels map[string]string) {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels})
	g.Set(1)
	m.registry.MustRegister(g)
}

// Gauge adds a figure that is read when it is asked for; read must be cheap and
// safe for concurrent use.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Batch notes one finished batch of sends.
func (m *Metrics) Batch(size, reruns int, took time.Duration) {
	m.batches.Observe(float64(size))
	m.batching.Observe(took.Seconds())
	if reruns > 0 {
		m.reruns.Add(float64(reruns))
	}
}

// Attempt notes a call to a webhook that ended.
func (m *Metrics) Attempt(surface string, wake, delivered bool, took time.Duration) {
	kind, outcome := "event", "failed"
	if wake {
		kind = "wake"
	}
	if delivered {
		outcome = "delivered"
	}
	m.attempts.WithLabelValues(surface, kind, outcome).Inc()
	m.calls.WithLabelValues(surface).Observe(took.Seconds())
}

// ListenerEnded notes that the server ended a live subscription, for one of few
// named reasons.
func (m *Metrics) ListenerEnded(reason string) { m.ended.WithLabelValues(reason).Inc() }

// Statuses that get a counter of their own; others are counted under "other".
const (
	statusMin = 100
	statusMax = 599
)

// Endpoint notes the requests of one operation. Its figures are found once and
// kept, so that a request pays for two atomic additions and no look-up.
type Endpoint struct {
	requests *prometheus.CounterVec // of this surface and operation, by code
	duration prometheus.Observer
	byStatus [statusMax - statusMin + 1]atomic.Pointer[prometheus.Counter]
	other    prometheus.Counter
}

// Endpoint returns the figures of one operation. Keep it: this is the slow part.
func (m *Metrics) Endpoint(surface, operation string) *Endpoint {
	labels := prometheus.Labels{"surface": surface, "operation": operation}
	requests := m.requests.MustCurryWith(labels)
	return &Endpoint{
		requests: requests,
		duration: m.duration.With(labels),
		other:    requests.WithLabelValues("other"),
	}
}

// Observe notes a request that was answered with an HTTP status.
func (e *Endpoint) Observe(status int, took time.Duration) {
	e.duration.Observe(took.Seconds())
	e.counter(status).Inc()
}

func (e *Endpoint) counter(status int) prometheus.Counter {
	if status < statusMin || status > statusMax {
		return e.other
	}
	place := &e.byStatus[status-statusMin]
	if known := place.Load(); known != nil {
		return *known
	}
	c := e.requests.WithLabelValues(strconv.Itoa(status))
	place.Store(&c) // whoever is first: the vector gives all the same counter
	return c
}
