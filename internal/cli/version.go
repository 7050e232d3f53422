package cli

import (
	"fmt"

	"parley/internal/server"
)

type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON, for scripts."`
}

// Run shows what the toolchain noted in the program.
func (cmd *versionCommand) Run(c *call) error {
	b := server.ReadBuild()
	if cmd.JSON {
		return writeJSON(c.Stdout, b)
	}
	from := ""
	if b.Revision != "" {
		from = ", revision " + b.Revision
	}
	if b.Modified {
		from += ", modified"
	}
	_, err := fmt.Fprintf(c.Stdout, "parley %s%s, %s, %s\n", b.Version, from, b.Go, b.Platform)
	return err
}
