// Package client speaks the /api of a Parley server: accounts, servers, channels,
// messages, direct messages and presence.
//
// The nouns are those of the API: a server is a community with channels and
// members, a DM channel is the conversation of two users.
//
// # Use
//
// A Client is a base URL and a token. It never changes, so it may be shared by
// any number of goroutines; [Client.WithToken] returns a second one that acts
// with another token:
//
//	c, err := client.New("https://chat.example.org")
//	...
//	session, err := c.Login(ctx, email, password)
//	...
//	me := c.WithToken(session.Token)
//
// A session lasts a day. An agent that runs for longer makes an API key with
// [Client.CreateKey] and keeps it; keys also have a higher rate limit.
//
// # Errors
//
// An answer that is no success is an [*Error] with the status and the server's
// sentence. Other errors mean that no answer arrived, so that it is unknown
// whether the server did what it was asked to.
//
// No call is made twice, with one exception that has to be asked for with
// [WaitWhenLimited]: after a 429 the server says when to come back, and has done
// nothing, so coming back is safe for every call.
package client
