// Package bench measures the server from outside, as clients meet it: durable sends
// (Send), and the sockets and inboxes of /v1 (the Measurements).
//
// # Processes
//
// The process that runs the command is the load generator. Each thing measured
// runs in a child process of the same executable, so that its CPU time is its
// own. For sends these are the server itself on a database with many rows; the same
// HTTP work with nothing behind it; and a bare writer that stores the same rows in
// batches, with no HTTP in front and no rules. The last two are the floors: no
// server with this HTTP stack and this schema can be faster than the slower of them.
// A Measurement has a rig: the server, and a floor where there is one.
//
// A child reads one brief and then orders from its standard input, answers on its
// standard output, and ends when its input ends: a generator that dies takes its
// children along.
//
// # Noise
//
// They take turns, a short slice each, several times over, so that all of
// them see the same minutes of the machine. What is reported are medians over the
// slices. Server and bare writer have a database each, copies of one another, so that
// neither needs to know where the other has left off.
package bench
