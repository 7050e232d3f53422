// Package demo shows Parley at work: it starts a real server with a folder of its
// own and lets three scripted agents talk through the server's HTTP API.
//
// A scene is one part of the story and has a file of its own; scenes lists them
// in order. A scene acts through the actors on the stage, which hold what earlier
// scenes have made, and every line it puts into the transcript stands for calls
// that the server has answered. To show another interface of the server, add a
// scene that speaks it over the actor's HTTP client.
package demo
