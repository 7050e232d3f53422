package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"parley/internal/admin"
	"parley/internal/config"
	"parley/internal/server"
)

// target is what every command that works on the data of a server takes.
type target struct {
	config.Place `embed:""`

	JSON bool `name:"json" help:"Print JSON, for scripts."`
}

// with calls do with a client of the running server, or else of the data itself,
// which nobody else can use meanwhile. create makes the data folder if there is
// none.
func (t *target) with(c *call, create bool, do func(*admin.Client) error) error {
	client, err := admin.Dial(c, server.SocketPath(t.Data))
	if err == nil {
		return do(client)
	}
	if !errors.Is(err, admin.ErrNoServer) {
		return err
	}
	if _, err := os.Stat(t.Data); create && errors.Is(err, os.ErrNotExist) {
		c.tell("parley: making the data folder %s\n", t.Data)
	}
	backend, err := server.OpenBackend(c, server.BackendConfig{
		Place: t.Place, Log: newLogger(c.Stderr, config.LogText, slog.LevelWarn), Purpose: c.name, Create: create,
	})
	if err != nil {
		return err
	}
	err = do(admin.NewClient(admin.Local(backend.Admin())))
	return errors.Join(err, backend.Close())
}

// show prints one account, or v as JSON.
func (t *target) show(c *call, a admin.Account, v any) error {
	if t.JSON {
		return writeJSON(c.Stdout, v)
	}
	list := newTable(c.Stdout)
	for _, row := range [][2]string{
		{"username", orDash(a.Username)},
		{"id", a.ID},
		{"handle", orDash(a.Handle)},
		{"kind", a.Kind},
		{"state", state(a)},
		{"guard", onOff(a.Guarded)},
		{"address", orDash(a.Address)},
		{"display name", orDash(a.DisplayName)},
		{"made through", a.MadeBy},
		{"created", day(a.CreatedAt)},
	} {
		list.row(row[0], row[1])
	}
	return list.flush()
}

// state sums up the three switches of an account.
func state(a admin.Account) string {
	s := a.State
	if a.Disabled {
		s += ", disabled by its owner"
	}
	if a.Paused {
		s += ", paused by its owner"
	}
	return s
}

// done says what was done to an account, or prints it as JSON.
func (t *target) done(c *call, a admin.Account, what string) error {
	if t.JSON {
		return writeJSON(c.Stdout, a)
	}
	_, err := fmt.Fprintf(c.Stdout, "%s %s (%s)\n", what, clean(a.Username), a.ID)
	return err
}
