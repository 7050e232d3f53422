// Package openapi writes OpenAPI 3.1 documents from route tables that are handed
// to it. It knows no dialect: bodies are Go values whose types and tags are
// reflected, failures are statuses and texts.
package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unicode"

	"github.com/swaggest/jsonschema-go"
	"github.com/swaggest/openapi-go"
	"github.com/swaggest/openapi-go/openapi31"
)

// Document is one dialect.
type Document struct {
	Title       string
	Version     string // of the contract, not of the program
	Description string
	License     string // SPDX identifier
	LicenseURL  string
	Server      string // the address paths are relative to
	Tags        []Tag
	Bearer      string // says what the bearer token of routes that are not open is
	Schemes     []Scheme
	Headers     []Header
	RetryAfter  string // describes the Retry-After header of 429
	Error       any    // the body of every failure
	Substitutes []Substitute
	Operations  []Operation
}

// Tag is a heading of the document.
type Tag struct{ Name, Description string }

// Scheme is another way to prove who calls, beside the bearer token: a cookie, or
// another bearer token if Cookie is "".
type Scheme struct{ Name, Description, Cookie string }

// Header is a response header, a whole number, on every response.
type Header struct{ Name, Description string }

// Substitute says that a Go type travels as another one.
type Substitute struct{ Type, As any }

// Operation is one route.
type Operation struct {
	ID, Method, Path          string
	Tag, Summary, Description string
	Open                      bool   // needs no token
	Scheme                    string // needs what a Scheme of the document says, in place of the token
	Parameters                []Parameter
	Request                   any    // nil: there is no body
	RequestType               string // media type of a body of plain bytes, beside no Request
	BodyMayMiss               bool
	Response                  any    // nil: nothing that a schema describes
	ResponseType              string // media type of an answer of plain bytes, beside no Response
	Success                   []int  // statuses that Response comes with, the usual one first
	Failures                  []Failure
}

// Parameter is a query parameter, or one in the path, which is always needed.
type Parameter struct {
	Name, Description string
	InPath            bool
	Schema            map[string]any
}

// Failure is one way in which an operation fails. Name tells it from others with
// the same status.
type Failure struct {
	Status int
	Name   string
	Text   any // the body
}

const (
	bearerScheme = "token"
	mimeJSON     = "application/json"
)

// JSON writes the document: indented, in an order that depends on the tables only.
func (d *Document) JSON() ([]byte, error) {
	r := openapi31.NewReflector()
	r.DefaultOptions = append(r.DefaultOptions, jsonschema.InterceptDefName(func(t reflect.Type, _ string) string {
		return exported(t.Name())
	}), jsonschema.InterceptProp(admitNull))
	for _, s := range d.Substitutes {
		r.AddTypeMapping(s.Type, s.As)
	}
	d.describe(r.Spec)
	shared := shareFailures(d.Operations)
	for i := range d.Operations {
		if err := d.add(r, &d.Operations[i], shared); err != nil {
			return nil, fmt.Errorf("describe %s: %w", d.Operations[i].ID, err)
		}
	}
	for name, failures := range shared.named() {
		r.Spec.ComponentsEns().WithResponsesItem(name, openapi31.ResponseOrReference{
			Response: d.failure(failures, d.errorSchema()),
		})
	}
	return encode(r.Spec)
}

// admitNull lists null among the words of a member that may be null: the reflector
// gives it the type alone.
func admitNull(p jsonschema.InterceptPropParams) error {
	if p.Processed && len(p.PropertySchema.Enum) > 0 && p.PropertySchema.HasType(jsonschema.Null) {
		p.PropertySchema.Enum = append(p.PropertySchema.Enum, nil)
	}
	return nil
}

// describe fills in what is not about single operations.
func (d *Document) describe(spec *openapi31.Spec) {
	spec.Info.WithTitle(d.Title).WithVersion(d.Version).WithDescription(d.Description).
		WithLicense(*new(openapi31.License).WithName(d.License).WithURL(d.LicenseURL))
	spec.WithServers(openapi31.Server{URL: d.Server})
	for _, t := range d.Tags {
		spec.Tags = append(spec.Tags, *new(openapi31.Tag).WithName(t.Name).WithDescription(t.Description))
	}
	spec.SetHTTPBearerTokenSecurity(bearerScheme, "", d.Bearer)
	for _, s := range d.Schemes {
		if s.Cookie == "" {
			spec.SetHTTPBearerTokenSecurity(s.Name, "", s.Description)
		} else {
			spec.SetAPIKeySecurity(s.Name, s.Cookie, openapi.InCookie, s.Description)
		}
	}
	headers := d.Headers
	if d.RetryAfter != "" {
		headers = append(headers[:len(headers):len(headers)], Header{"Retry-After", d.RetryAfter})
	}
	for _, h := range headers {
		spec.ComponentsEns().WithHeadersItem(h.Name, openapi31.HeaderOrReference{
			Header: new(openapi31.Header).WithDescription(h.Description).WithSchema(map[string]any{"type": "integer"}),
		})
	}
}

// add describes one operation.
func (d *Document) add(r *openapi31.Reflector, op *Operation, shared *sharing) error {
	oc, err := r.NewOperationContext(op.Method, op.Path)
	if err != nil {
		return err
	}
	oc.SetID(op.ID)
	oc.SetTags(op.Tag)
	oc.SetSummary(op.Summary)
	oc.SetDescription(op.Description)
	switch {
	case op.Scheme != "":
		oc.AddSecurity(op.Scheme)
	case !op.Open:
		oc.AddSecurity(bearerScheme)
	}
	exposer, ok := oc.(openapi31.OperationExposer)
	if !ok {
		return fmt.Errorf("the reflector does not show its operation")
	}
	for _, p := range op.Parameters {
		in := openapi31.ParameterInQuery
		if p.InPath {
			in = openapi31.ParameterInPath
		}
		parameter := new(openapi31.Parameter).WithName(p.Name).WithIn(in).WithDescription(p.Description).WithSchema(p.Schema)
		if p.InPath {
			parameter.WithRequired(true)
		}
		exposer.Operation().Parameters = append(exposer.Operation().Parameters, openapi31.ParameterOrReference{Parameter: parameter})
	}
	if op.Request != nil {
		oc.AddReqStructure(op.Request, openapi.WithCustomize(func(c openapi.ContentOrReference) {
			if body, ok := c.(*openapi31.RequestBodyOrReference); ok {
				body.RequestBodyEns().WithRequired(!op.BodyMayMiss)
			}
		}))
	}
	if op.RequestType != "" {
		exposer.Operation().RequestBodyEns().RequestBodyEns().WithRequired(true).
			WithContentItem(op.RequestType, openapi31.MediaType{})
	}
	for _, status := range op.Success {
		oc.AddRespStructure(op.Response, openapi.WithHTTPStatus(status), d.customize(func(r *openapi31.Response) {
			r.Description = http.StatusText(status)
			r.Headers = d.headers(status)
			switch {
			case op.ResponseType != "":
				r.Content = map[string]openapi31.MediaType{op.ResponseType: {}}
			case op.Response == nil:
				r.Content = nil
			}
		}))
	}
	for _, failures := range byStatus(op.Failures) {
		options := []openapi.ContentOption{openapi.WithHTTPStatus(failures[0].Status)}
		if name, ok := shared.nameOf(failures); ok {
			options = append(options, openapi.WithReference("#/components/responses/"+name))
		} else {
			options = append(options, d.customize(func(r *openapi31.Response) { *r = *d.failure(failures, r.Content[mimeJSON].Schema) }))
		}
		oc.AddRespStructure(d.Error, options...)
	}
	return r.AddOperation(oc)
}

func (d *Document) customize(change func(*openapi31.Response)) openapi.ContentOption {
	return openapi.WithCustomize(func(c openapi.ContentOrReference) {
		if response, ok := c.(*openapi31.ResponseOrReference); ok {
			change(response.ResponseEns())
		}
	})
}

// failure is the response for failures of one status, with each as an example.
func (d *Document) failure(failures []Failure, schema map[string]any) *openapi31.Response {
	status := failures[0].Status
	media := openapi31.MediaType{Schema: schema}
	for _, f := range failures {
		media.WithExamplesItem(f.Name, openapi31.ExampleOrReference{Example: new(openapi31.Example).WithValue(f.Text)})
	}
	r := new(openapi31.Response).WithDescription(http.StatusText(status)).WithContentItem(mimeJSON, media)
	return r.WithHeaders(d.headers(status))
}

// headers refers to the headers of a response with the status.
func (d *Document) headers(status int) map[string]openapi31.HeaderOrReference {
	out := make(map[string]openapi31.HeaderOrReference)
	refer := func(name string) {
		out[name] = openapi31.HeaderOrReference{Reference: &openapi31.Reference{Ref: "#/components/headers/" + name}}
	}
	for _, h := range d.Headers {
		refer(h.Name)
	}
	if d.RetryAfter != "" && status == http.StatusTooManyRequests {
		refer("Retry-After")
	}
	return out
}

func (d *Document) errorSchema() map[string]any {
	return map[string]any{"$ref": "#/components/schemas/" + exported(reflect.TypeOf(d.Error).Name())}
}

// exported is the name of a type as others see it.
func exported(name string) string {
	if name == "" {
		return ""
	}
	return string(unicode.ToUpper(rune(name[0]))) + name[1:]
}

// encode writes indented JSON without the escapes that only HTML needs.
func encode(spec *openapi31.Spec) ([]byte, error) {
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode the document: %w", err)
	}
	text := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(raw))
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		return nil, fmt.Errorf("indent the document: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
