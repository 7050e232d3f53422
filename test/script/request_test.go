package script_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	answerTimeout = 30 * time.Second // of one request
	largeBody     = 32 << 10         // a body from which on the server is asked first
)

// request makes one request. The path goes over the wire as it is written.
func request(ts *testscript.TestScript, w *world, args []string) {
	const form = "http [-H HEADER]... STATUS TOKEN METHOD PATH [BODY|@FILE]"
	header, args := headers(ts, args)
	usage(ts, len(args) == 4 || len(args) == 5, form)
	want := number(ts, args[0])
	got := send(ts, w, header, args[1:])
	show(ts, got)
	if got.status != want {
		ts.Fatalf("%s %s: got status %d, want %d: %s", args[2], args[3], got.status, want, got.body)
	}
}

// headers takes the headers off the front of the words of a command.
func headers(ts *testscript.TestScript, args []string) (http.Header, []string) {
	header := make(http.Header)
	for len(args) > 1 && args[0] == "-H" {
		name, value, ok := strings.Cut(text(ts, args[1]), ":")
		usage(ts, ok, "-H 'Name: value'")
		header.Add(name, strings.TrimSpace(value))
		args = args[2:]
	}
	return header, args
}

// text is a word of a script, or what is in the file that the word names with @.
func text(ts *testscript.TestScript, word string) string {
	if file, ok := strings.CutPrefix(word, "@"); ok {
		return ts.ReadFile(file)
	}
	return word
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes the request in words TOKEN METHOD PATH [BODY|@FILE].
func send(ts *testscript.TestScript, w *world, header http.Header, words []string) answer {
	token, method, path := words[0], words[1], words[2]
	var body io.Reader
	large := false
	if len(words) == 4 {
		content := text(ts, words[3])
		large = len(content) > largeBody
		body = strings.NewReader(content)
	}
	ctx, cancel := context.WithTimeout(w.ctx, answerTimeout)
	defer cancel()
	base, err := url.Parse(ts.Getenv("URL"))
	ts.Check(err)
	r, err := http.NewRequestWithContext(ctx, method, base.String(), body)
	ts.Check(err)
	plain, query, _ := strings.Cut(path, "?")
	r.URL = &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: "//" + base.Host + plain, RawQuery: query}
	for name, values := range header {
		r.Header[name] = values
	}
	if token != "-" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if large {
		// Or the server, which refuses it unread, may have closed the connection
		// before the answer is looked for.
		r.Header.Set("Expect", "100-continue")
	}
	response, err := (&http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: answerTimeout}).RoundTrip(r)
	ts.Check(err)
	return read(ts, response)
}

func read(ts *testscript.TestScript, response *http.Response) answer {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	return answer{response.StatusCode, response.Header, body}
}

// show makes the answer what stdout and stderr look at.
func show(ts *testscript.TestScript, a answer) {
	_, err := ts.Stdout().Write(a.body)
	ts.Check(err)
	var lines bytes.Buffer
	fmt.Fprintf(&lines, "status: %d\n", a.status)
	ts.Check(a.header.Write(&lines))
	_, err = ts.Stderr().Write(bytes.ReplaceAll(lines.Bytes(), []byte("\r"), nil))
	ts.Check(err)
}

// number reads a number.
func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// pick sets a variable to a member of the last body.
func pick(ts *testscript.TestScript, _ *world, args []string) {
	usage(ts, len(args) == 2, "json VARIABLE PATH")
	ts.Setenv(args[0], member(ts, ts.ReadFile("stdout"), args[1]))
}

// match sets a variable to a part of the last headers: the group of a pattern.
func match(ts *testscript.TestScript, _ *world, args []string) {
	usage(ts, len(args) == 2, "match VARIABLE PATTERN")
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stderr"))
	if len(found) != 2 {
		ts.Fatalf("%s: got %q, want one group in:\n%s", args[1], found, ts.ReadFile("stderr"))
	}
	ts.Setenv(args[0], found[1])
}

// member finds a member of a JSON document, for example user.id or keys.0.id.
func member(ts *testscript.TestScript, document, path string) string {
	var value any
	if err := json.Unmarshal([]byte(document), &value); err != nil {
		ts.Fatalf("the last output is no JSON: %v", err)
	}
	for word := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[word]
		case []any:
			i, err := strconv.Atoi(word)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: there are %d, want more than %d", path, len(v), i)
			}
			value = v[i]
		default:
			value = nil
		}
		if value == nil {
			ts.Fatalf("%s: there is no %s", path, word)
		}
	}
	return fmt.Sprint(value)
}

// raw sends bytes that no HTTP client would.
func raw(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 2, "raw STATUS TEXT|@FILE")
	conn := dial(ts, w)
	defer func() { _ = conn.Close() }() // all was read
	_, err := io.WriteString(conn, strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00").Replace(text(ts, args[1])))
	ts.Check(err)
	got := readRaw(ts, conn)
	show(ts, got)
	if want := number(ts, args[0]); got.status != want {
		ts.Fatalf("got status %d, want %d: %s", got.status, want, got.body)
	}
}

func dial(ts *testscript.TestScript, w *world) net.Conn {
	ctx, cancel := context.WithTimeout(w.ctx, answerTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(ts.Getenv("URL"), "http://"))
	ts.Check(err)
	ts.Check(conn.SetDeadline(time.Now().Add(answerTimeout)))
	return conn
}

func readRaw(ts *testscript.TestScript, conn net.Conn) answer {
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	ts.Check(err)
	return read(ts, response)
}

// repeat makes a request a number of times; each has to have the same status.
func repeat(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 5 || len(args) == 6, "repeat N STATUS TOKEN METHOD PATH [BODY]")
	n, want := number(ts, args[0]), number(ts, args[1])
	for i := range n {
		if got := send(ts, w, nil, args[2:]); got.status != want {
			ts.Fatalf("request %d: got status %d, want %d: %s", i+1, got.status, want, got.body)
		}
	}
}

// exhaust repeats a request until it is refused for its rate. A window may end
// meanwhile, so up to two of them are filled; one with less than ten seconds left
// is no use to the script, which wants to look around in it, and is sat out.
func exhaust(ts *testscript.TestScript, w *world, args []string) {
	header, args := headers(ts, args)
	usage(ts, len(args) == 3 || len(args) == 4, "exhaust [-H HEADER]... TOKEN METHOD PATH [BODY]")
	const most = 1200 // served requests: more than two windows of any limit
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for served := 0; served < most; {
		got := send(ts, w, header, args)
		if got.status != http.StatusTooManyRequests {
			served++
			continue
		}
		if left, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil {
			ts.Fatalf("Retry-After: got %q, want a number", got.header.Get("Retry-After"))
		} else if left >= 10 {
			show(ts, got)
			return
		}
		<-tick.C
	}
	ts.Fatalf("%d requests were served, want a 429 before", most)
}
