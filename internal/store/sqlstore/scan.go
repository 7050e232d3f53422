package sqlstore

import (
	"fmt"
	"time"
)

// Row is one row to scan, such as *sql.Rows or pgx.Rows.
type Row interface {
	Scan(dest ...any) error
}

// The scanners below take the place of the conversions that database/sql would
// find by reflection for our named types, on every column of every row, and read
// NULL as the zero value.
type (
	number int64     // ids and counts
	small  uint8     // kinds and states
	bits   uint64    // entitlements
	word   uint32    // sets of events
	flag   bool      // a boolean that may be absent
	text   string    // a text that may be absent
	millis time.Time // Unix milliseconds, read as UTC
)

// Scan implements sql.Scanner.
func (n *number) Scan(src any) error {
	v, err := integer(src)
	*n = number(v)
	return err
}

// Scan implements sql.Scanner.
func (s *small) Scan(src any) error {
	v, err := integer(src)
	*s = small(v)
	return err
}

// Scan implements sql.Scanner.
func (b *bits) Scan(src any) error {
	v, err := integer(src)
	*b = bits(v)
	return err
}

// Scan implements sql.Scanner.
func (w *word) Scan(src any) error {
	v, err := integer(src)
	*w = word(v)
	return err
}

// Scan implements sql.Scanner.
func (f *flag) Scan(src any) error {
	if v, ok := src.(bool); ok {
		*f = flag(v)
		return nil
	}
	v, err := integer(src)
	*f = v != 0
	return err
}

// Scan implements sql.Scanner.
func (t *text) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*t = text(v)
	case []byte:
		*t = text(v)
	case nil:
		*t = ""
	default:
		return fmt.Errorf("text stored as %T", src)
	}
	return nil
}

// Scan implements sql.Scanner.
func (m *millis) Scan(src any) error {
	if src == nil {
		*m = millis{}
		return nil
	}
	v, err := integer(src)
	*m = millis(time.UnixMilli(v).UTC())
	return err
}

func integer(src any) (int64, error) {
	switch v := src.(type) {
	case int64:
		return v, nil
	case nil:
		return 0, nil
	}
	return 0, fmt.Errorf("number stored as %T", src)
}

// Millis is the stored form of a time: Unix milliseconds, NULL for the zero time.
func Millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// NullText is the stored form of a text that may be absent: NULL if empty.
func NullText[T ~string | ~[]byte](s T) any {
	if len(s) == 0 {
		return nil
	}
	return string(s)
}

// NullID is the stored form of an id that may be absent: NULL if zero.
func NullID[T ~int64](id T) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

// ceilMillis is the first stored time that is not before t: comparing with it is
// comparing with t at full precision.
func ceilMillis(t time.Time) int64 {
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Before(t) {
		ms++
	}
	return ms
}

// numbers returns ids as plain numbers.
func numbers[T ~int64](ids []T) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	return out
}
