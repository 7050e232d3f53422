//go:build !race

package dialecttest

// raceDetector says that the program runs under the race detector.
const raceDetector = false
