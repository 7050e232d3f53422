package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// newFlavor says what SQLite does its own way. Lists travel as JSON: a list of
// values is an array; a list of pairs is an object whose names are the first
// halves, repeated if need be, which json_each hands out as columns. An array of
// arrays would be parsed again for every half that is taken out of it.
func newFlavor() *sqlstore.Flavor {
	return &sqlstore.Flavor{
		IntsTable:  `json_each($1) AS j`,
		PairsTable: `json_each($1) AS j`,
		KeysTable:  `json_each($1) AS j`,
		Ints:       func(values []int64) any { return jsonInts(values) },
		Pairs:      func(keys, values []int64) []any { return []any{jsonPairs(keys, values)} },
		Keys:       func(keys []string, values []int64) []any { return []any{jsonKeys(keys, values)} },

		DrawIDs:      `UPDATE counters SET value = value + $1 WHERE name = 'ids' RETURNING value`,
		LastPosition: `SELECT value FROM counters WHERE name = 'ids'`,

		View:     &sql.TxOptions{ReadOnly: true},
		Classify: classify,
	}
}

func jsonInts(values []int64) string {
	b := make([]byte, 0, 2+12*len(values))
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, v, 10)
	}
	return string(append(b, ']'))
}

func jsonPairs(keys, values []int64) string {
	b := make([]byte, 0, 2+24*len(values))
	b = append(b, '{')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = strconv.AppendInt(b, keys[i], 10)
		b = append(b, `":`...)
		b = strconv.AppendInt(b, v, 10)
	}
	return string(append(b, '}'))
}

func jsonKeys(keys []string, values []int64) string {
	b := make([]byte, 0, 2+48*len(values))
	b = append(b, '{')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, keys[i]), ':')
		b = strconv.AppendInt(b, v, 10)
	}
	return string(append(b, '}'))
}

// appendJSON appends a text as JSON. Client ids are nearly always plain.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("a string without JSON form: " + err.Error())
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// classify names what an error of the driver means. SQLite tells which unique key
// was hit only by naming its columns in the message.
func classify(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_ROWID:
		return fmt.Errorf("%w (%w)", taken(e.Error()), err)
	case codes.SQLITE_BUSY:
		return fmt.Errorf("%w (%w)", store.ErrInUse, err)
	}
	return err
}

func taken(message string) error {
	switch {
	case strings.Contains(message, "accounts.login_address"):
		return store.ErrLoginTaken
	case strings.Contains(message, "accounts.name_key"):
		return store.ErrNameTaken
	case strings.Contains(message, "accounts.handle"):
		return store.ErrHandleTaken
	}
	return store.ErrConflict
}
