package core

import (
	"time"

	"parley/internal/chat"
)

// Limits are the numbers of one surface. Caps on what a space holds are those of
// the surface that made the space; all others are those of the surface called.
type Limits struct {
	// Requests per minute, in fixed windows aligned to whole minutes; 0: no limit.
	RequestsPerAddress int // everything without a valid key, by client address
	RequestsPerKey     int // a valid key, by key
	RequestsPerAgent   int // any valid credential of an agent, by account; 0: as above

	SessionLife time.Duration // absolute, not extended by use
	SessionCap  int           // live sessions per account; one more ends the oldest
	KeyCap      int           // live keys per account
	PairedLogin bool          // failed logins are limited per client and address
	PeopleOnly  bool          // agents may not log in

	KeyName          int // characters
	TextChars        int // characters of one message; 0: ContentBytes alone counts
	ContentBytes     int // text, data and metadata of one message as JSON; 0: TextChars alone counts
	UsernameMin      int
	UsernameMax      int
	AnyScript        bool // usernames have letters of any script
	DisplayName      int  // characters
	StatusText       int  // characters
	SpaceName        int  // characters
	SpaceDescription int  // characters
	ChannelName      int  // characters
	ChannelTopic     int  // characters
	ChannelPosition  int  // highest position

	Page        int // messages of a page when none is asked for
	PageMax     int
	DirectsPage int // direct conversations of a page, also the most

	Sends       int // messages of one account per second, after policy; 0: no limit
	SystemSends int // ... of a system account
	GroupSends  int // messages of all members into one group per second; 0: no limit

	Memberships   int // spaces per account
	SpaceMembers  int // members per space
	SpaceChannels int // channels per space

	GroupName        int // characters
	GroupDescription int // characters
	PictureURL       int // bytes of an address of a picture elsewhere
	GroupHandles     int // named when a group is made
	GroupMembers     int // active ones per group
	GroupInvites     int // made by one account within inviteWindow
	GroupMemberships int // groups of this surface per account; 0: no limit

	Agents     int // made by one person
	AgentName  int // characters
	AgentAbout int // characters
}

// Passwords of every surface: characters, not bytes. The upper bound keeps the
// cost of hashing bounded.
const (
	passwordMin = 8
	passwordMax = 128
	addressMax  = 254 // bytes of a login address
	mailboxMax  = 320 // characters of an address that codes are mailed to
)

// Failed logins per client and address, in fixed windows aligned to five minutes.
const (
	loginFailures = 10
	loginWindow   = 5 * time.Minute
)

// maxBuckets bounds the memory of one rate limiter: distinct keys per window.
const maxBuckets = 200_000

// The guard and the backlog are properties of the recipient, the same on every
// surface (AC 21.1, 21.6).
const (
	coldCap        = 100            // unanswered new conversations with guarded accounts ...
	coldWindow     = 24 * time.Hour // ... in this time
	backlogWarn    = 5_000          // pending envelopes from which the sender is warned
	backlogStop    = 10_000         // ... from which a direct send is refused, a group member skipped
	backlogExact   = 4_900          // ... from which memory is not trusted and the store counts
	backlogRetry   = time.Minute    // what a refused sender is told to wait
	pendingTrust   = 10 * time.Second
	eventRetention = 24 * time.Hour
	inviteWindow   = 24 * time.Hour // the limit on invitations looks back this far (AC 2.9)
)

// limits returns the numbers of a surface.
func limits(surface chat.Surface) Limits {
	switch surface {
	case chat.SurfaceAgentChat:
		return agentChatLimits()
	case chat.SurfaceAIClient:
		return aiClientLimits()
	default:
		return openCordLimits()
	}
}

// agentChatLimits are those of AC 2.9, 14.2 and 29.
func agentChatLimits() Limits {
	return Limits{
		SessionLife:  time.Hour,
		SessionCap:   50,
		KeyCap:       1,
		ContentBytes: 32_768,
		DisplayName:  100,
		StatusText:   200,
		Sends:        60,
		SystemSends:  200,
		GroupSends:   20,

		GroupName:        100,
		GroupDescription: 500,
		PictureURL:       2048,
		GroupHandles:     255,
		GroupMembers:     256,
		GroupInvites:     50,
	}
}

// openCordLimits are those of OC 6, 7, 8.2, 8.6, 9 and 11.
func openCordLimits() Limits {
	return Limits{
		RequestsPerAddress: 200,
		RequestsPerKey:     400,
		SessionLife:        24 * time.Hour,
		SessionCap:         50,
		KeyCap:             10,
		PairedLogin:        true,
		KeyName:            64,
		TextChars:          4000,
		UsernameMin:        3,
		UsernameMax:        32,
		DisplayName:        32,
		StatusText:         128,
		SpaceName:          100,
		SpaceDescription:   500,
		ChannelName:        100,
		ChannelTopic:       1024,
		ChannelPosition:    1000,
		Page:               50,
		PageMax:            100,
		DirectsPage:        1000,
		Memberships:        100,
		SpaceMembers:       1000,
		SpaceChannels:      100,
	}
}

// aiClientLimits are those of AI 6, 8 and 10.
func aiClientLimits() Limits {
	return Limits{
		RequestsPerAddress: 100,
		RequestsPerAgent:   100,
		SessionLife:        24 * time.Hour,
		SessionCap:         50,
		KeyCap:             1,
		PeopleOnly:         true,
		TextChars:          4000,
		UsernameMin:        2,
		UsernameMax:        32,
		AnyScript:          true,
		Page:               50,
		PageMax:            100,
		GroupName:          100,
		GroupDescription:   500,
		GroupMembers:       500,
		GroupMemberships:   100,
		Agents:             20,
		AgentName:          50,
		AgentAbout:         500,
	}
}
