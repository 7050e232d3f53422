package core

import (
	"context"
	"net/url"
	"strconv"

	"parley/internal/chat"
	"parley/internal/store"
)

// GroupChange is a partial update of a group.
type GroupChange struct {
	Name        chat.Opt[string]
	Description chat.Opt[string] // null or blank clears
	AvatarURL   chat.Opt[string] // null clears; either way an uploaded picture goes
}

// apply changes a group and lists the system messages that tell of it. It fails
// with field_required, field_length or field_invalid.
func (in GroupChange) apply(g *chat.Group, l Limits) (told []string, err error) {
	was := *g
	if in.Name.Present && !in.Name.Null {
		if g.Name, err = trimmed("name", in.Name.Value, 1, l.GroupName); err != nil {
			return nil, err
		}
	}
	if in.Description.Present {
		if g.Description, err = trimmed("description", in.Description.Value, 0, l.GroupDescription); err != nil {
			return nil, err
		}
	}
	if in.AvatarURL.Present {
		if !in.AvatarURL.Null && !pictureURL(in.AvatarURL.Value, l) {
			return nil, chat.FailField(chat.CodeFieldInvalid, "avatar_url")
		}
		g.Avatar, g.AvatarURL = "", in.AvatarURL.Value
	}
	if g.Name != was.Name {
		told = append(told, noticeName)
	}
	if g.Description != was.Description {
		told = append(told, noticeDescription)
	}
	if g.Avatar != was.Avatar || g.AvatarURL != was.AvatarURL {
		told = append(told, noticeAvatar)
	}
	return told, nil
}

// pictureURL tells whether a text is an absolute address that a browser may be
// shown a picture from.
func pictureURL(text string, l Limits) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= l.PictureURL && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// UpdateGroup changes a group for an admin (AC 16.4). Each field that changed is
// told in a system message. It fails as groupSeat and apply do, and with
// not_permitted.
func (s *Service) UpdateGroup(
	ctx context.Context, c Call, group chat.ConversationID, in GroupChange,
) (*chat.GroupView, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	return s.changeGroup(ctx, c, "update group", group, c.Actor.Account, func(g *chat.Group) ([]string, error) {
		return in.apply(g, limits(c.Surface))
	})
}

// SetGroupAvatar makes an uploaded picture that of a group, for an admin, and
// returns its key (AC 16.6). It fails as groupSeat and storeAvatar do, and with
// not_permitted.
func (s *Service) SetGroupAvatar(ctx context.Context, c Call, group chat.ConversationID, picture []byte) (string, error) {
	if err := c.agent(); err != nil {
		return "", err
	}
	return s.setGroupAvatar(ctx, c, group, c.Actor.Account, picture)
}

// setGroupAvatar is SetGroupAvatar for whoever may speak for actor.
func (s *Service) setGroupAvatar(
	ctx context.Context, c Call, group chat.ConversationID, actor chat.AccountID, picture []byte,
) (string, error) {
	if err := s.checkAdmin(ctx, c, group, actor); err != nil {
		return "", err
	}
	key, err := s.storeAvatar(ctx, c, groupAvatars, strconv.FormatInt(int64(group), 10), picture)
	if err != nil {
		return "", err
	}
	view, err := s.changeGroup(ctx, c, "set group avatar", group, actor, func(g *chat.Group) ([]string, error) {
		if g.Avatar == key {
			return nil, nil
		}
		g.Avatar, g.AvatarURL = key, ""
		return []string{noticeAvatar}, nil
	})
	if err != nil {
		return "", err
	}
	return view.Group.Avatar, nil
}

// RemoveGroupAvatar takes the picture of a group away, wherever it is, for an admin
// (AC 16.6): avatar_unknown if there is none. It fails as groupSeat does, and with
// not_permitted or rate_limited.
func (s *Service) RemoveGroupAvatar(ctx context.Context, c Call, group chat.ConversationID) error {
	if err := c.agent(); err != nil {
		return err
	}
	return s.removeGroupAvatar(ctx, c, group, c.Actor.Account)
}

// removeGroupAvatar is RemoveGroupAvatar for whoever may speak for actor.
func (s *Service) removeGroupAvatar(ctx context.Context, c Call, group chat.ConversationID, actor chat.AccountID) error {
	if err := s.checkAdmin(ctx, c, group, actor); err != nil {
		return err
	}
	if err := s.takeOf(c, rateAvatars, accountKey(c.Actor.Account)); err != nil {
		return err
	}
	_, err := s.changeGroup(ctx, c, "remove group avatar", group, actor, func(g *chat.Group) ([]string, error) {
		if g.Avatar == "" && g.AvatarURL == "" {
			return nil, chat.Fail(chat.CodeAvatarUnknown)
		}
		g.Avatar, g.AvatarURL = "", ""
		return []string{noticeAvatar}, nil
	})
	return err
}

// checkAdmin spares whoever may not change a group the cost of trying.
func (s *Service) checkAdmin(ctx context.Context, c Call, group chat.ConversationID, actor chat.AccountID) error {
	if c.Once.replays() {
		return nil
	}
	return s.view(ctx, "check group", func(ctx context.Context, r store.Reader) error {
		_, err := administered(ctx, r, group, actor)
		return err
	})
}

// changeGroup changes a group for an admin, tells its members what apply says has
// changed, drops an uploaded picture that is no longer shown, and returns the group
// as it is then.
func (s *Service) changeGroup(
	ctx context.Context, c Call, doing string, group chat.ConversationID, actor chat.AccountID,
	apply func(*chat.Group) (told []string, err error),
) (*chat.GroupView, error) {
	out, dropped := new(chat.GroupView), ""
	err := s.perform(ctx, c, doing, out, func(ctx context.Context, ch *change) error {
		dropped = ""
		g, err := administered(ctx, ch, group, actor)
		if err != nil {
			return err
		}
		before := g.Avatar
		told, err := apply(g)
		if err != nil {
			return err
		}
		if g.Avatar != before {
			dropped = before
		}
		if len(told) > 0 {
			if err := s.storeChanged(ctx, ch, g, actor, told); err != nil {
				return err
			}
		}
		view, err := s.groupFor(ctx, ch, group, actor)
		if err == nil {
			*out = *view
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.dropAvatar(ctx, dropped)
	return out, nil
}

// storeChanged stores a changed group and tells its members.
func (s *Service) storeChanged(ctx context.Context, ch *change, g *chat.Group, actor chat.AccountID, told []string) error {
	if err := ch.UpdateGroup(ctx, g); err != nil {
		return err
	}
	by, err := ch.Account(ctx, actor)
	if err != nil {
		return err
	}
	for _, event := range told {
		facts := notice{"actor_handle": by.Handle}
		if event == noticeName {
			facts["new_name"] = g.Name
		}
		if _, err := s.tell(ctx, ch, g.ID, actor, event, facts); err != nil {
			return err
		}
	}
	return s.regrouped(ctx, ch, g.ID, actor)
}
