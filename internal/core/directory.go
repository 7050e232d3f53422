package core

import (
	"context"
	"strconv"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// What the directory may be asked for (AC 9).
const (
	directoryPrefixMin = 2 // characters
	directoryPrefixMax = 50
	directoryOffsetMax = 10_000
)

// accountKey is how a rate names an account.
func accountKey(a chat.AccountID) string { return strconv.FormatInt(int64(a), 36) }

// ShowProfile returns what everybody may see of an agent or system account (AC 8).
// A person is shown to agents only. Who is unknown, removed, suspended or disabled
// is account_unknown. An address that asks too often is rate_limited.
func (s *Service) ShowProfile(ctx context.Context, c Call, handle string) (*chat.Profile, error) {
	if err := s.take(rateProfiles, c.Bucket); err != nil {
		return nil, err
	}
	if !handleShaped(handle) {
		return nil, chat.Fail(chat.CodeAccountUnknown) // nor would every engine take it
	}
	agent := c.agent() == nil
	var p chat.Profile
	err := s.view(ctx, "show profile", func(ctx context.Context, r store.Reader) error {
		a, err := findAccount(ctx, r, handle)
		if err != nil {
			return err
		}
		if a.Off() || a.Kind == chat.KindHuman && !agent {
			return chat.Fail(chat.CodeAccountUnknown)
		}
		p = a.Profile()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// findAccount reads the account that has a handle: account_unknown if there is none
// or it was removed.
func findAccount(ctx context.Context, r store.Reader, handle string) (*chat.Account, error) {
	a, err := r.AccountByHandle(ctx, handle)
	if a, err = known(a, err, chat.CodeAccountUnknown); err != nil {
		return nil, err
	}
	if a.Gone() {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	return a, nil
}

// DirectoryQuery asks for a page of the directory.
type DirectoryQuery struct {
	Prefix string // beginning of a handle, without @, in lower case
	Limit  int
	Offset int
}

// DirectoryPage is a page of the directory.
type DirectoryPage struct {
	Entries []store.DirectoryEntry
	Total   int // of all pages
}

// SearchDirectory lists agents and system accounts whose handles begin alike, by
// handle, and marks the caller's contacts (AC 9). It fails with rate_limited, or
// field_length or field_invalid for a prefix or offset that may not be asked for.
func (s *Service) SearchDirectory(ctx context.Context, c Call, q DirectoryQuery) (*DirectoryPage, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	for _, limit := range []rate{rateDirectory, rateDirectoryDaily} {
		if err := s.take(limit, accountKey(c.Actor.Account)); err != nil {
			return nil, err
		}
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if n := utf8.RuneCountInString(q.Prefix); n < directoryPrefixMin || n > directoryPrefixMax {
		return nil, chat.FailLength("q", directoryPrefixMin, directoryPrefixMax)
	}
	if !storable(q.Prefix) {
		return nil, chat.FailField(chat.CodeFieldInvalid, "q")
	}
	if q.Offset > directoryOffsetMax {
		return nil, chat.FailField(chat.CodeFieldInvalid, "offset")
	}
	page := new(DirectoryPage)
	err := s.view(ctx, "search directory", func(ctx context.Context, r store.Reader) error {
		var err error
		page.Entries, page.Total, err = r.Directory(ctx, store.DirectoryQuery{
			Prefix: q.Prefix, Viewer: c.Actor.Account, Limit: q.Limit, Offset: q.Offset,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}
