package cli

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"parley/internal/signing"
)

// maxKeyFile bounds what is read of a file with a key, which may be named by mistake.
const maxKeyFile = 64 << 10

// keyFile is a file to be made.
type keyFile struct {
	name    string
	content []byte
	mode    fs.FileMode
}

// writeNew makes files, all or none, and never in the place of one that is there.
func writeNew(files []keyFile) error {
	for i, f := range files {
		if err := f.write(); err != nil {
			for _, made := range files[:i] {
				err = errors.Join(err, os.Remove(made.name))
			}
			return err
		}
	}
	return nil
}

func (f *keyFile) write() error {
	out, err := os.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is left as it is: choose another name", f.name)
	}
	if err != nil {
		return err
	}
	_, err = out.Write(f.content)
	if err = errors.Join(err, out.Close()); err != nil {
		err = errors.Join(err, os.Remove(f.name))
	}
	return err
}

// readPrivate reads a private key.
func readPrivate(name string) (*ecdsa.PrivateKey, error) {
	text, err := readKey(name)
	if err != nil {
		return nil, err
	}
	key, err := signing.ParsePrivateKey(text)
	switch {
	case errors.Is(err, signing.ErrEncrypted):
		return nil, fmt.Errorf("the private key in %s is protected by a password: `openssl pkey -in %[1]s -out FILE` "+
			"makes a copy without", name)
	case err != nil:
		return nil, fmt.Errorf("there is no P-256 private key in %s: `parley key new FILE` makes one", name)
	}
	return key, nil
}

// readPublic reads a public key as strictly as a server does.
func readPublic(name string) (*ecdsa.PublicKey, error) {
	text, err := readKey(name)
	if err != nil {
		return nil, err
	}
	key, _, err := signing.ParsePublicKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("there is no P-256 public key in %s: one is a single block of PEM, PUBLIC KEY, "+
			"as `parley key show` prints it of a private key", name)
	}
	return key, nil
}

func readKey(name string) ([]byte, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s", name)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}
