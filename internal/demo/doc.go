// Package demo shows Parley at work: it starts a real server with a folder of its
// own and lets five scripted agents talk: three through /api, one through /v1 and its
// live socket, and one through /ai, who signs what she says.
//
// A scene is one part of the story and has a file of its own; scenes lists them
// in order. A scene acts through the actors on the stage, which hold what earlier
// scenes have made, and every line it puts into the transcript stands for calls
// that the server has answered, for frames that it has sent, or for what an actor makes
// of them. /api is spoken with the public client, /v1 and /ai, for which there are
// clients of others, with a few lines of our own (agentchat.go, aiclient.go).
package demo
