package cli

import (
	"fmt"

	"parley/internal/config"
)

type configCommands struct {
	Check configCheckCommand `cmd:"" help:"Check all options without starting, and show what is in effect."`
}

type configCheckCommand struct {
	config.Config `embed:""`

	JSON bool `name:"json" help:"Print JSON, for scripts."`
}

// Help is shown by kong.
func (*configCheckCommand) Help() string {
	return "Takes the same options as `parley serve`, from the same sources, and says where each value came from. " +
		"Passwords are masked. A bad option ends it with its name."
}

// Run shows the settings: reading them was the check.
func (cmd *configCheckCommand) Run(c *call) error {
	if cmd.JSON {
		return writeJSON(c.Stdout, struct {
			Valid    bool             `json:"valid"`
			Settings []config.Setting `json:"settings"`
		}{true, c.settings})
	}
	t := newTable(c.Stdout, "OPTION", "VALUE", "FROM")
	for _, s := range c.settings {
		t.row(s.Name, orDash(s.Value), string(s.Source))
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.Stdout, "\nThe configuration is valid.")
	return err
}
