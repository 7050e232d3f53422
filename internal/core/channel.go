package core

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// ListChannels lists the text channels of a space that the caller may view, by
// position, then creation (OC 9.1).
func (s *Service) ListChannels(ctx context.Context, c Call, space chat.SpaceID) ([]chat.Channel, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var out []chat.Channel
	err := s.view(ctx, "list channels", func(ctx context.Context, r store.Reader) error {
		if _, err := spaceFor(ctx, r, space, c.Actor.Account, 0); err != nil {
			return err
		}
		m, err := memberOf(ctx, r, space, c.Actor.Account)
		if err != nil {
			return err
		}
		all, err := r.Channels(ctx, space)
		if err != nil {
			return err
		}
		out = make([]chat.Channel, 0, len(all))
		for _, channel := range all {
			e, err := entitlementsIn(ctx, r, channel.ID, m)
			if err != nil {
				return err
			}
			if channel.Type == chat.ChannelText && e.Has(chat.EntViewChannel) {
				out = append(out, channel)
			}
		}
		return nil
	})
	return out, err
}

// ShowChannel returns a channel to those who may view it.
func (s *Service) ShowChannel(ctx context.Context, c Call, channel chat.ConversationID) (*chat.Channel, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var out *chat.Channel
	err := s.view(ctx, "read channel", func(ctx context.Context, r store.Reader) error {
		var err error
		out, _, err = channelFor(ctx, r, channel, c.Actor.Account, 0)
		return err
	})
	return out, err
}

// NewChannel is what a new channel is made from.
type NewChannel struct {
	Name  string
	Topic string
}

// CreateChannel adds a text channel behind the last one; it needs manageChannels
// (OC 9.2). It fails with field_required, field_invalid, field_length or
// channel_cap.
func (s *Service) CreateChannel(ctx context.Context, c Call, space chat.SpaceID, in NewChannel) (*chat.Channel, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var out *chat.Channel
	err := s.update(ctx, "create channel", func(ctx context.Context, ch *change) error {
		sp, err := spaceFor(ctx, ch, space, c.Actor.Account, chat.EntManageChannels)
		if err != nil {
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		l := limits(c.Surface)
		name, err := channelName(in.Name, l)
		if err != nil {
			return err
		}
		topic, err := trimmed("topic", in.Topic, 0, l.ChannelTopic)
		if err != nil {
			return err
		}
		all, err := ch.Channels(ctx, space)
		if err != nil {
			return err
		}
		if len(all) >= limits(sp.MadeBy).SpaceChannels {
			return chat.Fail(chat.CodeChannelCap)
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		now := s.now()
		out = &chat.Channel{ID: chat.ConversationID(n), Space: space, Name: name, Topic: topic, CreatedAt: now, UpdatedAt: now}
		for _, other := range all {
			out.Position = max(out.Position, other.Position+1)
		}
		return insertChannel(ctx, ch, c.Actor.Account, out)
	})
	return out, err
}

func insertChannel(ctx context.Context, ch *change, actor chat.AccountID, channel *chat.Channel) error {
	snapshot := *channel
	ch.emit(chat.Event{
		Kind: chat.EventChannelCreated, Actor: actor, Space: channel.Space, Conversation: channel.ID, Channel: &snapshot,
	})
	return ch.InsertChannel(ctx, channel)
}

// ChannelChange is a partial update of a channel.
type ChannelChange struct {
	Name     chat.Opt[string]
	Topic    chat.Opt[string] // null or blank clears
	Position chat.Opt[int64]
}

// UpdateChannel changes a channel; it needs manageChannels (OC 9.3). It fails
// with nothing_to_update, field_required, field_invalid or field_length.
func (s *Service) UpdateChannel(ctx context.Context, c Call, channel chat.ConversationID, in ChannelChange) (*chat.Channel, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var out *chat.Channel
	err := s.update(ctx, "update channel", func(ctx context.Context, ch *change) error {
		var err error
		if out, _, err = channelFor(ctx, ch, channel, c.Actor.Account, chat.EntManageChannels); err != nil {
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		if err := in.apply(out, limits(c.Surface)); err != nil {
			return err
		}
		out.UpdatedAt = s.now()
		snapshot := *out
		ch.emit(chat.Event{
			Kind: chat.EventChannelUpdated, Actor: c.Actor.Account, Space: out.Space, Conversation: out.ID, Channel: &snapshot,
		})
		return ch.UpdateChannel(ctx, out)
	})
	return out, err
}

func (in ChannelChange) apply(channel *chat.Channel, l Limits) error {
	named := in.Name.Present && !in.Name.Null
	placed := in.Position.Present && !in.Position.Null
	if !named && !placed && !in.Topic.Present {
		return chat.Fail(chat.CodeNothingToUpdate)
	}
	if named {
		name, err := channelName(in.Name.Value, l)
		if err != nil {
			return err
		}
		channel.Name = name
	}
	if in.Topic.Present {
		topic, err := trimmed("topic", in.Topic.Value, 0, l.ChannelTopic)
		if err != nil {
			return err
		}
		channel.Topic = topic
	}
	if placed {
		if in.Position.Value < 0 || in.Position.Value > int64(l.ChannelPosition) {
			return chat.FailField(chat.CodeFieldInvalid, "position")
		}
		channel.Position = int(in.Position.Value)
	}
	return nil
}

// DeleteChannel makes a channel unknown at once; its messages are removed in the
// background. It needs manageChannels. Through /api the last text channel of a
// space stays: last_channel (OC 9.4).
func (s *Service) DeleteChannel(ctx context.Context, c Call, channel chat.ConversationID) error {
	if err := c.signedIn(); err != nil {
		return err
	}
	err := s.update(ctx, "delete channel", func(ctx context.Context, ch *change) error {
		old, _, err := channelFor(ctx, ch, channel, c.Actor.Account, chat.EntManageChannels)
		if err != nil {
			return err
		}
		if c.Surface == chat.SurfaceOpenCord {
			all, err := ch.Channels(ctx, old.Space)
			if err != nil {
				return err
			}
			text := 0
			for _, other := range all {
				if other.Type == chat.ChannelText {
					text++
				}
			}
			if text == 1 {
				return chat.Fail(chat.CodeLastChannel)
			}
		}
		ch.emit(chat.Event{
			Kind: chat.EventChannelDeleted, Actor: c.Actor.Account, Space: old.Space, Conversation: old.ID, Channel: old,
		})
		return ch.DeleteChannel(ctx, channel, s.now())
	})
	if err == nil {
		s.wakeJanitor()
	}
	return err
}

// channelName brings a channel name into its stored form: one leading # dropped,
// lower case, runs of blanks turned into one hyphen; letters of any script,
// digits, hyphen and underscore only (OC 9).
func channelName(name string, l Limits) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", chat.FailField(chat.CodeFieldRequired, "name")
	}
	name = strings.ToLower(strings.TrimPrefix(name, "#"))
	name = strings.Join(strings.Fields(name), "-")
	n := utf8.RuneCountInString(name)
	if n < 1 || n > l.ChannelName || strings.ContainsFunc(name, notInChannelName) {
		return "", chat.FailField(chat.CodeFieldInvalid, "name")
	}
	return name, nil
}

// notInChannelName takes marks for letters: without them many scripts cannot be
// written.
func notInChannelName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
}
