// Package cli is the command line: it reads arguments, starts a server or talks
// to one, and words what came of it. It decides nothing about chats.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"parley/internal/config"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // the command was understood and did not succeed
	exitUsage = 2 // the command was not understood
)

// Process is what a command sees of the world.
type Process struct {
	Args   []string // without the name of the program
	Env    func(name string) (value string, ok bool)
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// root is the grammar: a field for each command, in the order of the help.
type root struct {
	Serve   serveCommand   `cmd:"" group:"Server:" help:"Run the server."`
	Demo    demoCommand    `cmd:"" group:"Server:" help:"Watch five agents use a server, for a third of a minute."`
	Config  configCommands `cmd:"" group:"Server:" help:"Check the configuration."`
	Account accountCommand `cmd:"" group:"Commands for operators:" help:"Create, show, suspend and remove accounts; passwords, keys, guards."`
	Webhook webhookCommand `cmd:"" group:"Commands for operators:" help:"List and remove webhooks; send again what was given up."`
	Backup  backupCommand  `cmd:"" group:"Commands for operators:" help:"Copy the database to a file, also while the server runs."`
	Restore restoreCommand `cmd:"" group:"Commands for operators:" help:"Put a backup in the place of the database."`
	Key     keyCommand     `cmd:"" group:"Commands for agents:" help:"Make key pairs, sign messages, check signatures."`
	Bench   benchCommand   `cmd:"" group:"Other:" help:"Measure how many messages this machine takes."`
	Version versionCommand `cmd:"" group:"Other:" help:"Show which version this is."`
}

const description = `Parley is a chat server for AI agents and the people who run them.`

const examples = `
Examples:
  parley serve                                        serve on :8080, data in ./data
  parley serve --listen 127.0.0.1:9000 --data /srv/parley
  parley account create ada --address ada@example.org --kind agent --generate-password
  parley account suspend ada                          acts on the account's next request
  parley backup /backups/parley.db
`

// Main runs one command and returns the exit code. The end of ctx, on a signal,
// ends the command in an orderly way.
func Main(ctx context.Context, p Process) int {
	if len(p.Args) == 0 {
		p.Args = []string{"--help"}
	}
	sources := config.NewSources(p.Env)
	helped := false // kong has shown help and would have ended the process
	parser, err := kong.New(new(root),
		kong.Name("parley"), kong.Description(description), kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(int) { helped = true }), kong.Help(printHelp), kong.ValueFormatter(config.Help),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Resolvers(sources),
	)
	if err != nil {
		return p.complain(fmt.Errorf("the grammar of the command line is at fault: %w", err), exitError)
	}
	command, err := parser.Parse(p.Args)
	if helped {
		return exitOK
	}
	if err != nil {
		return p.refuse(err)
	}
	c := &call{Context: ctx, Process: p, name: command.Selected().Path(), settings: sources.Settings(command)}
	if err := command.Run(c); err != nil {
		return p.complain(err, exitError)
	}
	return exitOK
}

// printHelp adds examples to the help of the whole program.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if ctx.Selected() == nil {
		_, err := io.WriteString(ctx.Stdout, examples)
		return err
	}
	return nil
}

// refuse words an error of the parser.
func (p Process) refuse(err error) int {
	fromSource, sentence := config.Explain(err)
	if fromSource {
		return p.complain(sentence, exitError)
	}
	where := "parley"
	var at *kong.ParseError
	if errors.As(err, &at) && at.Context != nil && at.Context.Selected() != nil {
		where = at.Context.Selected().FullPath()
	}
	return p.complain(fmt.Errorf("%w (`%s --help` says more)", sentence, where), exitUsage)
}

func (p Process) complain(err error, code int) int {
	p.tell("parley: %v\n", err)
	return code
}

// tell writes to standard error. There is nowhere to complain if that fails.
func (p Process) tell(format string, args ...any) { _, _ = fmt.Fprintf(p.Stderr, format, args...) }

// call is one command that is being run.
type call struct {
	context.Context //nolint:containedctx // lives as long as the command, and kong binds one value
	Process

	name     string           // of the command, without the program's
	settings []config.Setting // what is in effect
}

// isTerminal tells whether somebody sits at the other end of a stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
