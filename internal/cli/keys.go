package cli

import (
	"fmt"

	"parley/internal/admin"
)

type accountKeys struct {
	List   keysList   `cmd:"" help:"List the keys of an account, newest first."`
	Create keysCreate `cmd:"" help:"Make a key; its token is shown only here."`
	Revoke keysRevoke `cmd:"" help:"End a key from its next request on."`
}

type keysList struct {
	who
	target
}

// Run lists keys.
func (cmd *keysList) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		keys, err := client.Keys(c, cmd.Account)
		if err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, struct {
				Keys []admin.Key `json:"keys"`
			}{keys})
		}
		if len(keys) == 0 {
			_, err := fmt.Fprintln(c.Stdout, "The account has no keys. `parley account keys create` makes one.")
			return err
		}
		t := newTable(c.Stdout, "NAME", "TOKEN", "MADE THROUGH", "CREATED", "LAST USED", "ID")
		for _, k := range keys {
			used := "never"
			if k.LastUsedAt != nil {
				used = day(*k.LastUsedAt)
			}
			t.row(orDash(k.Name), clean(k.Prefix)+"...", k.Issuer, day(k.CreatedAt), used, k.ID)
		}
		return t.flush()
	})
}

type keysCreate struct {
	who

	Name string `default:"default" help:"What the key is for, 1 to 64 characters."`
	target
}

// Run makes a key.
func (cmd *keysCreate) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		key, err := client.CreateKey(c, cmd.Account, cmd.Name)
		if err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, key)
		}
		return showToken(c, key)
	})
}

type keysRevoke struct {
	who

	Key string `arg:"" help:"Id of the key, from the list."`
	target
}

// Run ends a key.
func (cmd *keysRevoke) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		if err := client.RevokeKey(c, cmd.Account, cmd.Key); err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, map[string]string{"revoked": cmd.Key})
		}
		_, err := fmt.Fprintf(c.Stdout, "Revoked key %s\n", cmd.Key)
		return err
	})
}
