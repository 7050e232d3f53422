package openapi_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"parley/internal/openapi"
)

type thing struct {
	Name string  `json:"name" required:"true" maxLength:"9"`
	Note *string `json:"note"`
	Mood *string `json:"mood" enum:"high,low"`
}

type count int

type change struct {
	Count count `json:"count"`
}

type problem struct {
	Error string `json:"error"`
}

func document() *openapi.Document {
	denied := openapi.Failure{Status: 401, Name: "denied", Text: problem{"<who?>"}}
	gone := openapi.Failure{Status: 404, Name: "gone", Text: problem{"gone"}}
	lost := openapi.Failure{Status: 404, Name: "lost", Text: problem{"lost"}}
	slow := openapi.Failure{Status: 429, Name: "slow", Text: problem{"slow down"}}
	id := openapi.Parameter{Name: "id", InPath: true, Schema: map[string]any{"type": "string"}}
	return &openapi.Document{
		Title: "Things", Version: "2", Server: "/", License: "MIT", Bearer: "a token", Error: problem{},
		Headers: []openapi.Header{{Name: "X-Left", Description: "what is left"}}, RetryAfter: "seconds",
		Substitutes: []openapi.Substitute{{Type: count(0), As: ""}},
		Schemes: []openapi.Scheme{
			{Name: "session", Description: "a cookie", Cookie: "crumb"}, {Name: "operator", Description: "another token"},
		},
		Operations: []openapi.Operation{
			{
				ID: "getThing", Method: "GET", Path: "/things/{id}", Response: thing{}, Success: []int{200},
				Parameters: []openapi.Parameter{id, {Name: "since", Schema: map[string]any{"type": "string"}}},
				Failures:   []openapi.Failure{slow, denied, gone},
			},
			{
				ID: "setThing", Method: "PATCH", Path: "/things/{id}", Parameters: []openapi.Parameter{id},
				Request: change{}, Response: thing{}, Success: []int{200, 201}, Failures: []openapi.Failure{denied, gone, lost},
			},
			{
				ID: "putPicture", Method: "PUT", Path: "/picture", Scheme: "session", RequestType: "image/png", Success: []int{302},
			},
			{ID: "getPicture", Method: "GET", Path: "/picture", Scheme: "operator", ResponseType: "image/png", Success: []int{200}},
			{ID: "ping", Method: "POST", Path: "/ping", Open: true, Request: thing{}, BodyMayMiss: true, Response: thing{}, Success: []int{200}},
		},
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	raw, err := document().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatalf("the document is no JSON: %v", err)
	}
	const (
		get  = "paths|/things/{id}|get|"
		set  = "paths|/things/{id}|patch|"
		ping = "paths|/ping|post|"
		put  = "paths|/picture|put|"

		shown = "paths|/picture|get|"
	)
	for path, want := range map[string]any{
		"openapi":                                                  "3.1.0",
		"info|title":                                               "Things",
		"servers|0|url":                                            "/",
		get + "operationId":                                        "getThing",
		get + "security|0|token":                                   []any{},
		get + "security|0|token|0":                                 nil,
		get + "parameters|0|in":                                    "path",
		get + "parameters|0|required":                              true,
		get + "parameters|1|in":                                    "query",
		get + "parameters|1|required":                              nil,
		get + "responses|401|$ref":                                 "#/components/responses/Unauthorized",
		get + "responses|404|$ref":                                 nil, // differs from the other
		get + "responses|429|headers|Retry-After|$ref":             "#/components/headers/Retry-After",
		get + "responses|200|headers|X-Left|$ref":                  "#/components/headers/X-Left",
		get + "responses|200|headers|Retry-After|$ref":             nil,
		get + "responses|200|content|application/json|schema|$ref": "#/components/schemas/Thing",
		set + "requestBody|required":                               true,
		set + "responses|201|description":                          "Created",
		set + "responses|404|content|application/json|examples|lost|value|error": "lost",
		put + "security|0|session":                                               []any{},
		put + "security|0|token":                                                 nil,
		put + "requestBody|required":                                             true,
		put + "requestBody|content|image/png":                                    map[string]any{},
		put + "responses|302|description":                                        "Found",
		put + "responses|302|content":                                            nil,
		shown + "security|0|operator":                                            []any{},
		shown + "responses|200|content|image/png":                                map[string]any{},
		shown + "responses|200|content|application/json":                         nil,
		"components|securitySchemes|session|in":                                  "cookie",
		"components|securitySchemes|session|name":                                "crumb",
		"components|securitySchemes|operator|scheme":                             "bearer",
		ping + "requestBody|required":                                            false,
		ping + "security":                                                        nil,
		"components|responses|Unauthorized|content|application/json|schema|$ref": "#/components/schemas/Problem",
		"components|responses|Unauthorized|content|application/json|examples|denied|value|error": "<who?>",
		"components|schemas|Change|properties|count|type":                                        "string", // substituted
		"components|schemas|Thing|properties|name|maxLength":                                     9.0,
		"components|schemas|Thing|properties|note|type|0":                                        "null",
		"components|schemas|Thing|properties|mood|enum":                                          []any{"high", "low", nil},
		"components|securitySchemes|token|scheme":                                                "bearer",
	} {
		if got := at(doc, path); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if !bytes.Contains(raw, []byte(`"<who?>"`)) {
		t.Error("texts are escaped for HTML")
	}
	for range 5 { // maps have no order, the document has
		again, err := document().JSON()
		if err != nil || !bytes.Equal(raw, again) {
			t.Fatalf("the same tables gave another document (error %v)", err)
		}
	}
}

func TestBadTables(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*openapi.Document){
		"a route twice":                   func(d *openapi.Document) { d.Operations = append(d.Operations, d.Operations[2]) },
		"a parameter that the path lacks": func(d *openapi.Document) { d.Operations[0].Path = "/things" },
		"a path without its parameter":    func(d *openapi.Document) { d.Operations[2].Path = "/picture/{id}" },
		"no method":                       func(d *openapi.Document) { d.Operations[2].Method = "FETCH" },
	} {
		d := document()
		change(d)
		if _, err := d.JSON(); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// at returns the value at a path of keys and indexes, nil if there is none.
func at(value any, path string) any {
	for part := range strings.SplitSeq(path, "|") {
		switch v := value.(type) {
		case map[string]any:
			value = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}
