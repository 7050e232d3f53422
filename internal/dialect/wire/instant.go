package wire

import (
	"strings"
	"time"
)

// instantForm is how times are shown: UTC with milliseconds (OC 2, AC 2.5).
const instantForm = "2006-01-02T15:04:05.000Z"

// Instant shows a time.
func Instant(t time.Time) string { return t.UTC().Format(instantForm) }

// InstantOrNull is Instant for times that may not have come yet.
func InstantOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := Instant(t)
	return &s
}

// ParseInstant reads an RFC 3339 date-time with up to nine fractional digits. A
// blank where the sign of the offset belongs is a plus that was not escaped in a
// query (OC 9.5). time.Parse would also take commas, one-digit hours and
// fractions of any length.
func ParseInstant(s string) (time.Time, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(s) <= len(shape) || !shaped(s[:len(shape)], shape) {
		return time.Time{}, false
	}
	var (
		year, month, day     = number(s[0:4]), number(s[5:7]), number(s[8:10])
		hour, minute, second = number(s[11:13]), number(s[14:16]), number(s[17:19])
	)
	nanos, zone, ok := fraction(s[len(shape):])
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	offset, ok := zoneOffset(zone)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)
	if t.Day() != day || t.Month() != time.Month(month) { // the 31st of June, month 13
		return time.Time{}, false
	}
	return t.Add(-offset), true
}

// shaped tells whether s has digits where shape has zeros, and else the letters
// of shape in either case.
func shaped(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case shape[i] == '0':
			if c < '0' || c > '9' {
				return false
			}
		case c != shape[i] && (c != 't' || shape[i] != 'T'):
			return false
		}
	}
	return true
}

// number reads digits that are known to be some.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// fraction reads a dot and one to nine digits, if there is a dot, and returns
// what follows.
func fraction(s string) (nanos int, rest string, ok bool) {
	if s[0] != '.' {
		return 0, s, true
	}
	rest = strings.TrimLeft(s[1:], "0123456789")
	digits := s[1 : len(s)-len(rest)]
	if digits == "" || len(digits) > 9 {
		return 0, "", false
	}
	return number((digits + "00000000")[:9]), rest, true
}

// zoneOffset reads Z or an offset of hours and minutes.
func zoneOffset(s string) (time.Duration, bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+00:00") || !shaped(s[1:], "00:00") {
		return 0, false
	}
	hours, minutes := number(s[1:3]), number(s[4:6])
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	switch s[0] {
	case '+', ' ':
		return offset, true
	case '-':
		return -offset, true
	}
	return 0, false
}
