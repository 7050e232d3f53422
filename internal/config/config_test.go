package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"parley/internal/config"
)

// command is what a command line was read into.
type command struct {
	config.Config `embed:""`

	JSON bool
}

// read parses a command line as the commands do.
func read(env map[string]string, args ...string) (command, []config.Setting, error) {
	var c command
	sources := config.NewSources(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	k, err := kong.New(&c, kong.Name("parley"), kong.Resolvers(sources))
	if err != nil {
		return c, nil, err
	}
	ctx, err := k.Parse(args)
	if err != nil {
		_, err = config.Explain(err)
		return c, nil, err
	}
	return c, sources.Settings(ctx), nil
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "parley.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func setting(t *testing.T, all []config.Setting, name string) config.Setting {
	t.Helper()
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s in %v", name, all)
	return config.Setting{}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "listen = ':4000'\nlimits = 'off'\ntrusted-proxy = ['10.0.0.0/8', '192.0.2.1']\nshutdown-timeout = '4s'\n")
	all := map[string]string{"PARLEY_CONFIG": file, "PARLEY_LISTEN": ":3000"}
	for _, tc := range []struct {
		name   string
		env    map[string]string
		args   []string
		option string
		want   config.Setting
	}{
		{"default", nil, nil, "listen", config.Setting{Name: "listen", Value: ":8080", Source: config.FromDefault}},
		{
			"file over default", nil,
			[]string{"--config", file},
			"listen",
			config.Setting{Name: "listen", Value: ":4000", Source: config.FromFile},
		},
		{
			"file named by the environment",
			map[string]string{"PARLEY_CONFIG": file},
			nil, "listen",
			config.Setting{Name: "listen", Value: ":4000", Source: config.FromFile},
		},
		{
			"file named by the flag, not the environment",
			map[string]string{"PARLEY_CONFIG": "/nowhere"},
			[]string{"--config", file},
			"listen",
			config.Setting{Name: "listen", Value: ":4000", Source: config.FromFile},
		},
		{"environment over file", all, nil, "listen", config.Setting{Name: "listen", Value: ":3000", Source: config.FromEnvironment}},
		{
			"flag over environment and file", all,
			[]string{"--listen", ":2000"},
			"listen",
			config.Setting{Name: "listen", Value: ":2000", Source: config.FromFlag},
		},
		{
			"flag equal to the default over environment", all,
			[]string{"--listen", ":8080"},
			"listen",
			config.Setting{Name: "listen", Value: ":8080", Source: config.FromFlag},
		},
		{
			"empty variable is unset",
			map[string]string{"PARLEY_LISTEN": ""},
			nil, "listen",
			config.Setting{Name: "listen", Value: ":8080", Source: config.FromDefault},
		},
		{"list in the file", all, nil, "trusted-proxy", config.Setting{
			Name: "trusted-proxy", Value: "10.0.0.0/8,192.0.2.1/32", Source: config.FromFile,
		}},
		{
			"list in the environment replaces that of the file",
			map[string]string{"PARLEY_CONFIG": file, "PARLEY_TRUSTED_PROXY": "::1, 127.0.0.0/8"},
			nil, "trusted-proxy",
			config.Setting{Name: "trusted-proxy", Value: "::1/128,127.0.0.0/8", Source: config.FromEnvironment},
		},
		{
			"repeated flag replaces both", all,
			[]string{"--trusted-proxy=1.2.3.4", "--trusted-proxy=5.6.7.8"},
			"trusted-proxy",
			config.Setting{Name: "trusted-proxy", Value: "1.2.3.4/32,5.6.7.8/32", Source: config.FromFlag},
		},
		{"switch in the file", all, nil, "limits", config.Setting{Name: "limits", Value: "off", Source: config.FromFile}},
		{"time in the file", all, nil, "shutdown-timeout", config.Setting{Name: "shutdown-timeout", Value: "4s", Source: config.FromFile}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, settings, err := read(tc.env, tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, setting(t, settings, tc.option)); diff != "" {
				t.Errorf("setting (-want +got):\n%s", diff)
			}
		})
	}
}

// A flag of one command that is no option has no variable.
func TestOnlyOptionsHaveSources(t *testing.T) {
	t.Parallel()
	c, _, err := read(map[string]string{"PARLEY_JSON": "true"})
	if err != nil || c.JSON {
		t.Errorf("json = %v, %v, want false: PARLEY_JSON is no option", c.JSON, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, file string
		env        map[string]string
		args       []string
		want       []string
	}{
		{name: "address", args: []string{"--listen", "8080"}, want: []string{"--listen", "8080", "host:port"}},
		{name: "port", args: []string{"--listen", ":http"}, want: []string{"--listen", "host:port"}},
		{name: "port too high", args: []string{"--internal-listen", ":70000"}, want: []string{"--internal-listen"}},
		{name: "engine", args: []string{"--database", "mysql://x/y"}, want: []string{"--database", "postgres://"}},
		{name: "database without a name", args: []string{"--database", "postgres://h/"}, want: []string{"--database"}},
		{name: "url", args: []string{"--public-url", "chat.example.org"}, want: []string{"--public-url", "https://"}},
		{name: "url with query", args: []string{"--public-url", "https://h/?q"}, want: []string{"--public-url"}},
		{name: "url with dots", args: []string{"--public-url", "https://h/a/../b"}, want: []string{"--public-url"}},
		{name: "range", args: []string{"--trusted-proxy", "10.0.0.0/99"}, want: []string{"--trusted-proxy", "10.0.0.0/99"}},
		{name: "switch", args: []string{"--limits", "maybe"}, want: []string{"--limits", "on nor off"}},
		{name: "dialect", args: []string{"--dialects", "opencord,irc"}, want: []string{"--dialects", "irc", "opencord"}},
		{name: "outgoing", args: []string{"--outgoing-allow", "localhost"}, want: []string{"--outgoing-allow", "localhost"}},
		{name: "origin", args: []string{"--origins", "https://a.example.org/"}, want: []string{"--origins", "slash"}},
		{name: "token", args: []string{"--ops-token", "short"}, want: []string{"--ops-token", "16 characters"}},
		{name: "retention", args: []string{"--retention", "-1h"}, want: []string{"--retention"}},
		{name: "code", args: []string{"--insecure-code", "12345"}, want: []string{"--insecure-code", "six digits"}},
		{name: "sender", args: []string{"--mail-from", "nobody"}, want: []string{"--mail-from", "nobody"}},
		{name: "mail server", args: []string{"--smtp", "mail.example.org:25"}, want: []string{"--smtp", "smtps://"}},
		{name: "mail server with a path", args: []string{"--smtp", "smtp://h/x"}, want: []string{"--smtp", "no path"}},
		{name: "mail server with a bad port", args: []string{"--smtp", "smtp://h:0"}, want: []string{"--smtp", "port"}},
		{name: "mail server without need of STARTTLS", args: []string{"--smtp", "smtps://h?starttls=optional"}, want: []string{"--smtp", "starttls"}},
		{name: "level", args: []string{"--log-level", "loud"}, want: []string{"--log-level", "loud"}},
		{name: "format", args: []string{"--log-format", "xml"}, want: []string{"--log-format", "xml"}},
		{name: "time", args: []string{"--shutdown-timeout", "soon"}, want: []string{"--shutdown-timeout"}},
		{name: "time too short", args: []string{"--shutdown-timeout", "10ms"}, want: []string{"--shutdown-timeout", "second"}},
		{
			name: "environment", env: map[string]string{"PARLEY_LISTEN": "x"},
			want: []string{"listen, in PARLEY_LISTEN: ", "host:port"},
		},
		{name: "file", file: "listen = 80", want: []string{"listen, in ", "parley.toml: ", "host:port"}},
		{name: "unknown key", file: "listn = ':80'", want: []string{"parley.toml", "listn is no option"}},
		{name: "the file names a file", file: "config = 'x'", want: []string{"config is no option"}},
		{name: "section", file: "[listen]\nport = 80", want: []string{"listen: is a section"}},
		{name: "no TOML", file: "limits = 'on'\nlisten :80", want: []string{"parley.toml", "line 2"}},
		{name: "no file", args: []string{"--config", "/nowhere/parley.toml"}, want: []string{"/nowhere/parley.toml"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			args := tc.args
			if tc.file != "" {
				args = append(args, "--config", writeFile(t, tc.file))
			}
			_, _, err := read(tc.env, args...)
			if err == nil {
				t.Fatalf("accepted, want an error with %q", tc.want)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %q, want %q in it", err, want)
				}
			}
		})
	}
}

// A complaint about the file must not blame the flag that was looked up first,
// nor the command line.
func TestSourceErrorsBlameNoFlag(t *testing.T) {
	t.Parallel()
	_, _, err := read(nil, "--config", writeFile(t, "listn = 1"))
	if err == nil || strings.Contains(err.Error(), "--") {
		t.Errorf("error = %v, want one without the name of a flag", err)
	}
	k, err := kong.New(new(command), kong.Resolvers(config.NewSources(func(string) (string, bool) { return "x", true })))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		want bool
	}{{nil, true}, {[]string{"--listen", "x"}, false}, {[]string{"--what"}, false}} {
		_, err := k.Parse(tc.args)
		if got, sentence := config.Explain(err); sentence == nil || got != tc.want {
			t.Errorf("%v: Explain = %v, %v, want %v", tc.args, got, sentence, tc.want)
		}
	}
}

func TestPasswordsAreMasked(t *testing.T) {
	t.Parallel()
	const dsn = "postgres://parley:hunter2@db.example.org/parley?sslmode=require&sslpassword=hunter3"
	c, settings, err := read(map[string]string{"PARLEY_DATABASE": dsn})
	if err != nil {
		t.Fatal(err)
	}
	if string(c.Database) != dsn || !c.Database.Postgres() {
		t.Errorf("database = %q, want the whole URL", string(c.Database))
	}
	shown := setting(t, settings, "database").Value
	if strings.Contains(shown, "hunter") || !strings.Contains(shown, "db.example.org") {
		t.Errorf("shown = %q, want the host and no password", shown)
	}
	_, _, err = read(map[string]string{"PARLEY_DATABASE": "mysql://u:hunter2@h/d"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error = %v, want one without the password", err)
	}
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ given, text, prefix string }{
		{"https://chat.example.org", "https://chat.example.org", ""},
		{"https://chat.example.org/", "https://chat.example.org", ""},
		{"http://example.org:8080/chat/", "http://example.org:8080/chat", "/chat"},
	} {
		c, _, err := read(nil, "--public-url", tc.given)
		if err != nil || c.PublicURL.String() != tc.text || c.PublicURL.Prefix() != tc.prefix {
			t.Errorf("%s: got %q with prefix %q, %v, want %q and %q", tc.given, c.PublicURL, c.PublicURL.Prefix(), err, tc.text, tc.prefix)
		}
	}
}

func TestDefault(t *testing.T) {
	t.Parallel()
	c := config.Default()
	if err := c.Validate(); err != nil {
		t.Errorf("defaults do not pass: %v", err)
	}
	if c.Listen != ":8080" || c.Data != "./data" || c.Database.Postgres() || c.Limits != config.On ||
		c.InternalListen != "" || c.ShutdownTimeout != 10*time.Second || len(c.Dialects) != 3 ||
		c.Retention != 30*24*time.Hour || c.Welcome != config.Off || c.OpsToken != "" || !c.SMTP.None() || c.InsecureCode != "" {
		t.Errorf("defaults = %+v", c)
	}
}

func TestEveryOptionIsDescribed(t *testing.T) {
	t.Parallel()
	for _, o := range config.Options() {
		if !strings.HasSuffix(o.Help, ".") || o.Group == "" || o.Placeholder == "" {
			t.Errorf("option %s = %+v, want a sentence of help, a group and a placeholder", o.Name, o)
		}
	}
}

func TestMailServer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text  string
		want  config.SMTP
		shown string
	}{
		{"smtp://mail.example.org", config.SMTP{Host: "mail.example.org"}, "smtp://mail.example.org"},
		{
			"smtp://ann:s3cret%40@mail.example.org:587",
			config.SMTP{Host: "mail.example.org", Port: 587, Username: "ann", Password: "s3cret@"},
			"smtp://ann:xxxxx@mail.example.org:587",
		},
		{"smtps://mail.example.org:465/", config.SMTP{Host: "mail.example.org", Port: 465, TLS: true}, "smtps://mail.example.org:465"},
		{"smtp://localhost:25?starttls=optional", config.SMTP{Host: "localhost", Port: 25, Lax: true}, "smtp://localhost:25?starttls=optional"},
	} {
		var got config.SMTP
		if err := got.UnmarshalText([]byte(tc.text)); err != nil || got != tc.want {
			t.Errorf("%s: got %+v, %v, want %+v", tc.text, got, err, tc.want)
		}
		if got.String() != tc.shown {
			t.Errorf("%s: is shown as %s, want %s", tc.text, got, tc.shown)
		}
	}
}

// What settings show, config check prints.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	const token, password = "0123456789abcdef", "hunter2"
	_, settings, err := read(map[string]string{
		"PARLEY_OPS_TOKEN": token, "PARLEY_METRICS_TOKEN": token, "PARLEY_SMTP": "smtp://ann:" + password + "@h",
		"PARLEY_INSECURE_CODE": "123456",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		for _, secret := range []string{token, password, "123456"} {
			if strings.Contains(s.Value, secret) {
				t.Errorf("%s shows %s", s.Name, s.Value)
			}
		}
	}
}
