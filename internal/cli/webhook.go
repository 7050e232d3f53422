package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/internal/admin"
)

type webhookCommand struct {
	List    webhookList    `cmd:"" help:"List webhooks, and what waits for them."`
	Remove  webhookRemove  `cmd:"" help:"Remove a webhook and what is queued for it."`
	Dead    webhookDead    `cmd:"" help:"List dead letters: deliveries that were given up."`
	Redrive webhookRedrive `cmd:"" help:"Send dead letters again."`
}

// Help is shown by kong.
func (*webhookCommand) Help() string {
	return "A delivery that fails is tried nine times within 31 hours. Then it is a dead letter, kept for 30 days. " +
		"A webhook that fails again and again is left alone for five minutes at a time."
}

type webhookList struct {
	Account string `placeholder:"ACCOUNT" help:"Only those of this account: username, handle, login address or id."`
	target
}

// Run prints a row per webhook, or one document of JSON.
func (cmd *webhookList) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		webhooks := []admin.Webhook{}
		err := client.Webhooks(c, cmd.Account, func(w admin.Webhook) error {
			webhooks = append(webhooks, w)
			return nil
		})
		if err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, struct {
				Webhooks []admin.Webhook `json:"webhooks"`
			}{webhooks})
		}
		if len(webhooks) == 0 {
			_, err := fmt.Fprintln(c.Stdout, "There are no webhooks. Agents make them through /v1/webhooks.")
			return err
		}
		t := newTable(c.Stdout, "ACCOUNT", "EVENTS", "URL", "STATE", "QUEUED", "DEAD", "CREATED", "ID")
		for _, w := range webhooks {
			t.row(orDash(w.Account), strings.Join(w.Events, ","), clean(w.URL), webhookState(&w), strconv.Itoa(w.Queued),
				strconv.Itoa(w.Dead), day(w.CreatedAt), w.ID)
		}
		return t.flush()
	})
}

// webhookState sums up how deliveries go.
func webhookState(w *admin.Webhook) string {
	switch {
	case w.OpenUntil != nil && w.OpenUntil.After(time.Now()):
		return "on hold until " + w.OpenUntil.UTC().Format("15:04:05")
	case w.OpenUntil != nil:
		return "to be tried"
	case w.Failures > 0:
		return "failing"
	}
	return "ok"
}

type webhookRemove struct {
	ID string `arg:"" help:"Id of the webhook, from the list."`
	target
}

// Run removes a webhook.
func (cmd *webhookRemove) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		if err := client.RemoveWebhook(c, cmd.ID); err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, map[string]string{"removed": cmd.ID})
		}
		_, err := fmt.Fprintf(c.Stdout, "Removed webhook %s\n", cmd.ID)
		return err
	})
}

type webhookDead struct{ target }

// Run prints a row per dead letter, or one document of JSON.
func (cmd *webhookDead) Run(c *call) error {
	return cmd.with(c, false, func(client *admin.Client) error {
		letters := []admin.DeadLetter{}
		err := client.DeadLetters(c, func(l admin.DeadLetter) error {
			letters = append(letters, l)
			return nil
		})
		if err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, struct {
				Letters []admin.DeadLetter `json:"dead_letters"`
			}{letters})
		}
		if len(letters) == 0 {
			_, err := fmt.Fprintln(c.Stdout, "There are no dead letters.")
			return err
		}
		t := newTable(c.Stdout, "EVENT", "FAILED", "ATTEMPTS", "LAST ERROR", "WEBHOOK", "ID")
		for _, l := range letters {
			t.row(l.Event, day(l.FailedAt), strconv.Itoa(l.Attempts), orDash(l.LastError), l.Webhook, l.ID)
		}
		return t.flush()
	})
}

type webhookRedrive struct {
	ID  string `arg:"" optional:"" help:"Id of the dead letter, from the list."`
	All bool   `help:"Send all of them."`
	target
}

// Run queues dead letters again.
func (cmd *webhookRedrive) Run(c *call) error {
	if (cmd.ID == "") != cmd.All {
		return errors.New("name one dead letter, or say --all")
	}
	return cmd.with(c, false, func(client *admin.Client) error {
		redrive := client.RedriveAll
		if !cmd.All {
			redrive = func(ctx context.Context) (int, error) { return 1, client.Redrive(ctx, cmd.ID) }
		}
		n, err := redrive(c)
		if err != nil {
			return err
		}
		if cmd.JSON {
			return writeJSON(c.Stdout, admin.Redriven{Redriven: n})
		}
		_, err = fmt.Fprintf(c.Stdout, "Queued again: %d\n", n)
		return err
	})
}
