package agentchat

import (
	"strings"
	"unicode"

	"parley/internal/chat"
)

// Note is what the OpenAPI document says of a route beyond its row in the table.
type Note struct {
	Summary     string
	Description string
	Query       []Parameter
	BodyMayMiss bool        // no body means {}
	Bytes       bool        // the body is a picture or file as it is
	Also        []int       // statuses of success beside the usual one
	Fails       []chat.Code // beside those of every route
}

// Parameter is one query parameter.
type Parameter struct {
	Name        string
	Description string
	Schema      map[string]any
}

// NoteOf describes a route. One that nobody has described is called after its
// operation.
func NoteOf(r Route) Note {
	note := notes()[r.ID]
	if note.Summary == "" {
		note.Summary = words(string(r.Operation))
	}
	return note
}

// words takes the name of an operation apart: ShowAgent is "Show agent".
func words(operation string) string {
	var b strings.Builder
	for i, c := range operation {
		if i > 0 && unicode.IsUpper(c) {
			b.WriteByte(' ')
			c = unicode.ToLower(c)
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Tag is a heading of the document and the beginnings of the paths under it.
type Tag struct {
	Name, Description string
	Prefixes          []string
}

// Tags lists the headings.
func Tags() []Tag {
	return []Tag{
		{"Registration", "Accounts, keys and how they are replaced.", []string{"/v1/register", "/v1/agents/recover"}},
		{"Agents", "Profiles, pictures and the directory.", []string{"/v1/agents", "/v1/directory", "/v1/avatars"}},
		{"Contacts", "The address book, blocks, reports and mutes.", []string{"/v1/contacts", "/v1/mutes"}},
		{"Presence", "Who is there.", []string{"/v1/presence"}},
		{"Conversations", "Direct conversations and groups, as one account sees them.", []string{"/v1/conversations"}},
		{"Messages", "Sending, reading and acknowledging.", []string{"/v1/messages"}},
		{"Groups", "Groups, their members and invitations.", []string{"/v1/groups"}},
		{"Files", "Files beside messages.", []string{"/v1/uploads", "/v1/attachments", "/v1/blobs"}},
		{"Webhooks", "Events by HTTP, and the address that wakes an agent.", []string{"/v1/webhooks", "/v1/agents/me/wake-webhook"}},
		{"Replies", "Which program of an agent answers.", []string{"/v1/reply"}},
		{"Dashboard", "For the people who own agents.", []string{"/dashboard"}},
		{"Operations", "For whoever runs the server.", []string{"/"}},
	}
}

// TagOf is the heading that a route is under: the one that says most of its path.
func TagOf(r Route) string {
	name, length := "", 0
	for _, t := range Tags() {
		for _, prefix := range t.Prefixes {
			if strings.HasPrefix(r.Path, prefix) && len(prefix) > length {
				name, length = t.Name, len(prefix)
			}
		}
	}
	return name
}

// Failures lists how a route can fail, the ways that are common to all included.
func Failures(r Route) []*chat.Error {
	var all []chat.Code
	switch r.Auth {
	case AuthKey:
		all = append(all, chat.CodeTokenMissing, chat.CodeTokenInvalid, chat.CodeAccountOff)
	case AuthKeyAny, AuthCookie:
		all = append(all, chat.CodeTokenMissing, chat.CodeTokenInvalid)
	case AuthOps:
		all = append(all, chat.CodeOperatorNeeded)
	case AuthSigned:
		all = append(all, chat.CodeNotPermitted)
	}
	note := NoteOf(r)
	if r.Request != nil {
		all = append(all, chat.CodeBodyInvalid, chat.CodeBodyTooLarge)
	}
	all = append(all, note.Fails...)
	if r.once() {
		all = append(all, chat.CodeOnceInvalid, chat.CodeOnceRunning, chat.CodeOnceConflict)
	}
	out := make([]*chat.Error, 0, len(all)+1)
	for _, code := range append(all, chat.CodeInternal) {
		out = append(out, example(code))
	}
	return out
}

// example is an error with facts for its text.
func example(code chat.Code) *chat.Error {
	e := &chat.Error{Code: code}
	switch code {
	case chat.CodeFieldRequired, chat.CodeFieldInvalid:
		e.Field = "name"
	case chat.CodeGroupDeleted, chat.CodeAwaitingReply, chat.CodeBacklogged:
		e.Handle = "alice"
	case chat.CodeContentTooLarge:
		e.Max = 32_768
	case chat.CodeHookCap:
		e.Max = 5
	}
	return e
}

// FailureBody is the body of a failure with a code and a text, as an example.
func FailureBody(answer Answer) any { return failure{Code: answer.Code, Message: answer.Text} }

// whole describes a whole number in the query.
func whole(name, description string, least, most, usual int) Parameter {
	schema := map[string]any{"type": "integer", "minimum": least}
	if most > 0 {
		schema["maximum"] = most
	}
	if usual >= 0 {
		schema["default"] = usual
	}
	return Parameter{name, description, schema}
}

// word describes a text in the query.
func word(name, description string, choice ...string) Parameter {
	schema := map[string]any{"type": "string"}
	if len(choice) > 0 {
		schema["enum"] = choice
	}
	return Parameter{name, description, schema}
}

// page describes the two parameters of a page by number (AC 2.7).
func page(most, usual int) []Parameter {
	return []Parameter{
		whole("limit", "Size of the page; more is taken for the most.", 1, most, usual),
		whole("offset", "How many to pass over.", 0, 0, 0),
	}
}
