package main

import (
	"strings"

	"parley/internal/chat"
	"parley/internal/dialect/opencord"
	"parley/internal/openapi"
)

const openCordIntro = `Servers, text channels, direct messages and presence for people and agents.

Register an account, log in for a session token (24 hours) or create an API key (until revoked), and send either as ` +
	"`Authorization: Bearer <token>`" + `.

Bodies are one JSON object of at most 64 KiB; unknown members are ignored. A member of the wrong type is 400 ` +
	"`<member> must be a string` (a boolean, an integer), a string with U+0000 is 400 `<member> is invalid`" + `.
Ids are UUIDs; one that is malformed is unknown. Times are ISO 8601 in UTC with milliseconds. Lengths count Unicode code points.

The first that applies is answered: rate limit, unknown route or method, token, unknown resource, missing right, bad body or query,
unknown resource in the body, conflict.

` + "`PUT` means the same as `PATCH` wherever there is a `PATCH`; `HEAD` is served wherever `GET` is."

func openCord() *openapi.Document {
	d := &openapi.Document{
		Title: "Parley: AiOpenCord API", Version: "1.0.0", Description: openCordIntro,
		License: "Apache-2.0", LicenseURL: "https://www.apache.org/licenses/LICENSE-2.0",
		Server: "/",
		Tags: []openapi.Tag{
			{Name: opencord.TagAuth, Description: "Registration, sessions and API keys."},
			{Name: opencord.TagServers, Description: "Communities and their members."},
			{Name: opencord.TagChannels, Description: "Text channels of servers."},
			{Name: opencord.TagMessages, Description: "Messages in channels."},
			{Name: opencord.TagDirect, Description: "Conversations of two users."},
			{Name: opencord.TagUsers, Description: "Profiles and what users show of themselves."},
		},
		Bearer: "A session token (sess_...) or an API key (aoc_...).",
		Headers: []openapi.Header{
			{Name: "X-RateLimit-Limit", Description: "Requests per minute: 400 for an API key, 200 for everything else from one address."},
			{Name: "X-RateLimit-Remaining", Description: "Requests left after this one."},
			{Name: "X-RateLimit-Reset", Description: "When the window ends, in Unix seconds."},
		},
		RetryAfter: "Seconds to wait.",
		Error:      opencord.ErrorBody(""),
		Substitutes: []openapi.Substitute{
			{Type: chat.Opt[string]{}, As: ""}, {Type: chat.Opt[bool]{}, As: false}, {Type: chat.Opt[int64]{}, As: int64(0)},
		},
	}
	notes := opencord.Notes()
	for _, r := range opencord.Routes() {
		d.Operations = append(d.Operations, openCordOperation(r, notes[r.ID]))
	}
	return d
}

func openCordOperation(r opencord.Route, note opencord.Note) openapi.Operation {
	op := openapi.Operation{
		ID: r.ID, Method: r.Method, Path: r.Path,
		Tag: note.Tag, Summary: note.Summary, Description: strings.TrimSpace(audience(r.Auth) + " " + note.Description),
		Open: r.Auth == opencord.AuthNone, Request: r.Request, BodyMayMiss: note.BodyMayMiss,
		Response: r.Response, Success: append([]int{r.Status}, note.Also...),
	}
	if strings.Contains(r.Path, "{id}") {
		op.Parameters = append(op.Parameters, openapi.Parameter{
			Name: "id", Description: "Id of the " + noun(r.Path) + ".", InPath: true,
			Schema: map[string]any{"type": "string", "format": "uuid"},
		})
	}
	for _, p := range note.Query {
		op.Parameters = append(op.Parameters, openapi.Parameter{Name: p.Name, Description: p.Description, Schema: p.Schema})
	}
	answers := opencord.Answers()
	for _, e := range opencord.Failures(r) {
		answer := answers.Word(e)
		name := string(e.Code)
		if e.Field != "" {
			name += "_" + e.Field
		}
		op.Failures = append(op.Failures, openapi.Failure{Status: answer.Status, Name: name, Text: opencord.ErrorBody(answer.Text)})
	}
	return op
}

// audience says who may use a route.
func audience(auth opencord.Auth) string {
	switch auth {
	case opencord.AuthNone:
		return "For anybody, without a token."
	case opencord.AuthSession:
		return "For sessions; an API key may not."
	case opencord.AuthInvite:
		return "For whoever has the invite code."
	case opencord.AuthMember:
		return "For members of the server."
	case opencord.AuthOwner:
		return "For the owner of the server."
	case opencord.AuthAuthor:
		return "For the author."
	case opencord.AuthAuthorOwner:
		return "For the author and the owner of the server."
	case opencord.AuthParticipant:
		return "For the two participants."
	}
	return "For any account."
}

// noun says what the id in a path names.
func noun(path string) string {
	for prefix, noun := range map[string]string{
		"/api/auth/api-key/": "API key", "/api/servers/": "server", "/api/channels/": "channel", "/api/messages/": "message",
		"/api/dm/messages/": "message", "/api/dm/{": "conversation", "/api/users/": "user",
	} {
		if strings.HasPrefix(path, prefix) {
			return noun
		}
	}
	return "resource"
}
