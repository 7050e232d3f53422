package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// SendCommand holds the flags of `parley bench send`, as kong reads them.
type SendCommand struct {
	Engine        string        `enum:"sqlite,postgres" default:"sqlite" help:"Where messages are kept: sqlite or postgres."`
	PostgresURL   string        `placeholder:"URL" help:"PostgreSQL database whose user may create others; two are made beside it."`
	Connections   int           `default:"64" help:"Connections, each with a sender of its own and one send in flight."`
	Conversations int           `default:"1000" help:"Conversations; each send goes to one chosen at random."`
	Work          string        `enum:"channel,dm,both" default:"channel" help:"Where sends go: channel, dm or both."`
	AI            bool          `name:"ai" help:"Measure sends through /ai as well, unsigned and signed; takes --work dm."`
	Rows          int           `default:"1000000" help:"Messages stored before measuring."`
	Duration      time.Duration `default:"3s" help:"Length of one measured slice."`
	WarmUp        time.Duration `default:"500ms" help:"Time before each slice that is not measured."`
	Repetitions   int           `default:"3" help:"Slices of the server and of each floor, in turn."`
	Keep          string        `placeholder:"FOLDER" help:"Leave the databases in this folder, or use those left there."`
	Profile       string        `placeholder:"FILE" help:"Write a CPU profile of the server, and one of its allocations to FILE.allocs."`
	JSON          bool          `name:"json" help:"Print JSON, for scripts."`
}

// Run measures and prints to out; progress goes to log. The children are this
// executable, called with `bench child`.
func (c *SendCommand) Run(ctx context.Context, out, log io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the executable for the children: %w", err)
	}
	report, err := Send(ctx, Options{
		Engine: c.Engine, PostgresURL: c.PostgresURL, Connections: c.Connections, Conversations: c.Conversations,
		Rows: c.Rows, Duration: c.Duration, WarmUp: c.WarmUp, Repetitions: c.Repetitions, Work: c.Work, AI: c.AI,
		Keep: c.Keep, Profile: c.Profile, Child: []string{self, "bench", "child"}, Log: log,
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return report.WriteJSON(out)
	}
	return report.WriteText(out)
}
