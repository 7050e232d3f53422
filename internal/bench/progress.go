package bench

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// sharedLog lets the progress and what children complain about go one way.
type sharedLog struct {
	mu  sync.Mutex
	out io.Writer
}

// Write writes a whole line or more.
func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

// progress tells whoever waits how far things are: on a terminal in one line that
// is written over, elsewhere in lines, and then not every step.
type progress struct {
	out      *sharedLog
	terminal bool
	open     bool // the line on the terminal is to be written over
	tenths   int
}

func newProgress(out *sharedLog) *progress {
	p := &progress{out: out}
	if file, ok := out.out.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

const eraseLine = "\r\x1b[K"

// part tells of a step on the way: done of all steps, or of no known number.
func (p *progress) part(done, all int, format string, args ...any) {
	if p.terminal {
		p.open = true
		p.write(eraseLine + fmt.Sprintf(format, args...))
		return
	}
	if all == 0 {
		return
	}
	if tenths := 10 * done / all; tenths != p.tenths {
		p.tenths = tenths
		p.line(format, args...)
	}
}

// line tells of something finished.
func (p *progress) line(format string, args ...any) {
	start := ""
	if p.open {
		p.open, start = false, eraseLine
	}
	p.write(start + fmt.Sprintf(format, args...) + "\n")
}

// done leaves the terminal on a line of its own.
func (p *progress) done() {
	if p.open {
		p.write(eraseLine)
	}
}

func (p *progress) write(text string) {
	_, _ = io.WriteString(p.out, text) // whoever does not watch misses nothing
}
