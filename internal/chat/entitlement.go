package chat

// Entitlements is a set of permission bits (AG 6.1).
type Entitlements uint64

// The entitlement bits. The numbers are stored, shown to bots and never change.
const (
	EntViewChannel      Entitlements = 1 << 0
	EntReadHistory      Entitlements = 1 << 1
	EntJoinVoice        Entitlements = 1 << 2
	EntSendMessages     Entitlements = 1 << 5
	EntSendVoice        Entitlements = 1 << 6
	EntAttachFiles      Entitlements = 1 << 7
	EntAddReactions     Entitlements = 1 << 8
	EntAnyMentions      Entitlements = 1 << 9
	EntMentionEveryone  Entitlements = 1 << 10
	EntExternalEmoji    Entitlements = 1 << 11
	EntExternalStickers Entitlements = 1 << 12
	EntUseCommands      Entitlements = 1 << 13
	EntEmbedLinks       Entitlements = 1 << 14
	EntConnect          Entitlements = 1 << 20
	EntSpeak            Entitlements = 1 << 21
	EntVideo            Entitlements = 1 << 22
	EntStream           Entitlements = 1 << 23
	EntKickMember       Entitlements = 1 << 44
	EntManageChannels   Entitlements = 1 << 50
	EntManageArchetype  Entitlements = 1 << 51
	EntManageBots       Entitlements = 1 << 52
	EntManageServer     Entitlements = 1 << 55
	EntManageMessages   Entitlements = 1 << 56

	// EntAll is every bit: the holder is an administrator, whom no channel
	// overwrite binds.
	EntAll Entitlements = 1<<64 - 1

	// EntEveryone is what the default archetype of a new space grants (AG 6.2).
	EntEveryone = EntViewChannel | EntReadHistory | EntJoinVoice |
		EntSendMessages | EntSendVoice | EntAttachFiles | EntAddReactions | EntAnyMentions |
		EntMentionEveryone | EntExternalEmoji | EntExternalStickers | EntUseCommands | EntEmbedLinks |
		EntConnect | EntSpeak | EntVideo | EntStream
)

// Has tells whether every bit of want is in e.
func (e Entitlements) Has(want Entitlements) bool { return e&want == want }
