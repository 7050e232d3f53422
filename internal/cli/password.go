package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxInput bounds what is read of a password: more than any may have.
const maxInput = 4096

// passwordSource says where a password comes from: never from an argument.
type passwordSource struct {
	Stdin            bool `xor:"password" help:"Read the password from standard input, up to the end of the line."`
	GeneratePassword bool `xor:"password" help:"Make a password and show it."`
}

// password reads or makes a password.
func (s *passwordSource) password(c *call) (string, error) {
	switch {
	case s.GeneratePassword:
		return generatedPassword(), nil
	case s.Stdin:
		text, err := io.ReadAll(io.LimitReader(c.Stdin, maxInput))
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		return strings.TrimSuffix(line, "\r"), nil
	case isTerminal(c.Stdin):
		return askPassword(c, c.Stdin.(*os.File))
	}
	return "", errors.New("there is no terminal to ask for the password: add --stdin or --generate-password")
}

func askPassword(c *call, terminal *os.File) (string, error) {
	first, err := askHidden(c, terminal, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := askHidden(c, terminal, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ; nothing was done")
	}
	return first, nil
}

// askHidden reads a line without echo. On Ctrl-C the terminal gets its echo back.
func askHidden(c *call, terminal *os.File, question string) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the terminal: %w", err)
	}
	c.tell("%s", question)
	defer c.tell("\n")
	password, err := c.typed(func() (string, error) {
		text, err := term.ReadPassword(fd)
		return string(text), err
	})
	if err != nil {
		return "", errors.Join(fmt.Errorf("read the password: %w", err), term.Restore(fd, before))
	}
	return password, nil
}

// typed waits for what somebody types, or for the signal that they changed their
// mind. The reading goroutine cannot be woken; it ends with the process, which is
// about to.
func (c *call) typed(read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	given := make(chan answer, 1)
	go func() {
		text, err := read()
		given <- answer{text, err}
	}()
	select {
	case a := <-given:
		return a.text, a.err
	case <-c.Done():
		return "", context.Cause(c)
	}
}
