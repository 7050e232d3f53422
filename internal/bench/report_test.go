package bench

import (
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	t.Parallel()
	of := func(sends ...int) (results []*slice) {
		for _, n := range sends {
			results = append(results, &slice{
				Sends: n, Elapsed: time.Second, CPU: time.Second, P50: 2 * time.Millisecond, P99: 5 * time.Millisecond,
			})
		}
		return results
	}
	report := newReport(map[string][]*slice{
		workSend: of(900, 1000, 1400), workFloorHTTP: of(4000, 4000, 4000), workFloorBare: of(2000, 3000, 1000),
	})
	var json, text strings.Builder
	if err := report.WriteJSON(&json); err != nil {
		t.Fatal(err)
	}
	want := `{"runs":[` +
		`{"work":"send","per_s":1000,"cpu_us":1000,"p50_ms":2,"p99_ms":5,"ratio":0.5},` +
		`{"work":"floor-http","per_s":4000,"cpu_us":250,"p50_ms":2,"p99_ms":5,"ratio":2},` +
		`{"work":"floor-bare","per_s":2000,"cpu_us":500,"p50_ms":2,"p99_ms":5,"ratio":1}]}` + "\n"
	if json.String() != want {
		t.Errorf("JSON = %s, want %s", json.String(), want)
	}
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"work        sends/s     best   cpu us   p50 ms   p99 ms   ratio\n",
		"send           1000     1400   1000.0     2.00     5.00    0.50\n",
		"send        the server",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("text =\n%s\nwant %q in it", text.String(), want)
		}
	}
	if strings.Contains(text.String(), "signature") {
		t.Errorf("text =\n%s\nwant no word of signatures, which were not measured", text.String())
	}
}

func TestReportOfSignatures(t *testing.T) {
	t.Parallel()
	of := func(cpu time.Duration) []*slice { return []*slice{{Sends: 1000, Elapsed: time.Second, CPU: cpu}} }
	report := newReport(map[string][]*slice{
		workSend: of(80 * time.Millisecond), workAI: of(90 * time.Millisecond), workAISigned: of(165 * time.Millisecond),
		workFloorHTTP: of(30 * time.Millisecond), workFloorBare: of(30 * time.Millisecond),
	})
	var json, text strings.Builder
	if err := report.WriteJSON(&json); err != nil {
		t.Fatal(err)
	}
	if want := `],"signature_us":75}`; !strings.HasSuffix(json.String(), want+"\n") {
		t.Errorf("JSON = %s, want %s at its end", json.String(), want)
	}
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A signature costs 75.0 us of CPU", "ai-signed   ..."} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("text =\n%s\nwant %q in it", text.String(), want)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	f := &Figures{legend: "a  the first\n", columns: []column{{"per_s", "sends/s", 1}, columnCPU, columnDatabase}}
	f.add("a", 1234.567, 2.5, nothing())
	f.add("b", 8, nothing(), nothing())
	var json, text strings.Builder
	if err := f.WriteJSON(&json); err != nil {
		t.Fatal(err)
	}
	if want := `{"runs":[{"work":"a","per_s":1234.6,"cpu_us":2.5},{"work":"b","per_s":8}]}` + "\n"; json.String() != want {
		t.Errorf("JSON = %s, want %s", json.String(), want)
	}
	if err := f.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := "work              sends/s       cpu us\n" +
		"a                  1234.6         2.50\n" +
		"b                     8.0            -\n\na  the first\n"
	if text.String() != want {
		t.Errorf("text =\n%s\nwant\n%s", text.String(), want)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	values := make([]time.Duration, 100)
	for i := range values {
		values[i] = time.Duration(i + 1)
	}
	if p50, p99 := quantile(values, 0.5), quantile(values, 0.99); p50 != 51 || p99 != 100 {
		t.Errorf("p50, p99 = %d, %d, want 51, 100", p50, p99)
	}
	if one := quantile(values[:1], 0.99); one != 1 {
		t.Errorf("p99 of one value = %d, want it", one)
	}
}

// Off a terminal a long preload must not write a line per step.
func TestProgress(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := newProgress(&sharedLog{out: &out})
	for done := range 101 {
		p.part(done, 100, "%d of %d", done, 100)
	}
	p.line("done")
	p.done()
	if got := strings.Count(out.String(), "\n"); got != 11 {
		t.Errorf("%d lines, want 11: one per tenth and the last\n%s", got, out.String())
	}
}
