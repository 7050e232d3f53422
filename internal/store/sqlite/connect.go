package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// applicationID marks a file as a Parley database: "PRLY".
	applicationID = 0x50524C59

	// oldestSQLite is the first version without a fault that can corrupt a
	// database in WAL mode.
	oldestSQLite = "3.51.3"
)

// What a connection is opened with. The driver applies pragmas in the order of
// their names, busy_timeout before all.
const (
	// busy_timeout: the folder is ours, but an operator may look in with a shell.
	commonParams = `_pragma=busy_timeout(5000)` +
		`&_pragma=temp_store(MEMORY)` + // sorting writes no files
		`&_pragma=wal_autocheckpoint(0)` // the checkpointer does it, beside the writer

	writerParams = commonParams +
		`&_txlock=immediate` +
		`&_pragma=journal_mode(WAL)` + // readers and the writer do not wait for each other
		`&_pragma=synchronous(FULL)` + // a commit is on the disk before it is answered
		`&_pragma=cache_size(-65536)` + // 64 MB: the pages that a million messages keep hot
		`&_pragma=foreign_keys(0)` // nothing refers by key: messages outlive accounts, and a check costs a look-up per row

	readerParams = commonParams +
		`&_pragma=cache_size(-16384)` +
		`&_pragma=query_only(1)`

	checkpointParams = commonParams +
		`&_pragma=synchronous(FULL)` // what was copied is synced before the log may begin anew

	// VACUUM INTO writes another file, which query_only takes for writing.
	backupParams = commonParams + `&mode=ro`

	// frozenParams open a file that nobody writes, without a log beside it.
	frozenParams = `mode=ro&immutable=1`
)

// connect opens a pool of at most size connections; none is made yet.
func connect(path, params string, size int) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", path, err)
	}
	// The driver cuts the name at a question mark and SQLite decodes the rest.
	name := (&url.URL{Path: filepath.ToSlash(absolute)}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+name+"?"+params)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// checkLibrary refuses a SQLite that is too old.
func checkLibrary(ctx context.Context, db *sql.DB) error {
	var version string
	if err := db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		return fmt.Errorf("read version of SQLite: %w", classify(err))
	}
	if older(version, oldestSQLite) {
		return fmt.Errorf("SQLite %s is older than %s", version, oldestSQLite)
	}
	return nil
}

// older compares dotted versions number by number.
func older(version, than string) bool {
	have, want := strings.Split(version, "."), strings.Split(than, ".")
	for i := range want {
		if i == len(have) {
			return true
		}
		h, err := strconv.Atoi(have[i])
		w, _ := strconv.Atoi(want[i])
		if err != nil || h != w {
			return err != nil || h < w
		}
	}
	return false
}
