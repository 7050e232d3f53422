// Package wire is what the dialects read and write alike: times, members of JSON
// bodies, query parameters, bearer tokens. It knows no dialect's words.
package wire
