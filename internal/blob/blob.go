// Package blob keeps attachments and avatars in a local folder.
//
// It knows keys and bytes. Whose they are, how they are called and who may have
// them stands in the database and is decided elsewhere; a link signed by Store
// is how that decision travels to the request that moves the bytes. Avatars are
// made from what users upload by an Imager.
//
// # On disk
//
//	objects/4f3/4f3a...   the bytes of one key, named by the SHA-256 of the key
//	unfinished/...        what is still being written
//
// Naming by hash keeps folders small and files apart whatever the keys look
// like, on file systems too that take a and A for the same. Everything goes
// through an os.Root, so nothing outside the folder is reached even if somebody
// plants a symbolic link in it.
//
// # Invariants
//
//   - A blob is there with all its bytes or not at all, also after a crash: it
//     is written and synced under another name and then linked to its own.
//   - A blob never changes. The link fails if the name is taken, so of several
//     Puts of one key exactly one wins, without any lock.
//   - One process uses a folder at a time; the caller sees to that. Open removes
//     what a crash left unfinished.
package blob

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// Errors of this package, found with errors.Is. Any other error of a Store means
// that the storage does not work.
var (
	ErrKey      = errors.New("malformed key")
	ErrNotFound = errors.New("no such blob")
	ErrExists   = errors.New("the blob is there already")
	ErrTooLarge = errors.New("too many bytes")
	ErrSize     = errors.New("too few bytes")
	ErrChecksum = errors.New("the bytes do not have the announced checksum")
	// ErrRead means that the reader given to Put failed, not the storage.
	ErrRead = errors.New("the bytes could not be read")
)

const (
	objects    = "objects"
	unfinished = "unfinished"

	maxKey   = 512 // bytes
	shardLen = 3   // hex digits: 4,096 folders
)

// Info describes a blob.
type Info struct {
	Size     int64     // bytes
	Modified time.Time // when it was put
}

// Store is a folder of blobs. It is safe for concurrent use; Close ends it.
type Store struct {
	root *os.Root
	key  [32]byte // signs links
}

// Open opens the store in a folder, which is made if need be, for its owner
// alone. The signing key makes links valid; with another key all links handed
// out are void.
func Open(dir string, signingKey [32]byte) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for blobs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder for blobs: %w", err)
	}
	s := &Store{root: root, key: signingKey}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

// prepare removes what a crash left and makes the folders.
func (s *Store) prepare() error {
	if err := s.root.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove unfinished blobs: %w", err)
	}
	for _, folder := range []string{unfinished, objects} {
		if err := s.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make a folder for blobs: %w", err)
		}
	}
	if err := s.sync("."); err != nil {
		return fmt.Errorf("make the folders for blobs durable: %w", err)
	}
	return nil
}

// Close releases the folder. What Get returned stays readable.
func (s *Store) Close() error { return s.root.Close() }

// CheckKey tells whether a key is well-formed: segments of A-Z, a-z, 0-9, dot,
// underscore and hyphen, separated by slashes, none of them empty, "." or "..",
// 512 bytes at most. Anything else is ErrKey.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("%w: %d bytes", ErrKey, len(key))
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, strange) {
			return fmt.Errorf("%w: segment %q", ErrKey, segment)
		}
	}
	return nil
}

// strange tells characters that no key has.
func strange(r rune) bool {
	switch {
	case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
		return false
	}
	return true
}

// place is where the bytes of a key are.
func place(key string) (string, error) {
	if err := CheckKey(key); err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(hash[:])
	return path.Join(objects, name[:shardLen], name), nil
}

// newUnfinished is a name that no other Put has.
func newUnfinished() string { return path.Join(unfinished, rand.Text()) }

// sync makes the names in a folder durable.
func (s *Store) sync(folder string) error {
	f, err := s.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
