package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"parley/internal/admin"
	"parley/internal/server"
)

type backupCommand struct {
	File string `arg:"" help:"File to write; it must not exist."`
	target
}

// Help is shown by kong.
func (*backupCommand) Help() string {
	return "The copy is consistent, also while the server runs: it is the database as it was at one moment. " +
		"It holds everything, public ids included. A running server writes the file itself, so its user must be able to. " +
		"PostgreSQL databases are saved with pg_dump."
}

// Run makes a copy and says how large it became.
func (cmd *backupCommand) Run(c *call) error {
	file, err := filepath.Abs(cmd.File)
	if err != nil {
		return fmt.Errorf("find the place of the copy: %w", err)
	}
	began := time.Now()
	err = cmd.with(c, false, func(client *admin.Client) error {
		defer c.progress("Copying", file)()
		return client.Backup(c, file)
	})
	if err != nil {
		return err
	}
	size := fileSize(file)
	if cmd.JSON {
		return writeJSON(c.Stdout, map[string]any{"file": file, "bytes": size})
	}
	_, err = fmt.Fprintf(c.Stdout, "Copied to %s: %s in %s\n", file, bytes(size), time.Since(began).Round(10*time.Millisecond))
	return err
}

type restoreCommand struct {
	File    string `arg:"" help:"A file that parley backup made."`
	Replace bool   `help:"Replace a database that is there; it is kept under another name."`
	target
}

// Help is shown by kong.
func (*restoreCommand) Help() string {
	return "Stop the server first. The file is checked before anything is changed, and copied, so it can be restored again."
}

// Run restores a backup.
func (cmd *restoreCommand) Run(c *call) error {
	if _, err := os.Stat(cmd.File); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s", cmd.File)
	}
	end := c.progress("Checking and copying", "")
	done, err := server.Restore(c, cmd.Place, cmd.File, cmd.Replace)
	end()
	if err != nil {
		return err
	}
	if cmd.JSON {
		return writeJSON(c.Stdout, map[string]string{"database": done.Database, "aside": done.Aside})
	}
	if done.Aside != "" {
		if _, err := fmt.Fprintf(c.Stdout, "The old database is kept as %s\n", done.Aside); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(c.Stdout, "Restored %s. Start the server with `parley serve`.\n", done.Database)
	return err
}

// progress shows on a terminal that a command is at work, until the returned
// function is called, which waits for the line to be cleared. file grows
// meanwhile, under its name or that of its unfinished part; "" is none.
func (c *call) progress(doing, file string) (end func()) {
	if !isTerminal(c.Stderr) {
		return func() {}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(ended)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				c.tell("\r\x1b[K")
				return
			case <-tick.C:
				line := fmt.Sprintf("%s, %d s", doing, int(time.Since(began).Seconds()))
				if file != "" {
					line += ", " + bytes(max(fileSize(file), fileSize(file+".part")))
				}
				c.tell("\r\x1b[K%s", line)
			}
		}
	}()
	return func() { close(quit); <-ended }
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0 // not there yet
	}
	return info.Size()
}
