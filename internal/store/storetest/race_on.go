//go:build race

package storetest

// raceDetector says that the program runs under the race detector.
const raceDetector = true
