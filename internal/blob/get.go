package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Get opens the blob of a key; the caller closes it. It may be deleted meanwhile
// and stays readable until closed. Errors: ErrKey, ErrNotFound, the error of ctx.
func (s *Store) Get(ctx context.Context, key string) (io.ReadSeekCloser, Info, error) {
	name, err := place(key)
	if err != nil {
		return nil, Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return nil, Info{}, fmt.Errorf("open a blob: %w", err)
	}
	file, err := s.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Info{}, ErrNotFound
	}
	if err != nil {
		return nil, Info{}, fmt.Errorf("open a blob: %w", err)
	}
	stat, err := file.Stat()
	if err != nil {
		return nil, Info{}, errors.Join(fmt.Errorf("look at a blob: %w", err), file.Close())
	}
	return file, Info{Size: stat.Size(), Modified: stat.ModTime()}, nil
}

// Delete removes the blob of a key, for good when it returns. No blob is no
// error. The key may be put again. Errors: ErrKey, the error of ctx.
func (s *Store) Delete(ctx context.Context, key string) error {
	name, err := place(key)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete a blob: %w", err)
	}
	err = s.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete a blob: %w", err)
	}
	if err := s.sync(path.Dir(name)); err != nil {
		return fmt.Errorf("make a deletion durable: %w", err)
	}
	return nil
}
