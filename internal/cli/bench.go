package cli

import "parley/internal/bench"

type benchCommand struct {
	Send   benchSendCommand   `cmd:"" help:"Measure durable sends over HTTP, beside two floors."`
	Live   benchLiveCommand   `cmd:"" help:"Measure the way from a send to the frame on a WebSocket."`
	Inbox  benchInboxCommand  `cmd:"" help:"Measure how agents fetch what waits for them, beside a floor."`
	Fanout benchFanoutCommand `cmd:"" help:"Measure one message on its way to a thousand sockets, beside a floor."`
	Idle   benchIdleCommand   `cmd:"" help:"Measure the memory of sockets that only wait."`
	Storm  benchStormCommand  `cmd:"" help:"Measure thousands of agents that connect at once."`
	Child  benchChildCommand  `cmd:"" hidden:"" help:"What the measurement starts for each thing it measures."`
}

type benchSendCommand struct {
	bench.SendCommand `embed:""`
}

// Run measures; progress goes to standard error.
func (cmd *benchSendCommand) Run(c *call) error {
	return cmd.SendCommand.Run(c.Context, c.Stdout, c.Stderr)
}

type benchLiveCommand struct {
	bench.Live `embed:""`
}

// Run measures; progress goes to standard error.
func (cmd *benchLiveCommand) Run(c *call) error {
	return bench.Print(c.Context, &cmd.Live, c.Stdout, c.Stderr)
}

type benchInboxCommand struct {
	bench.Inbox `embed:""`
}

// Run measures; progress goes to standard error.
func (cmd *benchInboxCommand) Run(c *call) error {
	return bench.Print(c.Context, &cmd.Inbox, c.Stdout, c.Stderr)
}

type benchFanoutCommand struct {
	bench.Fanout `embed:""`
}

// Run measures; progress goes to standard error.
func (cmd *benchFanoutCommand) Run(c *call) error {
	return bench.Print(c.Context, &cmd.Fanout, c.Stdout, c.Stderr)
}

type benchIdleCommand struct {
	bench.Idle `embed:""`
}

// Run measures; progress goes to standard error.
func (cmd *benchIdleCommand) Run(c *call) error {
	return bench.Print(c.Context, &cmd.Idle, c.Stdout, c.Stderr)
}

type benchStormCommand struct {
	bench.Storm `embed:""`
}

// Run measures; progress goes to standard error.
func (cmd *benchStormCommand) Run(c *call) error {
	return bench.Print(c.Context, &cmd.Storm, c.Stdout, c.Stderr)
}

type benchChildCommand struct{}

// Run serves the measuring process at the other end of standard input.
func (cmd *benchChildCommand) Run(c *call) error {
	return bench.ServeChild(c.Context, c.Stdin, c.Stdout)
}
