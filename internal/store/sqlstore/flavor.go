package sqlstore

import (
	"database/sql"
	"strings"
)

// Flavor is what the engines say differently. It is filled by an engine and
// never changes afterwards.
type Flavor struct {
	// Table expressions that stand for the list parameter $1 (pairs and keys
	// may take $2 as well), see the package comment.
	IntsTable  string
	PairsTable string
	KeysTable  string

	// How the lists are bound.
	Ints  func(values []int64) any
	Pairs func(keys, values []int64) []any
	Keys  func(keys []string, values []int64) []any

	// Lock, unless empty, is the statement that opens every Update: it returns
	// when this transaction is next in the write order.
	Lock string
	// DrawIDs draws $1 ids and returns the last one.
	DrawIDs string
	// LastPosition returns the highest position that a snapshot may rely on:
	// everything committed later lies above it.
	LastPosition string

	// View and Update are how the two kinds of transaction begin.
	View, Update *sql.TxOptions

	// Classify turns an error of the driver into the sentinel it means, wrapped,
	// and returns every other error, nil included, as it is.
	Classify func(error) error
}

// Rewrite puts the engine's own table expressions into a statement text.
func (f *Flavor) Rewrite(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return strings.NewReplacer(
		"{ints}", f.IntsTable, "{pairs}", f.PairsTable, "{keys}", f.KeysTable,
	).Replace(text)
}
