package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// hidden stands for a secret where settings are shown.
const hidden = "xxxxx"

// Token is a secret that opens something; "" opens nothing.
type Token string

const tokenMin = 16 // characters

// UnmarshalText refuses what can be guessed. Its error does not repeat the text.
func (t *Token) UnmarshalText(text []byte) error {
	if len(text) < tokenMin {
		return fmt.Errorf("is too short for a secret: use at least %d characters, such as the output of `openssl rand -hex 24`", tokenMin)
	}
	*t = Token(text)
	return nil
}

// String hides the secret.
func (t Token) String() string {
	if t == "" {
		return ""
	}
	return hidden
}

// Code is what is taken for every mailed code; "" is none.
type Code string

// UnmarshalText takes six digits.
func (c *Code) UnmarshalText(text []byte) error {
	if len(text) != 6 || strings.Trim(string(text), "0123456789") != "" {
		return errors.New("takes six digits, such as 123456")
	}
	*c = Code(text)
	return nil
}

// String hides the code.
func (c Code) String() string { return Token(c).String() }

// SMTP names a mail server; the zero value is none. It may hold a password, so
// its String hides that.
type SMTP struct {
	Host     string
	Port     int  // 0: the usual one
	TLS      bool // from the first byte, else STARTTLS
	Lax      bool // do without STARTTLS if the server does not offer it
	Username string
	Password string
}

// UnmarshalText takes smtp:// and smtps:// URLs; ?starttls=optional stays in the
// clear with a server that offers no encryption. Its error does not repeat the
// text, which may hold a password.
func (s *SMTP) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" {
		return errors.New("want smtp://user:password@host:587, or smtps:// for TLS from the start")
	}
	if strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return errors.New("takes no path, only scheme, user, host and port")
	}
	out := SMTP{Host: u.Hostname(), TLS: u.Scheme == "smtps", Username: u.User.Username()}
	out.Password, _ = u.User.Password()
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return errors.New("the port is no number from 1 to 65535")
		}
		out.Port = int(n)
	}
	for name, values := range u.Query() {
		if name != "starttls" || out.TLS || len(values) != 1 || values[0] != "optional" {
			return errors.New("takes no parameter but starttls=optional, and that with smtp:// only")
		}
		out.Lax = true
	}
	*s = out
	return nil
}

// None tells whether no server was named.
func (s SMTP) None() bool { return s.Host == "" }

// String is the URL without the password.
func (s SMTP) String() string {
	if s.None() {
		return ""
	}
	u := url.URL{Scheme: "smtp", Host: s.Host}
	if s.TLS {
		u.Scheme = "smtps"
	}
	if s.Port != 0 {
		u.Host += ":" + strconv.Itoa(s.Port)
	}
	if s.Username != "" {
		u.User = url.UserPassword(s.Username, hidden)
	}
	if s.Lax {
		u.RawQuery = "starttls=optional"
	}
	return u.String()
}

// Origin is scheme, host and port of web pages, or *.
type Origin string

// UnmarshalText takes what browsers send as Origin.
func (o *Origin) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	u, err := url.Parse(s)
	if s != "*" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != s) {
		return fmt.Errorf("%q is no origin: write https://app.example.org, without a slash at its end", text)
	}
	*o = Origin(s)
	return nil
}
