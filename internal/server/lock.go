package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"parley/internal/store"
)

// folderLock is the right of one process to use a data folder. The system takes
// it back when the process ends, however it ends.
type folderLock struct{ file *os.File }

// lockFolder takes the lock of a data folder: store.ErrInUse, with the name of
// the holder, if another process has it. The file names the holder and what it
// does; it stays when the lock is released, because removing it would let two
// processes lock two files of the same name.
func lockFolder(folder, purpose string) (*folderLock, error) {
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &inUseError{folder, holder(file)}
		}
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	note := strconv.Itoa(os.Getpid()) + "\nparley " + purpose + "\n"
	if err := errors.Join(file.Truncate(0), writeAt(file, note)); err != nil {
		return nil, errors.Join(fmt.Errorf("note who holds the data folder: %w", err), file.Close())
	}
	return &folderLock{file}, nil
}

// inUseError says who has the folder. It is store.ErrInUse.
type inUseError struct{ folder, holder string }

func (e *inUseError) Error() string {
	return fmt.Sprintf("the data folder %s is in use %s: end that first, or name another folder with --data", e.folder, e.holder)
}

func (*inUseError) Unwrap() error { return store.ErrInUse }

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

// holder reads who has the lock. The file may be empty for a moment.
func holder(file *os.File) string {
	text := make([]byte, 200)
	n, _ := file.ReadAt(text, 0)
	pid, purpose, ok := strings.Cut(strings.TrimSpace(string(text[:n])), "\n")
	if !ok {
		return "by a process that is just starting or stopping"
	}
	return "by " + purpose + ", process " + pid
}

// release gives the lock back.
func (l *folderLock) release() error { return l.file.Close() }

// prepareFolder makes sure that the data folder is there, and makes it for its
// owner alone if create is set.
func prepareFolder(folder string, create bool) error {
	info, err := os.Stat(folder)
	switch {
	case err == nil && !info.IsDir():
		return fmt.Errorf("--data: %s is no folder", folder)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--data: %w", err)
	case !create:
		return fmt.Errorf("--data: there is no folder %s: name the folder of the server, or start one with `parley serve`", folder)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	return nil
}
