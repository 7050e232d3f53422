package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/bench"
	"parley/internal/testpg"
)

// common are the shared options of measurements too small to be of worth.
func common(t *testing.T) bench.Common {
	t.Helper()
	o := small(t)
	return bench.Common{Engine: bench.EngineSQLite, Child: o.Child, Log: o.Log}
}

const (
	shortSlice = 500 * time.Millisecond
	shortWarm  = 10 * time.Millisecond
)

// smallOnes are all measurements by name, with what their reports must have.
func smallOnes(t *testing.T) map[string]measured {
	t.Helper()
	o := common(t)
	return map[string]measured{
		"live": {
			&bench.Live{Common: o, Senders: 3, Receivers: 5, Duration: shortSlice, WarmUp: shortWarm, Repetitions: 2},
			[]string{"direct", "group"},
			[]string{"sends_per_s", "deliveries_per_s", "cpu_us", "p50_ms", "p99_ms"},
		},
		"fanout": {
			&bench.Fanout{Common: o, Members: 4, Sockets: 2, Senders: 2, Duration: shortSlice, WarmUp: shortWarm, Repetitions: 2},
			[]string{"fanout", "floor-frames"},
			[]string{"deliveries_per_s", "cpu_us", "p50_ms", "p99_ms", "ratio"},
		},
		"idle": {
			&bench.Idle{Common: o, Sockets: 50},
			[]string{"idle-first", "idle"},
			[]string{"sockets", "kb_per_socket", "kb_before"},
		},
		"storm": {
			&bench.Storm{Common: o, Sockets: 20, Waiting: 3, Repetitions: 2},
			[]string{"storm"},
			[]string{"sockets", "all_ms", "connects_per_s", "p50_ms", "p99_ms", "retries", "cpu_us"},
		},
		"inbox": {
			&bench.Inbox{Common: o, Agents: 2, Waiting: 450, Connections: 2, Repetitions: 2},
			[]string{"inbox", "floor-rows"},
			[]string{"rows_per_s", "cpu_us", "p50_ms", "p99_ms", "ratio"},
		},
	}
}

type measured struct {
	bench.Measurement

	works, figures []string
}

// check checks what scripts rely on: one object on one line, with these figures.
func (m measured) check(t *testing.T, figures *bench.Figures) {
	t.Helper()
	var text bytes.Buffer
	if err := figures.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got map[string][]map[string]any
	if err := json.Unmarshal(text.Bytes(), &got); err != nil || len(got) != 1 || strings.Count(text.String(), "\n") != 1 {
		t.Fatalf("JSON = %s (%v), want one object with one member on one line", text.String(), err)
	}
	var works []string
	for _, run := range got["runs"] {
		work, _ := run["work"].(string)
		works = append(works, work)
		for _, key := range m.figures {
			// A small measurement may find no memory at all, and need no retries.
			least := 0.0
			if key == "kb_per_socket" {
				least = -1 << 20
			}
			if v, ok := run[key].(float64); !ok || v < least || v == 0 && key != "retries" && key != "kb_per_socket" {
				t.Errorf("%s: %s = %v, want a number", work, key, run[key])
			}
		}
		delete(run, "database_us") // where the database is on this machine
		if len(run) != 1+len(m.figures) {
			t.Errorf("%s = %v, want work and %v", work, run, m.figures)
		}
	}
	if !slices.Equal(works, m.works) {
		t.Errorf("works = %v, want %v", works, m.works)
	}
}

func TestMeasurements(t *testing.T) {
	t.Parallel()
	for name, m := range smallOnes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			figures, err := m.Measure(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m.check(t, figures)
		})
	}
}

func TestMeasurementsOnPostgres(t *testing.T) {
	t.Parallel()
	url := testpg.New(t)
	all := smallOnes(t)
	// One after the other: each takes the same name for its database.
	for _, name := range []string{"live", "inbox"} {
		m := all[name]
		switch b := m.Measurement.(type) {
		case *bench.Live:
			b.Engine, b.PostgresURL = bench.EnginePostgres, url
		case *bench.Inbox:
			b.Engine, b.PostgresURL = bench.EnginePostgres, url
		}
		figures, err := m.Measure(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m.check(t, figures)
	}
	if n := countDatabases(t, url); n != 0 {
		t.Errorf("%d databases of the bench are left, want 0", n)
	}
}

func TestMeasurementProfile(t *testing.T) {
	t.Parallel()
	o := common(t)
	o.Profile = filepath.Join(t.TempDir(), "cpu.prof")
	if _, err := (&bench.Storm{Common: o, Sockets: 2, Repetitions: 1}).Measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{o.Profile, o.Profile + ".allocs"} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("profile %s is missing or empty: %v", name, err)
		}
	}
}

func TestMeasurementRefusals(t *testing.T) {
	t.Parallel()
	o := common(t)
	badEngine, noURL := o, o
	badEngine.Engine, noURL.Engine = "mysql", bench.EnginePostgres
	second := time.Second
	for _, tc := range []struct {
		want string
		m    bench.Measurement
	}{
		{"engine", &bench.Idle{Common: badEngine, Sockets: 5}},
		{"engine", &bench.Storm{Common: noURL, Sockets: 1, Repetitions: 1}},
		{"sockets", &bench.Idle{Common: o}},
		{"sockets", &bench.Idle{Common: o, Sockets: 1 << 30}}, // more than may be open
		{"sockets", &bench.Storm{Common: o, Repetitions: 1}},
		{"waiting", &bench.Storm{Common: o, Sockets: 1, Waiting: -1, Repetitions: 1}},
		{"repetitions", &bench.Storm{Common: o, Sockets: 1}},
		{"senders, receivers", &bench.Live{Common: o, Senders: 1, Duration: second, Repetitions: 1}},
		{"senders, receivers", &bench.Live{Common: o, Senders: 200, Receivers: 57, Duration: second, Repetitions: 1}},
		{"duration", &bench.Live{Common: o, Senders: 1, Receivers: 1, Duration: 1, Repetitions: 1}},
		{"warm-up", &bench.Live{Common: o, Senders: 1, Receivers: 1, Duration: second, WarmUp: -1, Repetitions: 1}},
		{"repetitions", &bench.Live{Common: o, Senders: 1, Receivers: 1, Duration: second}},
		{"members", &bench.Fanout{Common: o, Members: 257, Sockets: 1, Senders: 1, Duration: second, Repetitions: 1}},
		{"sockets", &bench.Fanout{Common: o, Members: 2, Senders: 1, Duration: second, Repetitions: 1}},
		{"senders", &bench.Fanout{Common: o, Members: 2, Sockets: 1, Senders: 3, Duration: second, Repetitions: 1}},
		{"agents", &bench.Inbox{Common: o, Waiting: 10, Connections: 1, Repetitions: 1}},
		{"waiting", &bench.Inbox{Common: o, Agents: 1, Waiting: 3, Connections: 1, Repetitions: 1}},
		{"connections", &bench.Inbox{Common: o, Agents: 1, Waiting: 10, Repetitions: 1}},
		{"repetitions", &bench.Inbox{Common: o, Agents: 1, Waiting: 10, Connections: 1}},
	} {
		if _, err := tc.m.Measure(t.Context()); err == nil || !strings.HasPrefix(err.Error(), tc.want+":") {
			t.Errorf("%T: error = %v, want one about %s", tc.m, err, tc.want)
		}
	}
}

func TestMeasurementChildFails(t *testing.T) {
	t.Parallel()
	o := common(t)
	o.Child = []string{"/bin/false"}
	_, err := (&bench.Idle{Common: o, Sockets: 5}).Measure(t.Context())
	if err == nil || !strings.Contains(err.Error(), "server: ") {
		t.Errorf("error = %v, want one that names the child", err)
	}
}

// Whoever breaks a measurement off gets the prompt back, and nothing is left.
func TestMeasurementBrokenOff(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for name, m := range smallOnes(t) {
		ctx, cancel := context.WithCancel(t.Context())
		log := writerFunc(func(line string) {
			if strings.Contains(line, "1 of ") || strings.Contains(line, "opening") {
				cancel()
			}
		})
		switch b := m.Measurement.(type) {
		case *bench.Live:
			b.Log, b.Repetitions = log, 1000
		case *bench.Fanout:
			b.Log, b.Repetitions = log, 1000
		case *bench.Idle:
			b.Log = log
		case *bench.Storm:
			b.Log, b.Repetitions = log, 1000
		case *bench.Inbox:
			b.Log, b.Repetitions = log, 10
		}
		if _, err := m.Measure(ctx); err == nil || !strings.Contains(err.Error(), "broken off") {
			t.Errorf("%s: error = %v, want that it was broken off", name, err)
		}
		cancel()
	}
	if left, err := filepath.Glob(filepath.Join(temp, "parley-bench-*")); err != nil || len(left) > 0 {
		t.Errorf("folders left behind: %v, %v, want none", left, err)
	}
}
