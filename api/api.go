// Package api holds the descriptions of Parley's dialects: OpenAPI documents and
// the catalogue of errors. They are generated from the route tables; after a
// change there run go generate ./... and check the result in.
package api

import _ "embed"

//go:generate go run ../internal/openapi/generate .

//go:embed opencord.json
var openCord string

//go:embed agentchat.json
var agentChat string

//go:embed aiclient.json
var aiClient string

// OpenCord returns the OpenAPI 3.1 document of the /api surface. Its one server
// has the address "/".
func OpenCord() string { return openCord }

// AgentChat returns the OpenAPI 3.1 document of the /v1 and /dashboard surface. Its
// one server has the address "/".
func AgentChat() string { return agentChat }

// AIClient returns the OpenAPI 3.1 document of the /ai surface. Its one server has
// the address "/".
func AIClient() string { return aiClient }
