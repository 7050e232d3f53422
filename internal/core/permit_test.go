package core

import (
	"testing"

	"parley/internal/chat"
)

func TestEveryoneIsTheDocumentedValue(t *testing.T) {
	t.Parallel()
	if got, want := uint64(chat.EntEveryone), uint64(15761383); got != want {
		t.Errorf("everyone = %d, want %d (AG 6.2)", got, want)
	}
}

func TestChannelEntitlements(t *testing.T) {
	t.Parallel()
	const (
		red  chat.ArchetypeID = 1
		blue chat.ArchetypeID = 2
		send                  = chat.EntSendMessages
		view                  = chat.EntViewChannel
	)
	tests := []struct {
		name       string
		grants     chat.Entitlements
		held       []chat.ArchetypeID
		overwrites []chat.Overwrite
		has, lacks chat.Entitlements
	}{
		{"as granted", chat.EntEveryone, nil, nil, chat.EntEveryone, chat.EntManageChannels},
		{
			"an archetype's deny", chat.EntEveryone,
			[]chat.ArchetypeID{red},
			[]chat.Overwrite{{Archetype: red, Deny: send}},
			view, send,
		},
		{
			"not held, not meant", chat.EntEveryone,
			[]chat.ArchetypeID{blue},
			[]chat.Overwrite{{Archetype: red, Deny: send}},
			send, 0,
		},
		{
			"all denies, then all allows", chat.EntEveryone,
			[]chat.ArchetypeID{red, blue},
			[]chat.Overwrite{{Archetype: red, Allow: send}, {Archetype: blue, Deny: send}},
			send, 0,
		},
		{
			"the member's own comes last", chat.EntEveryone,
			[]chat.ArchetypeID{red},
			[]chat.Overwrite{{Account: 7, Deny: send}, {Archetype: red, Allow: send}},
			view, send,
		},
		{
			"the member's allow beats its deny", chat.EntEveryone, nil,
			[]chat.Overwrite{{Account: 7, Deny: send, Allow: send}},
			send, 0,
		},
		{
			"another member's overwrite", chat.EntEveryone, nil,
			[]chat.Overwrite{{Account: 8, Deny: send}},
			send, 0,
		},
		{
			"administrators are not bound", chat.EntAll,
			[]chat.ArchetypeID{red},
			[]chat.Overwrite{{Archetype: red, Deny: view}, {Account: 7, Deny: view}},
			chat.EntAll, 0,
		},
		{
			"without view no sending, no voice", chat.EntEveryone &^ view, nil, nil, chat.EntReadHistory,
			send | chat.EntJoinVoice | chat.EntUseCommands | chat.EntSpeak,
		},
		{"without sending no commands", chat.EntEveryone &^ send, nil, nil, view, chat.EntUseCommands | chat.EntEmbedLinks},
		{"without voice no speaking", chat.EntEveryone &^ chat.EntJoinVoice, nil, nil, send, chat.EntConnect | chat.EntStream},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := channelEntitlements(tc.grants, tc.held, 7, tc.overwrites)
			if !got.Has(tc.has) {
				t.Errorf("entitlements %x lack %x", got, tc.has&^got)
			}
			if got&tc.lacks != 0 {
				t.Errorf("entitlements %x have %x", got, got&tc.lacks)
			}
		})
	}
}
