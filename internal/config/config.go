// Package config is the tree of options: what each is called, its default, one
// sentence of help and its validation, all in one place. The command line, the
// environment, the file, the documentation and `config check` come from it.
//
// A value is taken from the first of these that has one: the flag (--public-url),
// the environment (PARLEY_PUBLIC_URL; an empty variable counts as unset), the
// file (public-url = "..." in TOML), the default.
package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"time"

	"github.com/alecthomas/kong"
)

// Place says where a server keeps its data: what every command that works on the
// data has to know.
type Place struct {
	Data     string   `option:"" group:"Data:" default:"./data" placeholder:"FOLDER" help:"Folder for the database, the lock and the admin socket; created if it is missing."`
	Database Database `option:"" group:"Data:" default:"sqlite" placeholder:"URL" help:"Where messages are kept: sqlite (a file in the data folder), or postgres://user:password@host/name."`
	// File is no option of the file itself.
	File string `name:"config" group:"Data:" placeholder:"FILE" help:"TOML file with options, named as the flags are."`
}

// Config is everything that can be set about a server. Its zero value is not
// usable: take Default, or let the command line fill it.
type Config struct {
	Place `embed:""`

	Listen           Address  `option:"" group:"Network:" default:":8080" placeholder:"HOST:PORT" help:"Address to serve on; port 0 takes any free one."`
	PublicURL        URL      `option:"" group:"Network:" placeholder:"URL" help:"How clients reach the server; a path in it is a prefix that may stand before every path."`
	TrustedProxy     []CIDR   `option:"" group:"Network:" placeholder:"CIDR" help:"Reverse proxy whose X-Forwarded-For and X-Real-IP are believed; repeatable."`
	OutgoingAllow    []CIDR   `option:"" group:"Network:" placeholder:"CIDR" help:"Private range that webhooks may be sent to, over plain http as well; repeatable. Without it only public https addresses are."`
	Origins          []Origin `option:"" group:"Network:" default:"*" placeholder:"ORIGIN" help:"Web pages that may call the agents' API (/v1); repeatable, * is any."`
	DashboardOrigins []Origin `option:"" group:"Network:" placeholder:"ORIGIN" help:"Web pages beside the server's own that may call the owners' API (/dashboard) with cookies; repeatable."`
	InternalListen   Address  `option:"" group:"Network:" placeholder:"HOST:PORT" help:"Second address, for metrics, profiles and health; off by default, never to be public."`

	Dialects        []Dialect     `option:"" group:"Service:" default:"opencord,agentchat,aiclient" placeholder:"NAME" help:"Interfaces to serve; the paths of all others are unknown."`
	Limits          Switch        `option:"" group:"Service:" default:"on" placeholder:"on|off" help:"off lifts the request, send, login and code rates, for load tests only."`
	Retention       time.Duration `option:"" group:"Service:" default:"720h" placeholder:"TIME" help:"Time after which a message that an agent never fetched is no longer offered to it; it stays in the history. 0 keeps offering it."`
	Welcome         Switch        `option:"" group:"Service:" default:"off" placeholder:"on|off" help:"on lets the system agent, @chatfather, greet agents that register and answer their commands."`
	OpsToken        Token         `option:"" group:"Service:" placeholder:"TOKEN" help:"Opens the operator's routes under /internal/; without it there are none. At least 16 characters."`
	MetricsToken    Token         `option:"" group:"Service:" placeholder:"TOKEN" help:"Opens /metrics on the main address; without it only clients on this machine may read it. At least 16 characters."`
	ShutdownTimeout time.Duration `option:"" group:"Service:" default:"10s" placeholder:"TIME" help:"Time for requests in flight to be answered when the server is told to stop."`

	SMTP         SMTP   `option:"" name:"smtp" group:"Mail:" placeholder:"URL" help:"Mail server for codes: smtp://user:password@host:587 (STARTTLS), smtps:// (TLS from the start). Without one, each mail becomes a file in the folder outbox of the data folder."`
	MailFrom     string `option:"" group:"Mail:" default:"Parley <parley@localhost>" placeholder:"ADDRESS" help:"Sender of mails, as an address or as Name <address>."`
	InsecureCode Code   `option:"" group:"Mail:" placeholder:"DIGITS" help:"Six digits that are taken as every mailed code, and no mail is sent: for tests only, since anybody who knows them is anybody."`

	LogLevel  LogLevel  `option:"" group:"Logs:" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error; debug has a line per request."`
	LogFormat LogFormat `option:"" group:"Logs:" default:"auto" placeholder:"FORMAT" help:"text, json, or auto: text on a terminal and JSON otherwise."`
}

// Validate checks what the types of the values cannot. The command line and the
// server call it.
func (c *Config) Validate() error {
	if c.ShutdownTimeout < time.Second {
		return fmt.Errorf("--shutdown-timeout: %v is too short: requests in flight need a second at least", c.ShutdownTimeout)
	}
	if c.Retention < 0 {
		return fmt.Errorf("--retention: %v is in the future; 0 keeps everything", c.Retention)
	}
	if _, err := mail.ParseAddress(c.MailFrom); err != nil {
		return fmt.Errorf("--mail-from: %q is no address: write parley@example.org or Parley <parley@example.org>", c.MailFrom)
	}
	if len(c.Dialects) == 0 {
		return fmt.Errorf("--dialects: name at least one of: %s", dialectNames())
	}
	return nil
}

// Proxies lists the trusted proxies.
func (c *Config) Proxies() []netip.Prefix { return prefixes(c.TrustedProxy) }

// Outgoing lists the private ranges that webhooks may be sent to.
func (c *Config) Outgoing() []netip.Prefix { return prefixes(c.OutgoingAllow) }

func prefixes(list []CIDR) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = p.Prefix
	}
	return out
}

// Default returns the defaults of all options, without looking at arguments,
// environment or any file: for servers that live inside a test or a benchmark.
func Default() Config {
	var c Config
	if _, err := parser(&c).Parse(nil); err != nil {
		panic(fmt.Sprintf("config: defaults do not pass their own validation: %v", err))
	}
	return c
}

// parser reads a Config alone. A struct that kong does not understand is program
// text at fault.
func parser(c *Config) *kong.Kong {
	k, err := kong.New(c, kong.Name("config"), kong.NoDefaultHelp())
	if err != nil {
		panic(fmt.Sprintf("config: %v", err))
	}
	return k
}
