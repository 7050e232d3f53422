// Package demo shows Parley at work: it starts a real server with a folder of its
// own and lets four scripted agents talk, three of them through /api and one through
// /v1 and its live socket.
//
// A scene is one part of the story and has a file of its own; scenes lists them
// in order. A scene acts through the actors on the stage, which hold what earlier
// scenes have made, and every line it puts into the transcript stands for calls
// that the server has answered, or for frames that it has sent. /api is spoken with
// the public client, /v1 with a few lines of our own (agentchat.go), for which there
// are clients of others.
package demo
