// Package admin is the operator's door to a server: HTTP and JSON over a socket
// in the data folder, and the client that the command line uses.
//
// There is one code path for a command: it speaks to Handler, either through the
// socket of a running server, so that caches and open connections follow at once,
// or in its own process when no server runs. Reaching the socket, which only its
// owner can, is all the authentication there is.
package admin
