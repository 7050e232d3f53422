package webhook

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/netguard"
)

// Links judges, in the words of the core, the URLs that webhooks are to have.
type Links struct {
	// Checker is what will make the calls. *netguard.Client is one.
	Checker interface {
		CheckURL(ctx context.Context, url string) error
	}
}

// CheckURL fails with hook_url or hook_blocked unless deliveries to the URL would be
// tried.
func (l Links) CheckURL(ctx context.Context, url string) error {
	err := l.Checker.CheckURL(ctx, url)
	switch {
	case errors.Is(err, netguard.ErrURL):
		return chat.Fail(chat.CodeHookURL)
	case errors.Is(err, netguard.ErrBlocked):
		return chat.Fail(chat.CodeHookBlocked)
	}
	return err
}
