package bench_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"parley/internal/bench"
	"parley/internal/testpg"
)

// childArgument makes this test binary a child of the bench.
const childArgument = "bench-child"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArgument {
		if err := bench.ServeChild(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// small are options that run in a few seconds and measure nothing of worth.
func small(t *testing.T) bench.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return bench.Options{
		Engine: bench.EngineSQLite, Work: bench.WorkBoth, Connections: 8, Conversations: 40, Rows: 2000,
		Duration: 300 * time.Millisecond, WarmUp: 50 * time.Millisecond, Repetitions: 1,
		Child: []string{self, childArgument}, Log: t.Output(),
	}
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	o := small(t)
	o.Keep = t.TempDir()
	o.Profile = filepath.Join(t.TempDir(), "cpu.prof")
	report, err := bench.Send(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report)
	for _, work := range []string{"send", "floor-bare"} {
		db, err := sql.Open("sqlite", filepath.Join(o.Keep, work, "parley.db"))
		if err != nil {
			t.Fatal(err)
		}
		checkRows(t, work, db, o.Rows)
	}
	for _, name := range []string{o.Profile, o.Profile + ".allocs"} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("profile %s is missing or empty: %v", name, err)
		}
	}

	t.Run("kept databases are used again", func(t *testing.T) {
		o.Profile = ""
		var log bytes.Buffer
		o.Log = &log
		if _, err := bench.Send(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if text := log.String(); strings.Contains(text, "preload") || !strings.Contains(text, "using") {
			t.Errorf("progress = %q, want the kept databases to be used", text)
		}
	})
	t.Run("but not for other options", func(t *testing.T) {
		o.Connections++
		if _, err := bench.Send(t.Context(), o); err == nil || !strings.Contains(err.Error(), "other options") {
			t.Errorf("error = %v, want one about other options", err)
		}
	})
}

// Signed messages and unsigned ones go through the same server as those of /api, and all
// of them are stored.
func TestAI(t *testing.T) {
	t.Parallel()
	o := small(t)
	o.Work, o.AI, o.Keep = bench.WorkDirect, true, t.TempDir()
	report, err := bench.Send(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var works []string
	for _, run := range report.Runs {
		works = append(works, run.Work)
	}
	if want := []string{"send", "ai", "ai-signed", "floor-http", "floor-bare"}; !slices.Equal(works, want) {
		t.Errorf("runs = %v, want %v", works, want)
	}
	if report.Signature == nil {
		t.Error("the report does not say what a signature costs")
	}
	db, err := sql.Open("sqlite", filepath.Join(o.Keep, "send", "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var signed, checked, unsigned int
	err = db.QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE signature IS NOT NULL),
		count(*) FILTER (WHERE signature LIKE '%"scheme":1%'), count(*) FILTER (WHERE signature IS NULL) FROM messages`).
		Scan(&signed, &checked, &unsigned)
	if err != nil {
		t.Fatal(err)
	}
	if signed == 0 || checked != signed || unsigned <= o.Rows {
		t.Errorf("%d messages are signed, %d of them checked in the bound form, %d unsigned; want some, all of them, more than %d",
			signed, checked, unsigned, o.Rows)
	}
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	o := small(t)
	o.Engine, o.PostgresURL = bench.EnginePostgres, testpg.New(t)
	o.Keep = t.TempDir()
	report, err := bench.Send(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	checkReport(t, report)
	for _, work := range []string{"send", "floor-bare"} {
		config, err := pgx.ParseConfig(o.PostgresURL)
		if err != nil {
			t.Fatal(err)
		}
		config.Database += "_bench_" + strings.TrimPrefix(work, "floor-")
		checkRows(t, work, stdlib.OpenDB(*config), o.Rows)
	}

	// Without a folder to keep, nothing is left on the server.
	for _, ending := range []string{"_bench_send", "_bench_bare"} {
		dropDatabase(t, o.PostgresURL, ending)
	}
	o.Keep = ""
	if _, err := bench.Send(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if n := countDatabases(t, o.PostgresURL); n != 0 {
		t.Errorf("%d databases of the bench are left, want 0", n)
	}
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func dropDatabase(t *testing.T, address, ending string) {
	t.Helper()
	conn := connect(t, address)
	name := pgx.Identifier{conn.Config().Database + ending}.Sanitize()
	if _, err := conn.Exec(t.Context(), "DROP DATABASE "+name); err != nil {
		t.Fatal(err)
	}
}

func countDatabases(t *testing.T, address string) (n int) {
	t.Helper()
	conn := connect(t, address)
	err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_database WHERE datname LIKE $1`,
		conn.Config().Database+"_bench_%").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkReport checks what scripts rely on: one object of exactly this form.
func checkReport(t *testing.T, report *bench.Report) {
	t.Helper()
	var text bytes.Buffer
	if err := report.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got map[string][]map[string]any
	if err := json.Unmarshal(text.Bytes(), &got); err != nil || len(got) != 1 || strings.Count(text.String(), "\n") != 1 {
		t.Fatalf("JSON = %s (%v), want one object with one member on one line", text.String(), err)
	}
	var works []string
	rate, ratio := map[string]float64{}, map[string]float64{}
	for _, run := range got["runs"] {
		work, _ := run["work"].(string)
		works = append(works, work)
		for _, key := range []string{"per_s", "cpu_us", "p50_ms", "p99_ms", "ratio"} {
			if v, ok := run[key].(float64); !ok || v <= 0 {
				t.Errorf("%s: %s = %v, want a number above 0", work, key, run[key])
			}
		}
		if len(run) != 6 {
			t.Errorf("%s has %d members, want 6: %v", work, len(run), run)
		}
		rate[work], _ = run["per_s"].(float64)
		ratio[work], _ = run["ratio"].(float64)
	}
	if want := []string{"send", "floor-http", "floor-bare"}; !slices.Equal(works, want) {
		t.Fatalf("runs = %v, want %v", works, want)
	}
	floor := min(rate["floor-http"], rate["floor-bare"])
	for work := range rate {
		if want := rate[work] / floor; ratio[work] < want-0.001 || ratio[work] > want+0.001 {
			t.Errorf("%s: ratio = %v, want %v, the rate over that of the slower floor", work, ratio[work], want)
		}
	}
}

// checkRows checks that a database holds what was preloaded and what was sent,
// numbered without a gap, and an envelope for each direct message.
func checkRows(t *testing.T, work string, db *sql.DB, preloaded int) {
	t.Helper()
	defer func() { _ = db.Close() }()
	var messages, numbers, gaps, direct, envelopes, ids int
	err := db.QueryRowContext(t.Context(), `SELECT
		(SELECT count(*) FROM messages),
		(SELECT sum(last_seq) FROM conversations),
		(SELECT count(*) FROM conversations c WHERE c.last_seq <> (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id)
			OR c.last_seq <> (SELECT max(seq) FROM messages m WHERE m.conversation_id = c.id)
			OR c.last_at <> (SELECT max(created_at) FROM messages m WHERE m.conversation_id = c.id)),
		(SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.kind = 2),
		(SELECT count(*) FROM envelopes),
		(SELECT count(DISTINCT id) FROM messages)`).Scan(&messages, &numbers, &gaps, &direct, &envelopes, &ids)
	if err != nil {
		t.Fatalf("%s: %v", work, err)
	}
	if messages <= preloaded || numbers != messages || gaps != 0 || ids != messages {
		t.Errorf("%s: %d messages, %d numbers, %d conversations with gaps, %d ids; want more than %d, as many, 0, as many",
			work, messages, numbers, gaps, ids, preloaded)
	}
	if direct == 0 || direct == messages || envelopes != direct {
		t.Errorf("%s: %d direct messages of %d, %d envelopes; want some but not all, and one each", work, direct, messages, envelopes)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(o *bench.Options)
	}{
		{"engine", func(o *bench.Options) { o.Engine = "mysql" }},
		{"engine", func(o *bench.Options) { o.Engine = bench.EnginePostgres }},
		{"work", func(o *bench.Options) { o.Work = "group" }},
		{"ai", func(o *bench.Options) { o.AI = true }},
		{"connections", func(o *bench.Options) { o.Connections = 0 }},
		{"connections", func(o *bench.Options) { o.Connections = 1001 }},
		{"conversations", func(o *bench.Options) { o.Conversations = 1 }},
		{"conversations", func(o *bench.Options) { o.Connections, o.Conversations = 16, 30 }},
		{"rows", func(o *bench.Options) { o.Rows = 39 }},
		{"duration", func(o *bench.Options) { o.Duration = time.Millisecond }},
		{"warm-up", func(o *bench.Options) { o.WarmUp = -1 }},
		{"repetitions", func(o *bench.Options) { o.Repetitions = 0 }},
	} {
		o := small(t)
		tc.change(&o)
		_, err := bench.Send(t.Context(), o)
		if err == nil || !strings.HasPrefix(err.Error(), tc.name+":") {
			t.Errorf("error = %v, want one about %s", err, tc.name)
		}
	}
}

func TestChildFails(t *testing.T) {
	t.Parallel()
	o := small(t)
	o.Child = []string{"/bin/false"}
	if _, err := bench.Send(t.Context(), o); err == nil || !strings.Contains(err.Error(), "send: ") {
		t.Errorf("error = %v, want one that names the child", err)
	}
}

func TestBrokenOff(t *testing.T) {
	t.Parallel()
	o := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.Duration = time.Hour
	o.Log = writerFunc(func(line string) {
		if strings.Contains(line, "preloaded") {
			cancel()
		}
	})
	if _, err := bench.Send(ctx, o); err == nil || !strings.Contains(err.Error(), "broken off") {
		t.Errorf("error = %v, want that it was broken off", err)
	}
}

type writerFunc func(line string)

func (f writerFunc) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}
