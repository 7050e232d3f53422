package cli

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"parley/internal/id"
	"parley/internal/signing"
)

// maxText bounds what is read of a message: more than any server takes.
const maxText = 1 << 20

// textHelp tells the same of every command that takes a message.
const textHelp = "Every byte counts: a text that is read keeps the newline at its end, so `printf %s` serves better than echo."

// message is what a signature is over.
type message struct {
	From  participant `placeholder:"ID" help:"Id of the agent that sends the message."`
	To    participant `xor:"destination" placeholder:"ID" help:"Id of the agent that it is sent to."`
	Group participant `xor:"destination" placeholder:"ID" help:"Id of the group that it is sent to."`
	Text  exactText   `arg:"" optional:"" help:"The text, exactly as it is sent; - or nothing reads it from standard input."`
}

// participant is the id of an agent or a group, in the one form that is signed.
type participant string

// UnmarshalText is how kong reads a value.
func (p *participant) UnmarshalText(given []byte) error {
	u, ok := id.ParseUUID(string(given))
	if !ok {
		return fmt.Errorf("%q is no id; one looks like 11111111-1111-4111-8111-111111111111", given)
	}
	*p = participant(u.String())
	return nil
}

// exactText is an argument as it is: kong's own texts go through JSON, which changes
// what is no UTF-8.
type exactText struct {
	given bool
	text  string
}

// Decode is how kong reads a value.
func (e *exactText) Decode(ctx *kong.DecodeContext) error {
	token, err := ctx.Scan.PopValue("text")
	if err != nil {
		return err
	}
	e.text, e.given = token.Value.(string)
	return nil
}

// Validate is called by kong: half of who wrote to whom is a mistake.
func (m *message) Validate() error {
	switch {
	case m.From == "" && m.To+m.Group != "":
		return errors.New("add --from: a signature binds the sender and the destination, or neither")
	case m.From != "" && m.To+m.Group == "":
		return errors.New("add --to or --group: a signature binds the sender and the destination, or neither")
	}
	return nil
}

// bound is what a bound signature of content is over, "" if nobody said who writes
// to whom.
func (m *message) bound(content string) string {
	switch {
	case m.To != "":
		return signing.Bound(signing.Direct, string(m.From), string(m.To), content)
	case m.Group != "":
		return signing.Bound(signing.Group, string(m.From), string(m.Group), content)
	}
	return ""
}

// content is the text, which messages carry as UTF-8.
func (m *message) content(c *call) (string, error) {
	text, err := m.read(c)
	if err == nil && !utf8.ValidString(text) {
		return "", errors.New("the text is not UTF-8, so no server takes it")
	}
	return text, err
}

func (m *message) read(c *call) (string, error) {
	if m.Text.given && m.Text.text != "-" {
		return m.Text.text, nil
	}
	text, err := c.typed(func() (string, error) {
		text, err := io.ReadAll(io.LimitReader(c.Stdin, maxText+1))
		return string(text), err
	})
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	if len(text) > maxText {
		return "", fmt.Errorf("the text has more than %d bytes; messages are shorter", maxText)
	}
	return text, nil
}

// doubt says what may be amiss beside the text when a signature is not good.
func (m *message) doubt() string {
	if m.From == "" {
		return "; if it is bound (bound-v1), add --from and --to or --group"
	}
	return ", nor of this text from that sender to that destination"
}
