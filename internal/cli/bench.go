package cli

import "parley/internal/bench"

type benchCommand struct {
	Send  benchSendCommand  `cmd:"" help:"Measure durable sends over HTTP, beside two floors."`
	Child benchChildCommand `cmd:"" hidden:"" help:"What the measurement starts for each thing it measures."`
}

type benchSendCommand struct {
	bench.SendCommand `embed:""`
}

// Run measures; progress goes to standard error.
func (cmd *benchSendCommand) Run(c *call) error {
	return cmd.SendCommand.Run(c.Context, c.Stdout, c.Stderr)
}

type benchChildCommand struct{}

// Run serves the measuring process at the other end of standard input.
func (cmd *benchChildCommand) Run(c *call) error {
	return bench.ServeChild(c.Context, c.Stdin, c.Stdout)
}
