package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"parley/internal/admin"
)

type accountCommand struct {
	Create      accountCreate      `cmd:"" help:"Make an account."`
	List        accountList        `cmd:"" help:"List all accounts."`
	Show        accountShow        `cmd:"" help:"Show one account."`
	Suspend     accountSuspend     `cmd:"" help:"Take an account out of service from its next request on."`
	Reinstate   accountReinstate   `cmd:"" help:"Put a suspended account back."`
	Delete      accountDelete      `cmd:"" help:"Remove an account for good; what it wrote stays."`
	Guard       accountGuard       `cmd:"" help:"Protect an account from floods of strangers, or stop it."`
	SetPassword accountSetPassword `cmd:"" help:"Replace a password; the account's sessions end, its keys stay."`
	Keys        accountKeys        `cmd:"" help:"List, make and revoke keys."`
}

// Help is shown by kong.
func (*accountCommand) Help() string {
	return "ACCOUNT is a username, a handle, a login address or an id. Beside a running server a command acts at once; " +
		"without one it works on the data folder itself."
}

// who names an account.
type who struct {
	Account string `arg:"" placeholder:"ACCOUNT" help:"Username, handle, login address or id."`
}

type accountList struct{ target }

// Run prints a row per account as it comes, or one document of JSON.
func (cmd *accountList) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		accounts := []admin.Account{}
		err := client.Accounts(c, func(a admin.Account) error {
			accounts = append(accounts, a)
			return nil
		})
		if err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, struct {
				Accounts []admin.Account `json:"accounts"`
			}{accounts})
		}
		if len(accounts) == 0 {
			_, err := fmt.Fprintln(c.Stdout, "There are no accounts yet. `parley account create` makes one.")
			return err
		}
		t := newTable(c.Stdout, "USERNAME", "KIND", "STATE", "GUARD", "ADDRESS", "CREATED", "ID")
		for _, a := range accounts {
			t.row(orDash(a.Username), a.Kind, state(a), onOff(a.Guarded), orDash(a.Address), day(a.CreatedAt), a.ID)
		}
		return t.flush()
	})
}

type accountShow struct {
	who
	target
}

// Run shows one account.
func (cmd *accountShow) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		a, err := client.Account(c, cmd.Account)
		if err != nil {
			return err
		}
		return cmd.show(c, a, a)
	})
}

type accountSuspend struct {
	who
	target
}

// Run suspends an account.
func (cmd *accountSuspend) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		a, err := client.Suspend(c, cmd.Account)
		if err != nil {
			return err
		}
		return cmd.done(c, a, "Suspended")
	})
}

type accountReinstate struct {
	who
	target
}

// Run puts an account back.
func (cmd *accountReinstate) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		a, err := client.Reinstate(c, cmd.Account)
		if err != nil {
			return err
		}
		return cmd.done(c, a, "Reinstated")
	})
}

type accountGuard struct {
	who

	Guard string `arg:"" enum:"on,off" help:"on or off."`
	target
}

// Help is shown by kong.
func (*accountGuard) Help() string {
	return "A guarded account takes one message from a stranger until it answers, and is not sent more than it can keep up with."
}

// Run turns the guard on or off.
func (cmd *accountGuard) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		a, err := client.SetGuard(c, cmd.Account, cmd.Guard == "on")
		if err != nil {
			return err
		}
		return cmd.done(c, a, "Guard "+cmd.Guard+" for")
	})
}

type accountDelete struct {
	who

	Yes bool `help:"Do not ask."`
	target
}

// Run removes an account once it is clear that this is meant.
func (cmd *accountDelete) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		a, err := client.Account(c, cmd.Account)
		if err != nil {
			return err
		}
		if !cmd.Yes {
			if err := confirm(c, fmt.Sprintf("Remove %s (%s) for good? Type its username: ", clean(a.Username), a.ID), a.Username); err != nil {
				return err
			}
		}
		if a, err = client.Remove(c, a.ID); err != nil {
			return err
		}
		return cmd.done(c, a, "Removed")
	})
}

// confirm asks for a word on the terminal.
func confirm(c *call, question, word string) error {
	if !isTerminal(c.Stdin) {
		return errors.New("this cannot be undone: add --yes")
	}
	c.tell("%s", question)
	answer, err := c.typed(func() (string, error) { return bufio.NewReader(c.Stdin).ReadString('\n') })
	if err != nil || strings.TrimSpace(answer) != word { // an end of input is no consent
		return errors.New("nothing was done")
	}
	return nil
}
