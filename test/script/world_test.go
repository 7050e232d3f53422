package script_test

import (
	"context"
	"crypto/ecdsa"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/client"
	"parley/internal/testpg"
	"parley/test/program"
)

// exitLimit is how long a server may take to end when it is told to.
const exitLimit = 10 * time.Second

// password is that of all agents.
const password = "correct horse battery"

// world is what one script has running.
type world struct {
	t       testing.TB
	ctx     context.Context
	cancel  context.CancelFunc
	servers map[string]*program.Server
	held    *heldRequest
	silent  map[string][]net.Conn
	load    *load
	sockets map[string]*socket
	hooks   map[string]*receiver
	read    map[string]bool // mails
	pairs   map[string]*ecdsa.PrivateKey
}

type worldKey struct{}

func newWorld(env *testscript.Env) *world {
	ctx, cancel := context.WithCancel(context.Background())
	return &world{
		t: env.T().(testing.TB), ctx: ctx, cancel: cancel, servers: make(map[string]*program.Server),
		silent: make(map[string][]net.Conn), sockets: make(map[string]*socket), hooks: make(map[string]*receiver),
		read: make(map[string]bool), pairs: make(map[string]*ecdsa.PrivateKey),
	}
}

// end takes down what the script has left running.
func (w *world) end() {
	if w.load != nil {
		w.load.stop()
	}
	if w.held != nil {
		_ = w.held.conn.Close() // the script failed before it was released
	}
	for _, s := range w.sockets {
		_ = s.conn.CloseNow() // the script is done with it
	}
	for _, r := range w.hooks {
		r.server.Close()
	}
	for _, s := range w.servers {
		if !s.Ended() {
			_ = s.Kill() // a server that ends by itself is the business of the script
		}
	}
	w.cancel()
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// commands lists what scripts can say on top of testscript's own commands:
//
//	serve NAME [FLAG...]      start a server with the folder $WORK/NAME on a free port; sets URL
//	stop NAME                 terminate it; it has to exit with 0 in 10 s
//	terminate NAME, gone NAME the two halves of stop
//	kill9 NAME                end it as kill -9 does
//	unreachable               wait until nobody accepts connections at $URL
//	internal NAME             set URL to the second address of a server
//	printed NAME              make what a server has printed the standard output
//	agent NAME...             register, log in, make a key; sets NAME_ID, NAME_EMAIL, NAME_SESSION, NAME_KEY
//	register SERVER NAME...   register through /v1 with the codes in the outbox of a server; sets NAME_KEY
//	code VARIABLE SERVER ADDRESS
//	                          set a variable to the next code that was mailed to an address
//	signin SERVER NAME        sign a person in to the dashboard; sets NAME_COOKIE
//	person NAME...            register through /ai and log in; sets NAME_ID, NAME_EMAIL, NAME_TOKEN
//	keypair NAME [P-384]      make a key pair for signatures; sets NAME_PUBLIC and NAME_PRIVATE, in the escapes of JSON
//	makes PERSON NAME...      have a person make agents in /ai, with the public keys of key pairs of
//	                          the same names; sets NAME_ID, NAME_KEY
//	sign VARIABLE PAIR TEXT [direct|group FROM TO]
//	                          set a variable to a signature of a text, alone or bound
//	verify PUBLIC SIGNATURE TEXT [direct|group FROM TO]
//	                          check a signature with a public key
//	socket NAME TOKEN [PATH]  open a WebSocket at /v1/ws or PATH; TOKEN goes into the header, unless it is -
//	say NAME TEXT             send a frame
//	frame NAME TYPE           wait for a frame of a type; those before it are gone. It becomes the standard output
//	closed NAME CODE          wait until a socket is closed with a code
//	receiver NAME [LOCATION]  start a receiver of webhooks, which redirects to LOCATION; sets NAME_URL
//	delivery NAME EVENT       wait for the next delivery, of an event of /v1 or of a type of /ai; the body is
//	                          the standard output, the headers are the standard error
//	unvisited NAME            nothing has come to a receiver
//	readme SECTION STEP [OLD=NEW]...
//	                          run a step of README.md with words replaced
//	png FILE WIDTH HEIGHT     make a picture of one colour; huge ones are a few kilobytes
//	sha256 VARIABLE FILE      set a variable to the SHA-256 of a file, in hex
//	http [-H HEADER]... STATUS TOKEN METHOD PATH [BODY|@FILE]
//	                          make a request; TOKEN may be -; the body is the standard output, the headers
//	                          are the standard error
//	json VARIABLE PATH        set a variable to a member of the last body, for example user.id or keys.0.id
//	match VARIABLE PATTERN    set a variable to the group of a pattern in the last headers
//	raw STATUS TEXT|@FILE     send TEXT as it is, with \r, \n and \0; the answer as with http
//	exhaust [-H HEADER]... TOKEN METHOD PATH [BODY]
//	                          repeat a request until it meets a rate limit with 10 s or more to go
//	hold TOKEN METHOD PATH BODY, release STATUS
//	                          send one half of a request, then the other
//	repeat N STATUS TOKEN METHOD PATH [BODY]
//	                          make a request N times
//	load start TOKEN CHANNEL, load mark, load stop, load check TOKEN
//	                          write messages in the background; check that those answered before the mark are there
//	load through NAME         stop a server under load; all that was answered is marked
//	slow headers N, slow bodies N TOKEN METHOD PATH
//	                          open N connections that go silent in the middle of a request
//	slow cut LIMIT headers|bodies
//	                          wait until the server has closed them
//	near N STATUS TOKEN METHOD PATH ID
//	                          ask for the N ids around a known one; PATH has the word ID in its place
//	expired VARIABLE NAME ACCOUNT
//	                          put an expired session into the database of a server that was stopped
//	postgres VARIABLE         set a variable to the address of an empty PostgreSQL database
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	all := map[string]func(ts *testscript.TestScript, w *world, args []string){
		"serve": serve, "stop": stop, "terminate": terminate, "gone": gone, "kill9": kill9,
		"unreachable": unreachable, "printed": printed, "agent": agent,
		"http": request, "json": pick, "raw": raw, "exhaust": exhaust, "hold": hold, "release": release,
		"load": background, "postgres": postgres, "slow": slow, "near": near, "expired": expired,
		"repeat": repeat, "internal": internal, "register": register, "code": code, "readme": readme,
		"signin": signIn, "match": match,
		"person": person, "makes": makes, "keypair": keyPair, "sign": sign, "verify": verify,
		"socket": openSocket, "say": say, "frame": nextFrame, "closed": closed,
		"receiver": receive, "delivery": delivery, "unvisited": unvisited, "png": picture, "sha256": hash,
	}
	wrapped := make(map[string]func(ts *testscript.TestScript, neg bool, args []string), len(all))
	for name, do := range all {
		wrapped[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			usage(ts, !neg, name+" cannot be negated")
			do(ts, worldOf(ts), args)
		}
	}
	return wrapped
}

// usage fails the script when a command is written wrongly.
func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}

func serve(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) > 0, "serve NAME [FLAG...]")
	name := args[0]
	s, err := program.Start(w.ctx, ts.Getenv(binary),
		append([]string{"--data", ts.MkAbs(name), "--listen", "127.0.0.1:0"}, args[1:]...)...)
	ts.Check(err)
	w.servers[name] = s
	ts.Setenv("URL", s.URL)
}

func (w *world) server(ts *testscript.TestScript, args []string) *program.Server {
	usage(ts, len(args) == 1, "give the NAME of one server")
	s := w.servers[args[0]]
	if s == nil {
		ts.Fatalf("there is no server %s", args[0])
	}
	return s
}

func stop(ts *testscript.TestScript, w *world, args []string) {
	ts.Check(w.server(ts, args).Stop(exitLimit))
}

func terminate(ts *testscript.TestScript, w *world, args []string) {
	ts.Check(w.server(ts, args).Terminate())
}

func gone(ts *testscript.TestScript, w *world, args []string) {
	ts.Check(w.server(ts, args).Wait(exitLimit))
}

func kill9(ts *testscript.TestScript, w *world, args []string) {
	ts.Check(w.server(ts, args).Kill())
}

func printed(ts *testscript.TestScript, w *world, args []string) {
	_, err := ts.Stdout().Write([]byte(w.server(ts, args).Output()))
	ts.Check(err)
}

// internal turns to the second address, which the server has logged.
func internal(ts *testscript.TestScript, w *world, args []string) {
	found := regexp.MustCompile(`"internal":"(http://[^"]+)"`).FindStringSubmatch(w.server(ts, args).Output())
	if found == nil {
		ts.Fatalf("the server does not say that it has a second address")
	}
	ts.Setenv("URL", found[1])
}

// unreachable polls, because a server says nothing when it stops listening.
func unreachable(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 0, "unreachable")
	address := strings.TrimPrefix(ts.Getenv("URL"), "http://")
	ctx, cancel := context.WithTimeout(w.ctx, exitLimit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			break
		}
		_ = conn.Close()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		ts.Fatalf("%s accepts connections after %v", address, exitLimit)
	}
}

func agent(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) > 0, "agent NAME...")
	c, err := client.New(ts.Getenv("URL"))
	ts.Check(err)
	for _, name := range args {
		email := strings.ToLower(name) + "@example.com"
		u, err := c.Register(w.ctx, client.Registration{Email: email, Password: password, Username: name, IsAgent: true})
		ts.Check(err)
		session, err := c.Login(w.ctx, email, password)
		ts.Check(err)
		key, err := c.WithToken(session.Token).CreateKey(w.ctx, "script")
		ts.Check(err)
		ts.Setenv(name+"_ID", string(u.ID))
		ts.Setenv(name+"_EMAIL", email)
		ts.Setenv(name+"_SESSION", session.Token)
		ts.Setenv(name+"_KEY", key.Secret)
	}
}

// postgres gives a script a database of its own.
func postgres(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 1, "postgres VARIABLE")
	ts.Setenv(args[0], testpg.New(w.t))
}
