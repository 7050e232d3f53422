package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/httpx"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	open := httpx.CORS{Origin: "*", Methods: "GET, POST", Headers: "Authorization", Expose: "X-Limit", MaxAge: 600}
	listed := httpx.CORS{
		Origin: "https://a.example https://b.example", Methods: "GET", Headers: "Content-Type", Credentials: true,
	}
	for _, tc := range []struct {
		name, method, origin string
		cors                 httpx.CORS
		preflight            bool
		status               int
		want                 http.Header
	}{
		{
			"plain request", "GET", "", open, false, 418,
			http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": {"X-Limit"}},
		},
		{
			"preflight", "OPTIONS", "https://x.example", open, true, 204,
			http.Header{
				"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": {"X-Limit"},
				"Access-Control-Allow-Methods": {"GET, POST"}, "Access-Control-Allow-Headers": {"Authorization"},
				"Access-Control-Max-Age": {"600"},
			},
		},
		{
			"options without preflight", "OPTIONS", "https://x.example", open, false, 418,
			http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": {"X-Limit"}},
		},
		{
			"preflight header on another method", "GET", "", open, true, 418,
			http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": {"X-Limit"}},
		},
		{
			"listed origin", "OPTIONS", "https://b.example", listed, true, 204,
			http.Header{
				"Access-Control-Allow-Origin": {"https://b.example"}, "Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Allow-Methods": {"GET"}, "Access-Control-Allow-Headers": {"Content-Type"}, "Vary": {"Origin"},
			},
		},
		{"unlisted origin", "OPTIONS", "https://c.example", listed, true, 204, http.Header{"Vary": {"Origin"}}},
		{"no origin", "GET", "", listed, false, 418, http.Header{"Vary": {"Origin"}}},
		{"empty list", "GET", "", httpx.CORS{}, false, 418, http.Header{"Vary": {"Origin"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := tc.cors.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
			r := httptest.NewRequest(tc.method, "/", nil)
			if tc.origin != "" {
				r.Header.Set("Origin", tc.origin)
			}
			if tc.preflight {
				r.Header.Set("Access-Control-Request-Method", "POST")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Errorf("status = %d, want %d", w.Code, tc.status)
			}
			if diff := cmp.Diff(tc.want, w.Result().Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}
