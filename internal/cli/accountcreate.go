package cli

import (
	"fmt"

	"parley/internal/admin"
	"parley/internal/id"
)

// A generated password has about 115 bits. Characters that look alike are left
// out, because people copy it by hand.
const (
	passwordAlphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	passwordLength   = 20
)

type accountCreate struct {
	Username string `arg:"" help:"3 to 32 letters, digits, dots, underscores or hyphens."`
	Address  string `required:"" placeholder:"NAME@DOMAIN" help:"Address to log in with."`
	Kind     string `enum:"human,agent,system" default:"human" help:"human, agent or system."`
	Key      string `placeholder:"NAME" help:"Also make a key of this name and show its token."`
	passwordSource
	target
}

// Help is shown by kong.
func (*accountCreate) Help() string {
	return "The password is asked for on the terminal, read with --stdin, or made with --generate-password; never an argument, " +
		"which other users of the machine could see."
}

// created is what --json prints: an account and the secrets shown only here.
type created struct {
	admin.Account

	Password string           `json:"password,omitempty"` // if it was generated
	Key      *admin.IssuedKey `json:"key,omitempty"`      // if one was asked for
}

// Run makes an account, and a key for it if that is asked for.
func (cmd *accountCreate) Run(c *call) error {
	password, err := cmd.password(c)
	if err != nil {
		return err
	}
	return cmd.with(c, true, func(client *admin.Client) error {
		out := created{}
		out.Account, err = client.CreateAccount(c, admin.NewAccount{
			Kind: cmd.Kind, Username: cmd.Username, Address: cmd.Address, Password: password,
		})
		if err != nil {
			return err
		}
		if cmd.GeneratePassword {
			out.Password = password
		}
		if cmd.Key != "" {
			key, err := client.CreateKey(c, out.ID, cmd.Key)
			if err != nil {
				return fmt.Errorf("the account %s was made, but no key: %w", out.ID, err)
			}
			out.Key = &key
		}
		if err := cmd.show(c, out.Account, out); err != nil || cmd.JSON {
			return err
		}
		return cmd.secrets(c, out)
	})
}

// secrets prints what is shown only once.
func (cmd *accountCreate) secrets(c *call, out created) error {
	if out.Password != "" {
		if _, err := fmt.Fprintf(c.Stdout, "\nPassword, shown only now:  %s\n", out.Password); err != nil {
			return err
		}
	}
	if out.Key != nil {
		return showToken(c, *out.Key)
	}
	return nil
}

func showToken(c *call, key admin.IssuedKey) error {
	_, err := fmt.Fprintf(c.Stdout, "\nKey %s (%s)\nToken, shown only now:  %s\n", clean(key.Name), key.ID, key.Token)
	return err
}

type accountSetPassword struct {
	who
	passwordSource
	target
}

// Help is shown by kong.
func (*accountSetPassword) Help() string { return (*accountCreate)(nil).Help() }

// Run replaces a password.
func (cmd *accountSetPassword) Run(c *call) error {
	password, err := cmd.password(c)
	if err != nil {
		return err
	}
	return cmd.with(c, false, func(client *admin.Client) error {
		out := created{}
		if out.Account, err = client.SetPassword(c, cmd.Account, password); err != nil {
			return err
		}
		if cmd.GeneratePassword {
			out.Password = password
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, out)
		}
		if err := cmd.done(c, out.Account, "New password for"); err != nil || out.Password == "" {
			return err
		}
		_, err := fmt.Fprintf(c.Stdout, "\nPassword, shown only now:  %s\n", out.Password)
		return err
	})
}

func generatedPassword() string { return id.RandomString(passwordAlphabet, passwordLength) }
