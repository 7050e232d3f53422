package arch_test

// rule is one row of the table: what one package may import.
type rule struct {
	path string // below the module
	why  string

	// uses lists packages of this module; a path that ends in /... stands for all
	// packages below it.
	uses []string
	// libraries lists modules of others. The standard library is free, but for
	// the packages under never.
	libraries []string
	never     []string
	// tests lists what the tests of the package may import on top of that and of
	// fixtures.
	tests []string
	// forTests marks support for tests: the product itself never imports it.
	forTests bool
}

// fixtures are the packages that any test may build its world from: a real core
// on a real engine, and the suites.
func fixtures() []string {
	return []string{
		"internal/blob", "internal/bus", "internal/bus/bustest", "internal/bus/inproc",
		"internal/chat", "internal/config", "internal/core",
		"internal/dialect/dialecttest",
		"internal/httpx", "internal/hub", "internal/id", "internal/netguard",
		"internal/openapi", "internal/ratelimit", "internal/secret",
		"internal/store", "internal/store/postgres", "internal/store/sqlite", "internal/store/sqlite/sqlitetest",
		"internal/store/storetest", "internal/testpg",
	}
}

// testLibraries are the modules that only tests and suites use.
func testLibraries() []string {
	return []string{
		"github.com/coder/websocket", // the client's side
		"github.com/google/go-cmp",
		"github.com/jackc/pgx/v5", // looking into a database from outside
		"github.com/rogpeppe/go-internal",
		"go.uber.org/goleak",
		"golang.org/x/sync",
		"pgregory.net/rapid",
	}
}

// Standard packages that show that something is in the wrong layer.
const (
	http = "net/http"
	sql  = "database/sql"
)

// table is sorted by layer, from the vocabulary up to the program.
func table() []rule {
	return []rule{
		// The vocabulary and the tools: nothing of ours below them.
		{
			path: "internal/chat", never: []string{http, sql},
			why: "the vocabulary is shared by all, so it depends on nobody: standard library only",
		},
		{
			path: "internal/id", never: []string{http, sql},
			why: "makes and reads ids; knows nothing of what they name",
		},
		{
			path: "internal/ratelimit", never: []string{http, sql},
			why: "algorithms only; the numbers and what is counted are rules of the core",
		},
		{
			path: "internal/secret", libraries: []string{"golang.org/x/crypto", "golang.org/x/sync"}, never: []string{http, sql},
			why: "hashes and compares; who owns a secret is the core's business",
		},
		{
			path: "internal/signing", uses: []string{"internal/chat"}, never: []string{http, sql},
			why: "keys, signatures and the bytes they are over: the server and the command line share it",
		},
		{
			path: "internal/netguard", libraries: []string{"code.dny.dev/ssrf"}, never: []string{sql},
			why: "decides about addresses; knows nothing of what is sent to them",
		},
		{
			path: "internal/httpx", never: []string{sql},
			why: "HTTP plumbing that every dialect shares, so it may know none of them nor the chat",
		},
		{
			path: "internal/wsx", libraries: []string{"github.com/lxzan/gws"}, never: []string{sql},
			why: "the server side of WebSockets that every dialect shares, so it may know none of them nor the chat",
		},
		{
			path: "internal/mail", libraries: []string{"github.com/wneessen/go-mail"}, never: []string{http, sql},
			why: "hands over mails; who gets which and how often is the core's business",
		},
		{
			path: "internal/blob", uses: []string{"internal/chat"}, libraries: []string{"golang.org/x/image", "golang.org/x/sync"}, never: []string{sql},
			why: "keeps bytes under keys; whose they are stands in the database",
		},

		// Storage.
		{
			path: "internal/store", uses: []string{"internal/chat"}, never: []string{http, sql},
			why: "the contract of every engine: no engine's driver may show through",
		},
		{
			path: "internal/store/storetest", forTests: true,
			uses:      []string{"internal/chat", "internal/id", "internal/store"},
			libraries: testLibraries(), never: []string{http}, // sql: tampers with schema versions
			why: "one suite for all engines; it sees an engine only through the contract",
		},
		{
			path: "internal/store/sqlstore", uses: []string{"internal/chat", "internal/store"}, never: []string{http},
			libraries: []string{"github.com/pressly/goose/v3"},
			why:       "the SQL and the migrations that both engines share name no driver",
		},
		{
			path: "internal/store/sqlite", never: []string{http},
			uses:      []string{"internal/chat", "internal/store", "internal/store/sqlstore"},
			libraries: []string{"github.com/pressly/goose/v3", "golang.org/x/sync", "modernc.org/sqlite"},
			why:       "an engine implements the contract and knows nothing above it",
		},
		{
			path: "internal/store/sqlite/sqlitetest", forTests: true, uses: []string{"internal/store/sqlite"}, never: []string{http},
			why: "copies of an empty database, for tests of whatever is built on one",
		},
		{
			path: "internal/store/postgres", never: []string{http},
			uses:      []string{"internal/chat", "internal/store", "internal/store/sqlstore"},
			libraries: []string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "golang.org/x/sync"},
			why:       "an engine implements the contract and knows nothing above it",
		},

		// Delivery.
		{
			path: "internal/bus", uses: []string{"internal/chat"}, never: []string{http, sql},
			why: "the contract of every bus: it carries events and stores nothing",
		},
		{
			path: "internal/bus/bustest", forTests: true,
			uses: []string{"internal/bus", "internal/chat"}, libraries: testLibraries(), never: []string{http, sql},
			why: "one suite for all buses; it sees a bus only through the contract",
		},
		{
			path: "internal/bus/inproc", uses: []string{"internal/bus", "internal/chat"}, never: []string{http, sql},
			why: "a bus implements the contract and knows nothing above it",
		},
		{
			path: "internal/hub", uses: []string{"internal/bus", "internal/chat"}, never: []string{http, sql},
			why: "hands events to subscribers; what it misses it asks for through an interface of its own",
		},
		{
			path: "internal/webhook", uses: []string{"internal/chat", "internal/netguard", "internal/store"}, never: []string{sql},
			why: "carries what is queued to where it is to go; what it asks of the rules and how events are worded it is given",
		},

		// The rules.
		{
			path: "internal/core", never: []string{http, sql},
			uses: []string{
				"internal/bus", "internal/chat", "internal/id", "internal/ratelimit", "internal/secret", "internal/signing",
				"internal/store",
			},
			libraries: []string{"golang.org/x/sync", "golang.org/x/text"}, // x/text folds names
			why:       "the only place that decides: it speaks neither HTTP nor SQL and no dialect's words",
		},

		// The words.
		{
			path: "internal/dialect/wire", never: []string{sql},
			uses: []string{
				"internal/blob", // names of files, made safe
				"internal/chat", "internal/httpx",
			},
			why: "what all dialects read and write alike; it asks the core nothing and names no dialect",
		},
		{
			path: "internal/dialect/opencord", never: []string{sql},
			uses: []string{
				"api", "internal/chat", "internal/core", "internal/dialect/wire", "internal/httpx", "internal/hub", "internal/id",
			},
			why: "a dialect decodes, calls the core and encodes: store and bus would go round the rules, and another dialect would tie the two together",
		},
		{
			path: "internal/dialect/aiclient", never: []string{sql},
			uses: []string{
				"api", "internal/chat", "internal/core", "internal/dialect/wire", "internal/httpx", "internal/id", "internal/signing",
			},
			tests: []string{"internal/netguard", "internal/webhook"}, // where its webhooks go, and how
			why:   "a dialect decodes, calls the core and encodes: store and bus would go round the rules, and another dialect would tie the two together",
		},
		{
			path: "internal/dialect/agentchat", never: []string{sql},
			uses: []string{
				"api", "internal/blob", "internal/chat", "internal/core", "internal/dialect/wire", "internal/httpx", "internal/hub",
				"internal/id", "internal/wsx",
			},
			tests: []string{"internal/webhook"}, // the form of its deliveries
			why:   "a dialect decodes, calls the core and encodes: store and bus would go round the rules, and another dialect would tie the two together",
		},
		{
			path: "internal/dialect/dialecttest", forTests: true,
			uses: []string{
				"internal/blob", "internal/bus", "internal/bus/inproc", "internal/chat", "internal/core", "internal/httpx",
				"internal/hub", "internal/id", "internal/ratelimit", "internal/secret", "internal/store", "internal/store/postgres",
				"internal/store/sqlite", "internal/store/sqlite/sqlitetest", "internal/testpg",
			},
			libraries: testLibraries(),
			why:       "one suite for all dialects, on a real core; it names none of them",
		},
		{
			path: "internal/openapi", uses: []string{"internal/httpx"}, never: []string{sql},
			libraries: []string{"github.com/swaggest/jsonschema-go", "github.com/swaggest/openapi-go"},
			why:       "describes route tables handed to it; the dialects stay free of the reflector",
		},

		{
			path: "internal/openapi/generate", never: []string{sql},
			uses: []string{"internal/chat", "internal/dialect/...", "internal/openapi"},
			why:  "writes api/ from the tables of all dialects",
		},
		{
			path: "api", never: []string{http, sql},
			why: "the generated documents, for the binary to serve",
		},

		// The server.
		{
			path: "internal/config", uses: []string{"internal/chat"}, never: []string{http, sql},
			libraries: []string{"github.com/alecthomas/kong", "github.com/pelletier/go-toml/v2"},
			why:       "one tree of options, read by the composition root, which hands on the values",
		},
		{
			path: "internal/ops", uses: []string{"internal/chat"}, libraries: []string{"github.com/prometheus/client_golang"},
			never: []string{sql},
			why:   "shows health and figures that others give it",
		},
		{
			path:  "internal/admin",
			uses:  []string{"internal/chat", "internal/core", "internal/httpx", "internal/id"},
			never: []string{sql},
			why:   "the operator's door to the core, both ends of it: rules hold here as in a dialect",
		},
		{
			path: "internal/server",
			uses: []string{
				"internal/admin", "internal/blob", "internal/bus", "internal/bus/inproc", "internal/chat", "internal/config",
				"internal/core", "internal/dialect/...", "internal/httpx", "internal/hub", "internal/id", "internal/mail",
				"internal/netguard", "internal/ops", "internal/ratelimit", "internal/secret", "internal/store",
				"internal/store/postgres", "internal/store/sqlite", "internal/webhook",
			},
			libraries: []string{"golang.org/x/sync"},
			tests:     []string{"client"},
			why:       "the composition root builds everything, so it alone sees everything",
		},

		// The program.
		{
			path: "client", never: []string{sql},
			tests: []string{"internal/server"},
			why:   "public: whoever imports it must not meet our internals, nor be tied to them",
		},
		{
			path: "internal/bench",
			uses: []string{
				"internal/chat", "internal/config", "internal/core", "internal/httpx", "internal/id", "internal/secret",
				"internal/server", "internal/store", "internal/store/postgres", "internal/store/sqlite",
			},
			libraries: []string{"github.com/alecthomas/kong", "github.com/jackc/pgx/v5", "golang.org/x/sync"},
			why:       "measures the server from outside, beside floors that write to the same schema without it",
		},
		{
			path:      "internal/demo",
			uses:      []string{"client", "internal/chat", "internal/config", "internal/id", "internal/server", "internal/store"},
			never:     []string{sql},
			libraries: []string{"github.com/coder/websocket"}, // the client's side
			why:       "plays users of the server, through the same doors as they",
		},
		{
			path: "internal/cli", never: []string{sql},
			uses: []string{
				"client", "internal/admin", "internal/bench", "internal/chat", "internal/config", "internal/demo",
				"internal/id", "internal/server", "internal/signing",
			},
			libraries: []string{"github.com/alecthomas/kong", "golang.org/x/term"},
			why:       "a command starts a server or talks to one; it never reaches past either",
		},
		{
			path: "cmd/parley", uses: []string{"internal/cli"}, never: []string{http, sql},
			why: "arguments and signals, nothing else",
		},

		// Tests of the whole, and support for tests.
		{
			path: "test/program", forTests: true, never: []string{sql},
			why: "builds and runs the binary for the tests below",
		},
		{
			path: "test/agent", forTests: true, never: []string{sql},
			libraries: []string{"github.com/coder/websocket"},
			why:       "a client of /v1 for the tests below that need many agents at once",
		},
		{
			path: "test/script", forTests: true, tests: []string{"client", "test/program"},
			why: "scripts on the binary: they see what its users see",
		},
		{
			path: "test/crash", forTests: true, tests: []string{"client", "test/agent", "test/program"},
			why: "kills the binary and looks for what was promised, over the wire and in the store",
		},
		{
			path: "test/storm", forTests: true, tests: []string{"test/agent", "test/program"},
			why: "very many sockets on the binary, whose memory and files are to be its own",
		},
		{
			path: "test/chaos", forTests: true, tests: []string{"client", "internal/admin", "internal/server"},
			why: "everybody at once, on a server in the same process for the race detector",
		},
		{
			path: "test/sdk", forTests: true, tests: []string{"test/program"},
			why: "another service's client against the binary; it sees the server as its users do",
		},
		{
			path: "internal/testpg", forTests: true, libraries: []string{"github.com/jackc/pgx/v5"}, never: []string{http},
			why: "gives tests PostgreSQL databases; knows nothing of what is stored in them",
		},
		{
			path: "internal/testpg/withpg", forTests: true, uses: []string{"internal/testpg"}, never: []string{http, sql},
			why: "one cluster for one run of all tests",
		},
		{
			path: "internal/arch", forTests: true,
			why: "reads source files, imports none of them",
		},
	}
}
