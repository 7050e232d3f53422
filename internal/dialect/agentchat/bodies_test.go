package agentchat_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
)

// anything stands for the members whose inside is the sender's own business.
func anything(path string) bool { return path == "content.data" || path == "metadata" }

// places calls each for every member of a body, nested ones by their path, with a
// function that makes the body with another value there.
func places(body object, each func(path string, value any, put func(any) object)) {
	for _, name := range slices.Sorted(maps.Keys(body)) {
		put := func(v any) object { return body.But(name, v) }
		each(name, body[name], put)
		if inner, ok := body[name].(object); ok && !anything(name) {
			places(inner, func(path string, value any, inside func(any) object) {
				if path = name + "." + path; !anything(path) {
					each(path, value, func(v any) object { return put(inside(v)) })
				}
			})
		}
	}
}

// The bodies that the tests below try have every member that a request may have.
func TestBodiesAreComplete(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	tried := map[string]map[string]bool{}
	s.requests(t, func(r agentchat.Route, body object) {
		if tried[r.ID] == nil {
			tried[r.ID] = map[string]bool{}
		}
		for name := range body {
			tried[r.ID][name] = true
		}
	})
	for _, r := range agentchat.Routes() {
		if r.Request == nil {
			continue
		}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(r.Request)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.IsExported() && !tried[r.ID][name] {
				t.Errorf("%s: %s is not tried", r.ID, name)
			}
		}
	}
}

// Every member refuses values of another type, by its name; those of optional ones
// may be null.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	s.requests(t, func(r agentchat.Route, body object) {
		places(body, func(path string, right any, put func(any) object) {
			for _, wrong := range []any{1, 1.5, "x", true, []any{}, object{}, []any{1}} {
				if sameKind(right, wrong) {
					continue
				}
				answer := s.send(t, r, put(wrong))
				if answer.Status != 400 || answer.At("code") != "VALIDATION_ERROR" {
					t.Errorf("%s with %s = %v: got %d %s, want 400", r.ID, path, wrong, answer.Status, answer.Raw)
				}
				if told, _ := answer.At("details.fieldErrors").(map[string]any); told[path] == nil {
					t.Errorf("%s with %s = %v: got %s, want a text about it", r.ID, path, wrong, answer.Raw)
				}
			}
		})
	})
}

// sameKind tells whether JSON shows two values as the same type; whole numbers and
// others are two, and so are arrays of texts and of anything else.
func sameKind(right, wrong any) bool {
	a, b := reflect.TypeOf(right), reflect.TypeOf(wrong)
	if a.Kind() == reflect.Slice && b.Kind() == reflect.Slice {
		return reflect.ValueOf(wrong).Len() == 0 // empty: of the right type, if too short for some
	}
	return a == b || a.Kind() == reflect.Int && b.Kind() == reflect.Int
}

// A text with U+0000 is refused wherever it stands; so is what is no UTF-8.
func TestTextsThatNobodyStores(t *testing.T) {
	onScenes(t, func(t *testing.T, s *scene) {
		const mark = "MARK"
		s.requests(t, func(r agentchat.Route, body object) {
			places(body, func(path string, right any, put func(any) object) {
				var marked any = mark
				switch right.(type) {
				case string:
				case []string:
					marked = []string{mark}
				case object:
					if !anything(path) {
						return
					}
					marked = object{"inside": mark}
				default:
					return
				}
				raw, err := json.Marshal(put(marked))
				if err != nil {
					t.Fatalf("encode: %v", err)
				}
				for _, bad := range []string{`a\u0000b`, "a\xffb", "\xed\xa0\x80"} {
					text := strings.Replace(string(raw), mark, bad, 1)
					if answer := s.send(t, r, text); answer.Status != 400 || answer.At("code") != "VALIDATION_ERROR" {
						t.Errorf("%s with %s = %q: got %d %s, want 400", r.ID, path, bad, answer.Status, answer.Raw)
					}
				}
			})
		})
	})
}

// Bodies that are no JSON object, and one that is too large.
func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	huge := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	s.requests(t, func(r agentchat.Route, body object) {
		right, err := json.Marshal(body)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		for _, broken := range []string{
			"{", "[]", "null", "1", `"x"`, "true", string(right) + "{}", "[" + string(right) + "]", "{'a':1}", `{"a":01}`,
			"\ufeff" + string(right), `{"a":"` + "\xff" + `"}`, strings.Repeat(`{"a":`, 20_000), strings.Repeat("[", 100_000),
		} {
			answer := s.send(t, r, broken)
			if answer.Status != 400 || answer.At("message") != "Invalid JSON body" {
				t.Errorf("%s with %.40q: got %d %s, want 400 Invalid JSON body", r.ID, broken, answer.Status, answer.Raw)
			}
		}
		code(s.send(t, r, huge), 413, "PAYLOAD_TOO_LARGE")
	})
}

// answerTo says how a right body is answered by the routes that need more than that.
func answerTo(r agentchat.Route) (status int, code string) {
	switch r.ID {
	case "finishRegistration", "finishRecovery", "finishRotation", "verifySignIn":
		return 400, "EXPIRED"
	case "rotateSystemKey":
		return 404, "NOT_A_SYSTEM_AGENT"
	case "addGroupMember", "claimAgent", "createGroup", "createWebhook", "reserveUpload", "sendMessage", "setMute", "addContact":
		return http.StatusCreated, ""
	}
	return http.StatusOK, ""
}

// Unknown members are ignored, at every depth, whatever the Content-Type says, and
// the last of two with one name counts.
func TestUnknownMembersAreIgnored(t *testing.T) {
	t.Parallel()
	e := dialecttest.Engines()[0]
	shared := newScene(t, e)
	shared.requests(t, func(r agentchat.Route, body object) {
		s := shared
		if r.ID == "reportAccount" || r.ID == "pauseAgent" { // which would keep others from working
			s = newScene(t, e)
		}
		body = body.But("unknown", object{"a": []any{1, nil}})
		for name, value := range body {
			if inner, ok := value.(object); ok {
				body = body.But(name, inner.But("unknown", nil))
			}
		}
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		doubled := `{"` + slices.Sorted(maps.Keys(body))[0] + `":[[]],` + string(raw[1:])
		status, want := answerTo(r)
		answer := s.send(t, r, doubled, "Content-Type: text/plain")
		if answer.Status != status || want != "" && answer.At("code") != want {
			t.Errorf("%s: got %d %s, want %d %s", r.ID, answer.Status, answer.Raw, status, want)
		}
	})
}

// What takes no members works without a body and a Content-Type, and takes no notice
// of one (AC 2.1).
func TestNoBodyIsNeeded(t *testing.T) {
	t.Parallel()
	e := dialecttest.Engines()[0]
	optional := []string{"reportAccount", "setActive", "updateAgent", "updateGroup"}
	for _, r := range agentchat.Routes() {
		raw := strings.HasSuffix(r.Path, "/avatar") || r.Auth == agentchat.AuthSigned
		if r.Method == http.MethodGet || r.Method == http.MethodDelete || raw || r.Request != nil && !slices.Contains(optional, r.ID) {
			continue
		}
		bodies := []any{nil}
		if r.Request == nil {
			bodies = append(bodies, "[")
		}
		for _, body := range bodies {
			s := newScene(t, e)
			if answer := s.prepare(r).send(t, r, body); answer.Status != r.Status {
				t.Errorf("%s with body %v: got %d %s, want %d", r.ID, body, answer.Status, answer.Raw, r.Status)
			}
		}
	}
}

// prepare makes what a route without a body changes.
func (s *scene) prepare(r agentchat.Route) *scene {
	if r.ID == "demoteGroupMember" {
		s.ann.promote(s.group, s.ben).Want(200)
	}
	return s
}
