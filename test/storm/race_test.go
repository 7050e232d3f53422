//go:build race

package storm_test

// raced tells whether this test runs under the race detector. The server never does.
const raced = true
