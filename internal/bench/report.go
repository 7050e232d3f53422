package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Report is what a run came to.
type Report struct {
	Runs []Run `json:"runs"`
	// Signature is how many microseconds of CPU a signed send through /ai costs beyond
	// an unsigned one; absent if they were not measured.
	Signature *float64 `json:"signature_us,omitempty"`
}

// Run is one thing measured, in medians over its slices.
type Run struct {
	Work      string  `json:"work"`   // send, ai, ai-signed, floor-http or floor-bare
	PerSecond float64 `json:"per_s"`  // sends answered per second
	CPU       float64 `json:"cpu_us"` // microseconds of CPU of the process measured, per send
	P50       float64 `json:"p50_ms"` // milliseconds from request to answer
	P99       float64 `json:"p99_ms"`
	// Ratio is the rate divided by that of the slower floor.
	Ratio float64 `json:"ratio"`

	best     float64 // rate of the best slice
	database float64 // microseconds of CPU of the database's own processes, per send
}

func newReport(results map[string][]*slice) *Report {
	r := new(Report)
	floor := math.Inf(1)
	cpu := make(map[string]float64)
	for _, work := range works() {
		if len(results[work]) == 0 {
			continue
		}
		run := newRun(work, results[work])
		if work == workFloorHTTP || work == workFloorBare {
			floor = min(floor, run.PerSecond)
		}
		cpu[work] = run.CPU
		r.Runs = append(r.Runs, run)
	}
	if signed, ok := cpu[workAISigned]; ok {
		r.Signature = new(rounded(signed-cpu[workAI], 2))
	}
	for i := range r.Runs {
		r.Runs[i].Ratio = rounded(r.Runs[i].PerSecond/floor, 3)
	}
	return r
}

func newRun(work string, results []*slice) Run {
	over := func(value func(s *slice) float64) []float64 {
		values := make([]float64, len(results))
		for i, s := range results {
			values[i] = value(s)
		}
		return values
	}
	rates := over((*slice).perSecond)
	return Run{
		Work: work, best: slices.Max(rates), PerSecond: rounded(median(rates), 1),
		CPU:      rounded(median(over(func(s *slice) float64 { return s.perSend(s.CPU) })), 2),
		P50:      rounded(median(over(func(s *slice) float64 { return millis(s.P50) })), 3),
		P99:      rounded(median(over(func(s *slice) float64 { return millis(s.P99) })), 3),
		database: median(over(func(s *slice) float64 { return s.perSend(s.Database) })),
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func rounded(v float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}

// WriteJSON writes the report as one JSON object on one line.
func (r *Report) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	database := slices.ContainsFunc(r.Runs, func(run Run) bool { return run.database > 0 })
	var b strings.Builder
	line := func(work, rate, best, cpu, p50, p99, ratio, db string) {
		fmt.Fprintf(&b, "%-10s %8s %8s %8s %8s %8s %7s", work, rate, best, cpu, p50, p99, ratio)
		if database {
			fmt.Fprintf(&b, " %12s", db)
		}
		b.WriteByte('\n')
	}
	number := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	line("work", "sends/s", "best", "cpu us", "p50 ms", "p99 ms", "ratio", "database us")
	for _, run := range r.Runs {
		line(run.Work, number(run.PerSecond, 0), number(run.best, 0), number(run.CPU, 1), number(run.P50, 2),
			number(run.P99, 2), number(run.Ratio, 2), number(run.database, 1))
	}
	if r.Signature != nil {
		fmt.Fprintf(&b, "\nA signature costs %.1f us of CPU: ai-signed less ai.\n", *r.Signature)
	}
	b.WriteString(`
send        the server: durable sends over HTTP through /api, all rules on
`)
	if r.Signature != nil {
		b.WriteString(`ai          the same server: the same messages through /ai, unsigned
ai-signed   ... and signed, each checked against the sender's key
`)
	}
	b.WriteString(`floor-http  the same HTTP work with nothing behind it: no core, no database
floor-bare  the same rows written in batches, without HTTP and without rules
sends/s     median over the slices; best is the best slice
cpu us      CPU time of the measured process per send, load generator not included
ratio       sends/s divided by those of the slower floor
`)
	_, err := io.WriteString(w, b.String())
	return err
}
