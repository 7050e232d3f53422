package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"parley/internal/chat"
)

// Address is where to listen, host:port; "" is nowhere.
type Address string

// UnmarshalText refuses what nobody can listen on.
func (a *Address) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is no address: write host:port, such as :8080 or 127.0.0.1:8080", text)
	}
	*a = Address(text)
	return nil
}

const engineSQLite = "sqlite"

// Database names the engine: "sqlite", or a PostgreSQL URL, which may hold a
// password and so has to be shown through Masked.
type Database string

// UnmarshalText takes sqlite and PostgreSQL URLs. Its error does not repeat the
// text, which may hold a password.
func (d *Database) UnmarshalText(text []byte) error {
	if string(text) == engineSQLite {
		*d = engineSQLite
		return nil
	}
	u, err := url.Parse(string(text))
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Trim(u.Path, "/") == "" {
		return errors.New("want sqlite, or postgres://user:password@host/name")
	}
	*d = Database(text)
	return nil
}

// Postgres tells whether d is a PostgreSQL URL.
func (d Database) Postgres() bool { return d != engineSQLite && d != "" }

// Masked is d without its passwords.
func (d Database) Masked() string {
	if !d.Postgres() {
		return engineSQLite
	}
	u, err := url.Parse(string(d))
	if err != nil {
		return "postgres"
	}
	q := u.Query()
	for _, secret := range []string{"password", "sslpassword", "passfile"} {
		if q.Has(secret) {
			q.Set(secret, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}

// String is Masked, so that no log shows a password.
func (d Database) String() string { return d.Masked() }

// URL is the public address of the server; the zero value is none.
type URL struct {
	text   string
	prefix string
}

// UnmarshalText takes absolute http and https URLs with a plain path.
func (u *URL) UnmarshalText(text []byte) error {
	p, err := url.Parse(string(text))
	if err != nil || p.Scheme != "http" && p.Scheme != "https" || p.Host == "" {
		return fmt.Errorf("%q is no URL: write it as https://chat.example.org or https://example.org/chat", text)
	}
	if p.User != nil || p.RawQuery != "" || p.ForceQuery || p.Fragment != "" {
		return errors.New("takes no user, query or fragment, only scheme, host and path")
	}
	prefix := strings.TrimSuffix(p.Path, "/")
	if prefix != "" && (path.Clean(prefix) != prefix || p.RawPath != "") {
		return errors.New("takes a plain path only: no dots, doubled slashes or escapes")
	}
	*u = URL{text: p.Scheme + "://" + p.Host + prefix, prefix: prefix}
	return nil
}

// String is the URL without a slash at its end, "" for none.
func (u URL) String() string { return u.text }

// Prefix is the path of the URL, "" or such as "/chat".
func (u URL) Prefix() string { return u.prefix }

// CIDR is a range of addresses; a single address is a range of one.
type CIDR struct{ netip.Prefix }

// UnmarshalText takes 10.0.0.0/8 and 10.0.0.1 alike.
func (c *CIDR) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		c.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is no range of addresses: write it as 10.0.0.0/8 or 192.0.2.7", text)
	}
	c.Prefix = p.Masked()
	return nil
}

// Switch is on or off.
type Switch uint8

// The positions.
const (
	Off Switch = 0
	On  Switch = 1
)

// UnmarshalText takes on and off, and what TOML has for them.
func (s *Switch) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on", "true":
		*s = On
	case "off", "false":
		*s = Off
	default:
		return fmt.Errorf("%q is neither on nor off", text)
	}
	return nil
}

// String is on or off.
func (s Switch) String() string {
	if s == On {
		return "on"
	}
	return "off"
}

// Dialect is an interface that the server can speak.
type Dialect chat.Surface

// dialects are those that this version has.
func dialects() []chat.Surface {
	return []chat.Surface{chat.SurfaceOpenCord, chat.SurfaceAgentChat, chat.SurfaceAIClient}
}

func dialectNames() string {
	names := make([]string, 0, len(dialects()))
	for _, d := range dialects() {
		names = append(names, d.String())
	}
	return strings.Join(names, ", ")
}

// UnmarshalText takes the names of dialects that this version has.
func (d *Dialect) UnmarshalText(text []byte) error {
	for _, known := range dialects() {
		if known.String() == strings.TrimSpace(string(text)) {
			*d = Dialect(known)
			return nil
		}
	}
	return fmt.Errorf("%q is unknown; there is: %s", text, dialectNames())
}

// String is the name of the dialect.
func (d Dialect) String() string { return chat.Surface(d).String() }

// LogLevel is the least level that is logged.
type LogLevel slog.Level

// UnmarshalText takes the four names.
func (l *LogLevel) UnmarshalText(text []byte) error {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(level.String(), string(text)) {
			*l = LogLevel(level)
			return nil
		}
	}
	return fmt.Errorf("%q is none of debug, info, warn, error", text)
}

// String is the name in lower case.
func (l LogLevel) String() string { return strings.ToLower(slog.Level(l).String()) }

// LogFormat is how log lines look.
type LogFormat string

// The formats.
const (
	LogAuto LogFormat = "auto"
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText takes the three names.
func (f *LogFormat) UnmarshalText(text []byte) error {
	switch v := LogFormat(text); v {
	case LogAuto, LogText, LogJSON:
		*f = v
		return nil
	}
	return fmt.Errorf("%q is none of auto, text, json", text)
}
