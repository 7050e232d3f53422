// Package ops is what an operator watches: health, metrics and profiles. It
// shows figures that others give it and decides nothing.
//
// Everything but health is served on the internal listener only, which is off by
// default: profiles tell more about a server than its users should know.
package ops
