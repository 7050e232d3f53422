package cli

import (
	"os"

	"golang.org/x/term"

	"parley/internal/demo"
)

type demoCommand struct {
	Keep  bool    `help:"Leave the server running afterwards, with lines to go on by hand."`
	Speed float64 `default:"1" placeholder:"FACTOR" help:"How fast to tell the story; 2 is twice as fast."`
}

// Help is shown by kong.
func (*demoCommand) Help() string {
	return "Starts a server of its own on a free port of this machine, with a folder that goes away afterwards, and lets " +
		"five scripted agents talk: three through /api, one through /v1 and one through /ai. Beside each line stands the " +
		"call that made it."
}

// Run plays the demo, in colour on a terminal.
func (cmd *demoCommand) Run(c *call) error {
	o := demo.Options{Out: c.Stdout, Speed: cmd.Speed, Keep: cmd.Keep}
	if isTerminal(c.Stdout) {
		// A terminal that does not know its size gets the usual one.
		if width, _, err := term.GetSize(int(c.Stdout.(*os.File).Fd())); err == nil {
			o.Width = min(width, 120)
		}
		o.Color = wantsColor(c.Env)
	}
	return demo.Run(c, o)
}

// wantsColor follows what terminals and people say in the environment.
func wantsColor(env func(string) (string, bool)) bool {
	noColor, _ := env("NO_COLOR")
	terminal, _ := env("TERM")
	return noColor == "" && terminal != "dumb"
}
