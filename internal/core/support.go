package core

import (
	"context"
	"strings"
	"time"
	"unicode"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

// The support bot is the system agent answering commands that are written to it in
// direct messages (AC 23.2). It hears of messages where they are published, after
// their commit, and answers from a goroutine of its own. What comes while its queue
// is full goes unanswered: whoever floods it is throttled anyway.
const (
	supportQueue   = 256
	supportTimeout = 10 * time.Second // for one command
	supportYoung   = 24 * time.Hour   // accounts younger than this may ask less
	supportText    = 4_000            // bytes of a report that are kept
)

// What the support bot says.
const (
	supportHelp = `I answer these commands:
/help - this text
/report <bug|feature|abuse|other> <text> - tell the people who run this server`
	supportUsage    = "Say what it is about: /report <bug|feature|abuse|other> <text>"
	supportThanks   = "Thank you. The people who run this server will read it."
	supportTooOften = "You are writing to me too often. I will not answer for a while."
)

// support is what the bot has to look at.
type support struct {
	queue chan command
}

// command is a direct message that may be one.
type command struct {
	from, to chat.AccountID
	text     string
}

func newSupport() *support { return &support{queue: make(chan command, supportQueue)} }

// offer takes a message that was published, if it may be a command.
func (p *support) offer(e *chat.Event) {
	m := e.Message
	if m == nil || m.Kind != chat.MessageText || !strings.HasPrefix(m.Text, "/") ||
		e.Space != 0 || e.Group != nil || len(e.Recipients) != 2 {
		return
	}
	to := e.Recipients[0]
	if to == m.Author {
		to = e.Recipients[1]
	}
	select {
	case p.queue <- command{from: m.Author, to: to, text: m.Text}:
	default:
	}
}

// answerCommands answers until ctx ends.
func (s *Service) answerCommands(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case cmd := <-s.support.queue:
			within, cancel := context.WithTimeout(ctx, supportTimeout)
			if err := s.answerCommand(within, cmd); err != nil && ctx.Err() == nil {
				s.log.Warn("support command not answered", "error", err)
			}
			cancel()
		}
	}
}

// answerCommand answers one message if it is a command and went to the bot.
func (s *Service) answerCommand(ctx context.Context, cmd command) error {
	var bot, asker *chat.Account
	err := s.view(ctx, "read the two sides of a command", func(ctx context.Context, r store.Reader) error {
		var err error
		if bot, err = r.AccountByHandle(ctx, systemHandle); err != nil {
			return err
		}
		asker, err = r.Account(ctx, cmd.from)
		return err
	})
	if err != nil {
		return err
	}
	if bot.ID != cmd.to || bot.Kind != chat.KindSystem || asker.Gone() {
		return nil
	}
	word, rest := firstWord(cmd.text)
	var answer func() (string, error)
	switch word {
	case "/help", "/start":
		answer = func() (string, error) { return supportHelp, nil }
	case "/report":
		answer = func() (string, error) { return s.takeReport(ctx, asker, rest) }
	default:
		return nil
	}
	text, ok := s.throttleSupport(asker)
	if ok {
		if text, err = answer(); err != nil {
			return err
		}
	}
	if text == "" {
		return nil
	}
	_, err = s.SendMessage(ctx, Call{
		Actor:   Actor{Account: bot.ID, Kind: chat.CredentialKey, Is: bot.Kind},
		Surface: chat.SurfaceAgentChat,
	}, NewMessage{
		Kind: chat.ConversationDirect, Peer: asker.ID, ClientID: secret.NewToken(""), Type: chat.MessageText, Text: text,
	})
	return err
}

// firstWord splits a text into its first word, in lower case, and what follows.
func firstWord(text string) (word, rest string) {
	text = strings.TrimSpace(text)
	if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
		text, rest = text[:end], strings.TrimSpace(text[end:])
	}
	return strings.ToLower(text), rest
}

// throttleSupport counts a command. If it is too many the answer is the notice, once
// a day, and else silence.
func (s *Service) throttleSupport(asker *chat.Account) (notice string, ok bool) {
	key := accountKey(asker.ID)
	daily := rateSupportDaily
	if s.now().Sub(asker.CreatedAt) < supportYoung {
		daily = rateSupportYoung
	}
	if s.take(rateSupport, key) == nil && s.take(daily, key) == nil {
		return "", true
	}
	if s.take(rateSupportNotice, key) == nil {
		return supportTooOften, false
	}
	return "", false
}

// takeReport stores what somebody reports, "<category> <text>", and returns what to
// say to it.
func (s *Service) takeReport(ctx context.Context, asker *chat.Account, report string) (string, error) {
	category, text := firstWord(report)
	switch category {
	case "bug", "feature", "abuse", "other":
	default:
		return supportUsage, nil
	}
	if text == "" {
		return supportUsage, nil
	}
	err := s.update(ctx, "store escalation", func(ctx context.Context, ch *change) error {
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		return ch.InsertEscalation(ctx, &chat.Escalation{
			ID: chat.EscalationID(n), Account: asker.ID, Category: category, Text: cut(text, supportText),
			Status: chat.EscalationOpen, CreatedAt: ch.at, UpdatedAt: ch.at,
		})
	})
	return supportThanks, err
}
