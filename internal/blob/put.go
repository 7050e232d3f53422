package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// Want is what the bytes given to Put must be. The zero value takes anything.
type Want struct {
	Size   int64              // exactly so many bytes; 0 does not say
	SHA256 *[sha256.Size]byte // nil does not say
	Max    int64              // at most so many bytes; 0 does not say
}

// limit is how many bytes are read at most; negative is no limit.
func (w Want) limit() int64 {
	switch {
	case w.Size <= 0 && w.Max <= 0:
		return -1
	case w.Size <= 0:
		return w.Max
	case w.Max <= 0:
		return w.Size
	default:
		return min(w.Size, w.Max)
	}
}

// Put stores the bytes of r under a key, if they are what is wanted, and returns
// when they are durable. Nothing is left of a Put that fails.
//
// Errors: ErrKey; ErrExists if the key has a blob, or another Put of the key was
// faster; ErrTooLarge for more bytes than Size or Max, found out before more are
// stored; ErrSize for fewer than Size; ErrChecksum; ErrRead with the error of r;
// the error of ctx, which is looked at between reads but does not interrupt one.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, want Want) (Info, error) {
	name, err := place(key)
	if err != nil {
		return Info{}, err
	}
	// Only the link below decides; this spares receiving what is there.
	if _, err := s.root.Lstat(name); err == nil {
		return Info{}, ErrExists
	}
	temp := newUnfinished()
	defer func() { _ = s.root.Remove(temp) }() // Open removes it if this cannot
	info, err := s.receive(ctx, temp, r, want)
	if err != nil {
		return Info{}, err
	}
	if err := s.publish(temp, name); err != nil {
		return Info{}, err
	}
	return info, nil
}

// receive writes a file and checks it.
func (s *Store) receive(ctx context.Context, name string, r io.Reader, want Want) (Info, error) {
	file, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Info{}, fmt.Errorf("begin a blob: %w", err)
	}
	defer file.Close() // once more than needed where all goes well

	if err := write(ctx, file, r, want); err != nil {
		return Info{}, err
	}
	if err := file.Sync(); err != nil {
		return Info{}, fmt.Errorf("make a blob durable: %w", err)
	}
	stat, err := file.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("look at a blob: %w", err)
	}
	if err := file.Close(); err != nil {
		return Info{}, fmt.Errorf("finish a blob: %w", err)
	}
	return Info{Size: stat.Size(), Modified: stat.ModTime()}, nil
}

// write copies r to w and checks what passes.
func write(ctx context.Context, w io.Writer, r io.Reader, want Want) error {
	limit := want.limit()
	source := io.Reader(&guarded{ctx: ctx, r: r})
	if limit >= 0 {
		source = io.LimitReader(source, limit+1) // one more tells that there are more
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), source)
	switch {
	case err != nil:
		return fmt.Errorf("receive a blob: %w", err)
	case limit >= 0 && n > limit:
		return fmt.Errorf("%w: more than %d", ErrTooLarge, limit)
	case want.Size > 0 && n < want.Size:
		return fmt.Errorf("%w: %d of %d", ErrSize, n, want.Size)
	case want.SHA256 != nil && !bytes.Equal(hash.Sum(nil), want.SHA256[:]):
		return ErrChecksum
	}
	// A Put given up during the last read was given up all the same.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("receive a blob: %w", err)
	}
	return nil
}

// guarded stops at the end of a context and marks the errors of its reader. The
// context lives as long as one Put.
type guarded struct {
	ctx context.Context
	r   io.Reader
}

func (g *guarded) Read(p []byte) (int, error) {
	if err := g.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := g.r.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a wrapped EOF is no end of a stream
		err = fmt.Errorf("%w: %w", ErrRead, err)
	}
	return n, err
}

// publish gives a finished file its name, unless another has it.
func (s *Store) publish(temp, name string) error {
	shard := path.Dir(name)
	if err := s.root.Mkdir(shard, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a folder of blobs: %w", err)
	}
	// Also if it was there: a Put that has just made it may not have come to
	// this yet. For a folder that has not changed it costs next to nothing.
	if err := s.sync(objects); err != nil {
		return fmt.Errorf("make a folder of blobs durable: %w", err)
	}
	// Unlike a rename, a link never replaces what is there.
	if err := s.root.Link(temp, name); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return ErrExists
		}
		return fmt.Errorf("publish a blob: %w", err)
	}
	if err := s.sync(shard); err != nil {
		// Whether it would survive a crash is unknown, so it must not stay.
		return errors.Join(fmt.Errorf("make a blob durable: %w", err), s.root.Remove(name))
	}
	return nil
}
