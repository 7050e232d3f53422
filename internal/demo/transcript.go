package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// The layout: time, name, text, and the call at the right edge.
const (
	minWidth  = 60
	nameWidth = 4
	indent    = 1 + len("15:04:05") + 2 + nameWidth + 2
	callWidth = 34 // the longest call that is usual, with a gap before it
	textWidth = 46 // with less room than this the text goes over the calls' column too
)

// Escape sequences of a terminal.
const (
	reset   = "\x1b[0m"
	bold    = "\x1b[1m"
	dim     = "\x1b[2m"
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	blue    = "\x1b[34m"
	magenta = "\x1b[35m"
	cyan    = "\x1b[36m"
)

// transcript writes what happens, aligned to a width, with or without colour.
type transcript struct {
	out   io.Writer
	width int
	color bool
	err   error // the first failed write
}

func newTranscript(out io.Writer, width int, color bool) *transcript {
	return &transcript{out: out, width: max(width, minWidth), color: color}
}

func (t *transcript) print(line string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.out, strings.TrimRight(line, " ")+"\n")
	}
}

// paint wraps text in an escape sequence, if there is colour at all.
func (t *transcript) paint(sequence, text string) string {
	if !t.color || text == "" {
		return text
	}
	return sequence + text + reset
}

// heading begins a part of the transcript.
func (t *transcript) heading(title string) {
	rule := strings.Repeat("─", max(t.width-columns(title)-5, 0))
	t.print("")
	t.print(" " + t.paint(dim, "──") + " " + t.paint(bold, title) + " " + t.paint(dim, rule))
	t.print("")
}

// note prints words of the demo itself.
func (t *transcript) note(text string) {
	for _, line := range wrap(text, t.width-2) {
		t.print(" " + line)
	}
}

// entry is one line of the transcript: something said or done, and the call.
type entry struct {
	at    time.Time
	name  string
	color string
	text  string
	said  bool // a message, not an act
	call  string
}

func (t *transcript) entry(e entry) {
	width := t.width - indent - callWidth
	if width < textWidth {
		width = t.width - indent
	}
	body := e.text
	if !e.said {
		body = "· " + body
	}
	lines := wrap(body, width)
	for i, line := range lines {
		left := strings.Repeat(" ", indent)
		if i == 0 {
			left = " " + t.paint(dim, e.at.Format("15:04:05")) + "  " +
				t.paint(bold+e.color, fmt.Sprintf("%-*s", nameWidth, e.name)) + "  "
		}
		shown := line
		if !e.said {
			shown = t.paint(e.color, line)
		}
		if i < len(lines)-1 {
			t.print(left + shown)
			continue
		}
		gap := t.width - indent - columns(line) - columns(e.call)
		if gap < 2 { // no room beside the last line
			t.print(left + shown)
			left, shown = "", ""
			gap = t.width - columns(e.call)
		}
		t.print(left + shown + strings.Repeat(" ", max(gap, 0)) + t.paint(dim, e.call))
	}
}

// columns is how much room text takes on a terminal: Chinese characters take two
// columns.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if unicode.Is(unicode.Han, r) {
			n++
		}
	}
	return n
}

// wrap breaks text at blanks into lines of at most width columns. Longer words stay
// whole.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(text) {
		n := columns(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += n
	}
	return append(lines, line)
}
