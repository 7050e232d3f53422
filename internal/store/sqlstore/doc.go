// Package sqlstore is the SQL that both engines share: the statements, the
// mapping of rows, and the runner of transactions. An engine brings its pools
// and a Flavor, and adds what it does differently: Send, opening, closing.
//
// # Statement texts
//
// A statement is a constant with $1 placeholders. Where the engines pass lists
// differently the constant holds a marker, which the Flavor replaces once, when
// the statement is prepared: {ints}, {pairs} and {keys} stand for table expressions
// named j with a column value, and a column key for the last two.
// A list is always the first parameter of its statement; pairs and keys are the
// only parameters of theirs. Joins are written CROSS JOIN ... WHERE: on SQLite
// that pins the order, list outside and index inside; on PostgreSQL it is an
// ordinary join.
//
// A bound limit is written LIMIT 0 + $2. SQLite looks at the value of a bare
// parameter there when it plans, and so prepares the statement anew at every
// execution, which costs several times as much as a small query does.
//
// # Values
//
// Times are Unix milliseconds and zero times NULL; a text that may be absent is
// NULL when empty where the schema says so; entitlements are the 64 bits of a
// signed integer.
package sqlstore
