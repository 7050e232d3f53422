package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parley/internal/httpx"
)

// routed answers with the name of its route and the path values.
func routed(method, path string) httpx.Route {
	return httpx.Route{Method: method, Path: path, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := []string{method, path}
		for part := range strings.SplitSeq(path, "/") {
			if name := strings.Trim(part, "{}"); name != part && name != "$" {
				got = append(got, name+"="+r.PathValue(name))
			}
		}
		w.Header().Set("Outcome", "handler")
		_, _ = w.Write([]byte(strings.Join(got, " ")))
	})}
}

func outcome(name string, status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Outcome", name)
		w.WriteHeader(status)
	})
}

func testMux() *httpx.Mux {
	return httpx.NewMux([]httpx.Route{
		routed("GET", "/{$}"),
		routed("GET", "/api/servers"),
		routed("POST", "/api/servers"),
		routed("GET", "/api/servers/{id}"),
		routed("PATCH", "/api/servers/{id}"),
		routed("GET", "/api/dm/{id}/messages"),
		routed("POST", "/api/dm/{id}/messages"),
		routed("PATCH", "/api/dm/messages/{id}"),
		routed("DELETE", "/api/dm/messages/{message}"),
		routed("GET", "/api/users/{id}"),
		routed("GET", "/api/users/me"),
		routed("PATCH", "/api/users/me"),
		routed("DELETE", "/v1/groups/{id}/avatar"),
		routed("DELETE", "/v1/groups/invites/{invite_id}"),
		routed("HEAD", "/own-head"),
		routed("GET", "/own-head"),
		routed("POST", "/{a}/{b}/{c}"),
	}, outcome("404", http.StatusNotFound), outcome("405", http.StatusMethodNotAllowed))
}

func TestMux(t *testing.T) {
	t.Parallel()
	mux := testMux()
	for _, tc := range []struct {
		method, target string
		want           string // what the handler wrote, else the outcome
		allow          string
	}{
		{"GET", "/", "GET /{$}", ""},
		{"GET", "/api/servers", "GET /api/servers", ""},
		{"GET", "/api/servers?x=/..//", "GET /api/servers", ""},
		{"HEAD", "/api/servers", "GET /api/servers", ""},
		{"HEAD", "/own-head", "HEAD /own-head", ""},
		{"GET", "/api/servers/17", "GET /api/servers/{id} id=17", ""},
		{"GET", "/api/servers/a%2Fb%20c%00%ff", "GET /api/servers/{id} id=a/b c\x00\xff", ""},
		{"GET", "/api/servers/%40alice", "GET /api/servers/{id} id=@alice", ""},
		{"GET", "/api/%73ervers", "GET /api/servers", ""},
		{"GET", "/api/servers/...", "GET /api/servers/{id} id=...", ""},

		{"PUT", "/api/servers", "405", "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", "/api/servers", "405", "GET, HEAD, OPTIONS, POST"},
		{"get", "/api/servers", "405", "GET, HEAD, OPTIONS, POST"},
		{"DELETE", "/", "405", "GET, HEAD, OPTIONS"},
		{"HEAD", "/x/y/z", "405", "OPTIONS, POST"},

		{"GET", "/api", "404", ""},
		{"GET", "/nope", "404", ""},
		{"GET", "/API/servers", "404", ""},
		{"GET", "/api/servers/", "404", ""},
		{"PUT", "/api/servers/", "404", ""},
		{"GET", "//", "404", ""},
		{"GET", "//api/servers", "404", ""},
		{"GET", "/api//servers", "404", ""},
		{"GET", "/api/./servers", "404", ""},
		{"GET", "/api/x/../servers", "404", ""},
		{"GET", "/api/servers/..", "404", ""},
		{"GET", "/api/servers/%2e%2E", "404", ""},
		{"GET", "/api%2Fservers", "404", ""},
		{"GET", "/api/servers/17/more", "404", ""},

		// Overlaps: the literal wins where it has the method. Allow names the
		// methods of every pattern of the path, here of /{a}/{b}/{c} as well.
		{"GET", "/api/users/me", "GET /api/users/me", ""},
		{"GET", "/api/users/you", "GET /api/users/{id} id=you", ""},
		{"PATCH", "/api/users/you", "405", "GET, HEAD, OPTIONS, POST"},
		{"DELETE", "/api/users/me", "405", "GET, HEAD, OPTIONS, PATCH, POST"},
		{"GET", "/api/dm/7/messages", "GET /api/dm/{id}/messages id=7", ""},
		{"PATCH", "/api/dm/messages/7", "PATCH /api/dm/messages/{id} id=7", ""},
		{"DELETE", "/api/dm/messages/7", "DELETE /api/dm/messages/{message} message=7", ""},
		{"PATCH", "/api/dm/7/messages", "405", "GET, HEAD, OPTIONS, POST"},
		{"GET", "/api/dm/messages/7", "405", "DELETE, OPTIONS, PATCH"},
		{"GET", "/api/dm/messages/messages", "GET /api/dm/{id}/messages id=messages", ""},
		{"PATCH", "/api/dm/messages/messages", "PATCH /api/dm/messages/{id} id=messages", ""},
		{"PUT", "/api/dm/messages/messages", "405", "DELETE, GET, HEAD, OPTIONS, PATCH, POST"},
		{"DELETE", "/v1/groups/7/avatar", "DELETE /v1/groups/{id}/avatar id=7", ""},
		{"DELETE", "/v1/groups/invites/avatar", "DELETE /v1/groups/invites/{invite_id} invite_id=avatar", ""},
		{"POST", "/api/servers/17", "POST /{a}/{b}/{c} a=api b=servers c=17", ""},
	} {
		t.Run(tc.method+" "+tc.target, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest(tc.method, tc.target, nil))
			got := w.Body.String()
			if got == "" {
				got = w.Header().Get("Outcome")
			}
			if got != tc.want {
				t.Errorf("served %q, want %q", got, tc.want)
			}
			if allow := w.Header().Get("Allow"); allow != tc.allow {
				t.Errorf("Allow = %q, want %q", allow, tc.allow)
			}
		})
	}
}

func TestMuxPathsOfNoForm(t *testing.T) {
	t.Parallel()
	mux := testMux()
	for _, u := range []*url.URL{{Path: ""}, {Path: "*"}, {Path: "api/servers"}, {Opaque: "x"}} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}})
		if w.Code != http.StatusNotFound {
			t.Errorf("%#v: status = %d, want 404", u, w.Code)
		}
	}
}

func TestMuxReportsThePattern(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ method, target, want string }{
		{"GET", "/api/servers/17", "/api/servers/{id}"},
		{"DELETE", "/api/servers/17", "/api/servers/{id}"}, // of the two without DELETE, the more literal one
		{"PUT", "/api/servers", "/api/servers"},
		{"GET", "/nope", ""},
	} {
		t.Run(tc.method+" "+tc.target, func(t *testing.T) {
			t.Parallel()
			mux := testMux()
			var seen string
			h := httpx.Observe(httpx.NewClients(nil), func(rec httpx.Record) { seen = rec.Pattern })(
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					handler, pattern := mux.Handler(r)
					if pattern != tc.want || r.Pattern != tc.want {
						t.Errorf("pattern = %q, r.Pattern = %q, want %q", pattern, r.Pattern, tc.want)
					}
					handler.ServeHTTP(w, r)
				}))
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(tc.method, tc.target, nil))
			if seen != tc.want {
				t.Errorf("record says %q, want %q", seen, tc.want)
			}
		})
	}
}

func TestNewMuxRefusesBadTables(t *testing.T) {
	t.Parallel()
	for name, routes := range map[string][]httpx.Route{
		"no slash":          {routed("GET", "api")},
		"no path":           {routed("GET", "")},
		"no method":         {routed("", "/api")},
		"no handler":        {{Method: "GET", Path: "/api"}},
		"subtree":           {routed("GET", "/api/")},
		"bare root":         {routed("GET", "/")},
		"empty segment":     {routed("GET", "/a//b")},
		"dots":              {routed("GET", "/a/../b")},
		"half a wildcard":   {routed("GET", "/a/{id")},
		"part of a segment": {routed("GET", "/a/x{id}")},
		"nameless wildcard": {routed("GET", "/a/{}")},
		"rest wildcard":     {routed("GET", "/a/{rest...}")},
		"end mark":          {routed("GET", "/a/{$}")},
		"encoded":           {routed("GET", "/a%20b")},
		"name twice":        {routed("GET", "/a/{id}/{id}")},
		"row twice":         {routed("GET", "/a/{id}"), routed("GET", "/a/{name}")},
		"nine wildcards":    {routed("GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Errorf("%s %s was accepted", routes[0].Method, routes[0].Path)
				}
			}()
			httpx.NewMux(routes, http.NotFoundHandler(), http.NotFoundHandler())
		})
	}
}

// FuzzMux: whatever the path, exactly one of handler, 404 and 405 answers,
// nothing redirects, and an unclean path is never served.
func FuzzMux(f *testing.F) {
	for _, seed := range []string{
		"/", "/api/servers", "/api/servers/", "//api", "/api/../x", "/api/dm/messages/messages", "/api/servers/%2e%2e",
		"/api/servers/a%2Fb", "/x/y/z", "*", "", "/api/servers/%zz", "http://h/api/servers", "/api/%73ervers?q#f",
	} {
		f.Add("GET", seed)
		f.Add("PUT", seed)
	}
	mux := testMux()
	f.Fuzz(func(t *testing.T, method, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			u = &url.URL{Path: target} // a server would not let it through; the mux must bear it
		}
		r := &http.Request{Method: method, URL: u, Header: http.Header{}}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)

		if w.Code >= 300 && w.Code < 400 || w.Header().Get("Location") != "" {
			t.Fatalf("%s %q redirects: %d", method, target, w.Code)
		}
		got := w.Header().Values("Outcome")
		if len(got) != 1 {
			t.Fatalf("%s %q: outcomes %q, want exactly one", method, target, got)
		}
		if allow := w.Header().Get("Allow"); (allow != "") != (got[0] == "405") {
			t.Errorf("%s %q: outcome %s with Allow %q", method, target, got[0], allow)
		}
		if got[0] == "404" {
			return
		}
		for i, segment := range strings.Split(u.EscapedPath(), "/")[1:] {
			switch plain, _ := url.PathUnescape(segment); {
			case plain == "" && u.Path == "/" && i == 0: // the root
			case plain == "", plain == ".", plain == "..":
				t.Errorf("%s %q: unclean path was known: %s", method, target, got[0])
			}
		}
	})
}
