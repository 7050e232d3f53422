package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Figures is what a measurement of /v1 came to: a line per thing measured.
type Figures struct {
	columns []column
	rows    []row
	legend  string // explains the lines and columns to people
}

// column is one figure of every line.
type column struct {
	key    string // in JSON
	head   string // for people
	digits int    // after the point
}

// row is one line; its values are those of the columns, NaN where there is none.
type row struct {
	work   string
	values []float64
}

// The columns that several measurements have.
var (
	columnCPU      = column{"cpu_us", "cpu us", 2}
	columnP50      = column{"p50_ms", "p50 ms", 3}
	columnP99      = column{"p99_ms", "p99 ms", 3}
	columnRatio    = column{"ratio", "ratio", 3}
	columnDatabase = column{"database_us", "database us", 2}
)

// nothing stands for a figure that a line does not have.
func nothing() float64 { return math.NaN() }

// add adds a line.
func (f *Figures) add(work string, values ...float64) {
	f.rows = append(f.rows, row{work, values})
}

// shown tells whether any line has a figure in a column.
func (f *Figures) shown(i int) bool {
	for _, r := range f.rows {
		if !math.IsNaN(r.values[i]) {
			return true
		}
	}
	return false
}

// WriteJSON writes the figures as one JSON object on one line.
func (f *Figures) WriteJSON(w io.Writer) error {
	runs := make([]json.RawMessage, len(f.rows))
	for i, r := range f.rows {
		var b strings.Builder
		fmt.Fprintf(&b, `{"work":%q`, r.work)
		for k, c := range f.columns {
			if v := r.values[k]; !math.IsNaN(v) {
				fmt.Fprintf(&b, ",%q:%s", c.key, strconv.FormatFloat(rounded(v, c.digits), 'f', -1, 64))
			}
		}
		b.WriteByte('}')
		runs[i] = json.RawMessage(b.String())
	}
	return json.NewEncoder(w).Encode(struct {
		Runs []json.RawMessage `json:"runs"`
	}{runs})
}

// WriteText writes the figures for people.
func (f *Figures) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s", "work")
	for i, c := range f.columns {
		if f.shown(i) {
			fmt.Fprintf(&b, " %12s", c.head)
		}
	}
	b.WriteByte('\n')
	for _, r := range f.rows {
		fmt.Fprintf(&b, "%-12s", r.work)
		for i, c := range f.columns {
			if !f.shown(i) {
				continue
			}
			text := "-"
			if v := r.values[i]; !math.IsNaN(v) {
				text = strconv.FormatFloat(v, 'f', min(c.digits, 2), 64)
			}
			fmt.Fprintf(&b, " %12s", text)
		}
		b.WriteByte('\n')
	}
	b.WriteString("\n" + f.legend)
	_, err := io.WriteString(w, b.String())
	return err
}

// over is the median of a figure over slices.
func over(results []*slice, value func(s *slice) float64) float64 {
	values := make([]float64, len(results))
	for i, s := range results {
		values[i] = value(s)
	}
	return median(values)
}

// cost is the CPU time of the measured process per thing counted, in microseconds.
func cost(s *slice) float64 { return s.perSend(s.CPU) }

// databaseCost is the same of a database's own processes, nothing if it has none.
func databaseCost(results []*slice) float64 {
	v := over(results, func(s *slice) float64 { return s.perSend(s.Database) })
	if v == 0 {
		return nothing()
	}
	return v
}

func lowMillis(s *slice) float64  { return millis(s.P50) }
func highMillis(s *slice) float64 { return millis(s.P99) }
