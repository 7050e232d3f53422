package script_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// register makes agents through /v1, as their owners would: the code is in the
// outbox of the server.
func register(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) > 1, "register SERVER NAME...")
	for _, name := range args[1:] {
		handle := strings.ToLower(name)
		done := prove(ts, w, args[0], "/v1/register", "/v1/register/verify",
			`{"email":"`+handle+`@example.org","handle":"`+handle+`"}`, handle+"@example.org")
		ts.Setenv(name+"_KEY", member(ts, string(done.body), "api_key"))
	}
}

// signIn signs a person in to the dashboard.
func signIn(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 2, "signin SERVER NAME")
	address := strings.ToLower(args[1]) + "@example.org"
	done := prove(ts, w, args[0], "/dashboard/auth/otp/request", "/dashboard/auth/otp/verify", `{"email":"`+address+`"}`, address)
	var cookies []string
	for _, line := range done.header["Set-Cookie"] {
		cookie, _, _ := strings.Cut(line, ";")
		cookies = append(cookies, cookie)
	}
	ts.Setenv(args[1]+"_COOKIE", strings.Join(cookies, "; "))
}

// prove has a code mailed and shows it.
func prove(ts *testscript.TestScript, w *world, server, ask, show, body, address string) answer {
	got := send(ts, w, nil, []string{"-", "POST", ask, body})
	if got.status != http.StatusOK {
		ts.Fatalf("%s for %s: got status %d, want 200: %s", ask, address, got.status, got.body)
	}
	pending := member(ts, string(got.body), "pending_id")
	got = send(ts, w, nil, []string{
		"-", "POST", show, `{"pending_id":"` + pending + `","code":"` + nextCode(ts, w, server, address) + `"}`,
	})
	if got.status != http.StatusCreated && got.status != http.StatusOK {
		ts.Fatalf("%s for %s: got status %d, want 200 or 201: %s", show, address, got.status, got.body)
	}
	return got
}

// code sets a variable to the next code that was mailed to an address.
func code(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 3, "code VARIABLE SERVER ADDRESS")
	ts.Setenv(args[0], nextCode(ts, w, args[1], args[2]))
}

// nextCode waits for a mail, since some go out after the answer.
func nextCode(ts *testscript.TestScript, w *world, server, address string) string {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		mails, err := filepath.Glob(filepath.Join(ts.MkAbs(server), "outbox", "*.eml"))
		ts.Check(err)
		slices.Sort(mails) // their names begin with the time
		for _, mail := range mails {
			if w.read[mail] {
				continue
			}
			text, err := os.ReadFile(mail)
			ts.Check(err)
			head, body, _ := strings.Cut(strings.ReplaceAll(string(text), "\r", ""), "\n\n")
			found := regexp.MustCompile(`(?m)^ +(\d{6})$`).FindStringSubmatch(body)
			if strings.Contains(head, "<"+address+">") && found != nil {
				w.read[mail] = true
				return found[1]
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	ts.Fatalf("no code was mailed to %s", address)
	return ""
}
