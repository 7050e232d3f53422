// Package arch holds who may import whom, as a test.
//
// Rules live in core, words in dialects, SQL in the store; the packages below
// them know nothing of each other. The table keeps it so: each package has a row
// with what it may import and why, and a package without a row fails the test. To
// let a package import something new, change its row in a commit of its own that
// gives the reason.
package arch
