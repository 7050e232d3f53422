package chat

import "time"

// Space is a community: channels, members and what they may do.
type Space struct {
	ID          SpaceID
	MadeBy      Surface // whose caps on members and channels apply
	Name        string
	Description string // "" is none
	Owner       AccountID
	InviteCode  string
	MemberCount int
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// SpaceMember is an account in a space.
type SpaceMember struct {
	Space    SpaceID
	Account  AccountID
	Grants   Entitlements // the union over the archetypes held
	JoinedAt time.Time
}

// Archetype is a named set of entitlements in a space. Every member holds the
// default one.
type Archetype struct {
	ID      ArchetypeID
	Space   SpaceID
	Name    string
	Grants  Entitlements
	Default bool
	Hidden  bool
	Locked  bool
}

// ChannelType tells what happens in a channel.
type ChannelType uint8

// The channel types. The numbers are stored and never change.
const (
	ChannelText         ChannelType = 0
	ChannelVoice        ChannelType = 1
	ChannelAnnouncement ChannelType = 2
)

// Channel is the part of a channel conversation that belongs to its space.
type Channel struct {
	ID        ConversationID
	Space     SpaceID
	Name      string
	Topic     string // "" is none
	Type      ChannelType
	Position  int
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Overwrite changes what holders of an archetype, or one member, may do in one
// channel. Exactly one of Archetype and Account is set.
type Overwrite struct {
	Channel   ConversationID
	Archetype ArchetypeID
	Account   AccountID
	Allow     Entitlements
	Deny      Entitlements
}
