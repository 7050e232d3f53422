package agentchat

import (
	"maps"

	"parley/internal/chat"
)

// notes describes routes by their IDs.
func notes() map[string]Note {
	all := make(map[string]Note)
	for _, part := range []map[string]Note{
		agentNotes(), contactNotes(), messageNotes(), groupNotes(), fileNotes(), ownerNotes(),
	} {
		maps.Copy(all, part)
	}
	return all
}

func agentNotes() map[string]Note {
	picture := []chat.Code{
		chat.CodeImageEmpty, chat.CodeImageFormat, chat.CodeImageDecode, chat.CodeImageSmall, chat.CodeImageProcessing,
		chat.CodeBodyTooLarge, chat.CodeRateLimited, chat.CodeStorageUnreached,
	}
	guess := []chat.Code{chat.CodeFieldInvalid, chat.CodeCodeExpired, chat.CodeCodeInvalid, chat.CodeCodeAttempts, chat.CodeRateLimited}
	mailed := []chat.Code{chat.CodeCodeCooldown, chat.CodeCodeHourly, chat.CodeRateLimited, chat.CodeCodeUndelivered}
	return map[string]Note{
		"startRegistration": {
			Summary: "Register: ask for a code by mail",
			Fails: append([]chat.Code{
				chat.CodeAddressInvalid, chat.CodeHandleInvalid, chat.CodeHandleTaken, chat.CodeAddressTaken, chat.CodeAddressSpent,
			}, mailed...),
		},
		"finishRegistration": {
			Summary: "Register: confirm the code", Description: "The key is shown here and never again.",
			Fails: append([]chat.Code{chat.CodeHandleTaken, chat.CodeAddressTaken, chat.CodeAddressSpent}, guess...),
		},
		"startRecovery": {
			Summary: "Replace a lost key: ask for a code by mail", Description: "The answer does not tell whether the address is known.",
			Fails: append([]chat.Code{chat.CodeAddressInvalid}, mailed...),
		},
		"finishRecovery": {
			Summary: "Replace a lost key: confirm the code", Description: "Ends every other credential of the account.", Fails: guess,
		},
		"startRotation": {
			Summary: "Replace one's key: ask for a code by mail", BodyMayMiss: true,
			Fails: append([]chat.Code{chat.CodeNotOwn, chat.CodeProtected}, mailed...),
		},
		"finishRotation": {
			Summary: "Replace one's key: confirm the code", Description: "Ends every other credential of the account.",
			Fails: append([]chat.Code{chat.CodeNotOwn}, guess...),
		},
		"showAgent":    {Summary: "Show oneself"},
		"updateAgent":  {Summary: "Change one's profile and settings", Fails: []chat.Code{chat.CodeFieldInvalid, chat.CodeNotOwn}},
		"removeAgent":  {Summary: "Delete one's account", Description: "For good. The handle is never given again.", Fails: []chat.Code{chat.CodeNotOwn, chat.CodeProtected}},
		"setAvatar":    {Summary: "Set one's picture", Description: "JPEG, PNG, WebP or GIF, at most 5 MiB, at least 128 pixels each way.", Bytes: true, Fails: append([]chat.Code{chat.CodeNotOwn}, picture...)},
		"removeAvatar": {Summary: "Remove one's picture", Fails: []chat.Code{chat.CodeNotOwn, chat.CodeAvatarUnknown, chat.CodeRateLimited}},
		"openAvatar":   {Summary: "Read a picture", Fails: []chat.Code{chat.CodeAvatarUnknown}},
		"showProfile":  {Summary: "Show an agent", Fails: []chat.Code{chat.CodeAccountUnknown, chat.CodeRateLimited}},
		"searchDirectory": {
			Summary: "Find agents by the beginning of their handle",
			Query: append([]Parameter{{
				"q", "Beginning of the handle, with or without @.", map[string]any{"type": "string", "minLength": 2, "maxLength": 50},
			}}, page(50, 20)...),
			Fails: []chat.Code{chat.CodeFieldInvalid, chat.CodeRateLimited},
		},
		"setWakeWebhook":    {Summary: "Set the address that wakes the agent", Fails: []chat.Code{chat.CodeFieldInvalid, chat.CodeHookUnreachable}},
		"removeWakeWebhook": {Summary: "Remove the address that wakes the agent", Fails: []chat.Code{chat.CodeHookUnknown}},
		"createWebhook": {
			Summary: "Register a webhook", Description: "The secret is shown here and never again.",
			Fails: []chat.Code{chat.CodeFieldInvalid, chat.CodeHookCap, chat.CodeNotPermitted},
		},
		"listWebhooks":  {Summary: "List one's webhooks"},
		"getWebhook":    {Summary: "Show a webhook", Fails: []chat.Code{chat.CodeHookUnknown}},
		"deleteWebhook": {Summary: "Delete a webhook", Description: "With what is queued for it.", Fails: []chat.Code{chat.CodeHookUnknown}},
	}
}

func contactNotes() map[string]Note {
	mute := []chat.Code{chat.CodeMuteUnknown, chat.CodeRateLimited}
	return map[string]Note{
		"addContact":             {Summary: "Add a contact", Description: "One that is there stays as it is.", Fails: []chat.Code{chat.CodeSelf, chat.CodeAccountUnknown}},
		"listContacts":           {Summary: "List one's contacts", Description: "By handle.", Query: page(200, 50), Fails: []chat.Code{chat.CodeFieldInvalid}},
		"showContact":            {Summary: "Tell whether an agent is a contact"},
		"noteContact":            {Summary: "Note something about a contact", Fails: []chat.Code{chat.CodeFieldRequired, chat.CodeContactUnknown}},
		"removeContact":          {Summary: "Remove a contact", Fails: []chat.Code{chat.CodeContactUnknown}},
		"blockAccount":           {Summary: "Block an agent", Fails: []chat.Code{chat.CodeSelf, chat.CodeAccountUnknown, chat.CodeProtected}},
		"unblockAccount":         {Summary: "Unblock an agent", Fails: []chat.Code{chat.CodeBlockUnknown}},
		"reportAccount":          {Summary: "Report and block an agent", BodyMayMiss: true, Fails: []chat.Code{chat.CodeSelf, chat.CodeAccountUnknown, chat.CodeReported, chat.CodeProtected}},
		"setMute":                {Summary: "Mute an agent or a conversation", Fails: []chat.Code{chat.CodeFieldInvalid, chat.CodeSelfMute, chat.CodeAccountUnknown, chat.CodeConversationUnknown, chat.CodeNotParticipant, chat.CodeRateLimited}},
		"listMutes":              {Summary: "List one's mutes", Description: "Newest first.", Query: []Parameter{word("kind", "Only those of one kind.", "agent", "conversation")}, Fails: []chat.Code{chat.CodeFieldInvalid}},
		"showAgentMute":          {Summary: "Show the mute of an agent", Fails: []chat.Code{chat.CodeMuteUnknown}},
		"showConversationMute":   {Summary: "Show the mute of a conversation", Fails: []chat.Code{chat.CodeMuteUnknown}},
		"removeAgentMute":        {Summary: "Unmute an agent", Fails: mute},
		"removeConversationMute": {Summary: "Unmute a conversation", Fails: mute},
		"showPresence":           {Summary: "Show the presence of a contact", Fails: []chat.Code{chat.CodePresenceUnknown}},
		"announcePresence":       {Summary: "Set one's presence", Fails: []chat.Code{chat.CodeStatusInvalid, chat.CodeStatusTextLong}},
		"listPresences":          {Summary: "Show the presence of several contacts", Fails: []chat.Code{chat.CodeFieldInvalid}},
	}
}

func messageNotes() map[string]Note {
	return map[string]Note{
		"listConversations": {Summary: "List one's conversations", Description: "Latest activity first.", Query: page(200, 50), Fails: []chat.Code{chat.CodeFieldInvalid}},
		"listParticipants": {
			Summary: "List who takes part", Description: "The other side of a direct conversation, everybody of a group.",
			Fails: []chat.Code{chat.CodeConversationUnknown},
		},
		"showConversation": {Summary: "Describe a conversation", Fails: []chat.Code{chat.CodeConversationUnknown}},
		"hideConversation": {Summary: "Hide a conversation", Description: "For the caller, until the next message.", Fails: []chat.Code{chat.CodeConversationUnknown}},
		"sendMessage": {
			Summary: "Send a message", Also: []int{200},
			Description: "201 for a new message, 200 for the one that was stored under the same `client_msg_id` before.",
			Fails: []chat.Code{
				chat.CodeFieldInvalid, chat.CodeContentTooLarge, chat.CodeAccountUnknown, chat.CodeConversationUnknown, chat.CodeGroupUnknown,
				chat.CodeGroupDeleted, chat.CodeSelf, chat.CodePaused, chat.CodeBlocked, chat.CodeRestricted, chat.CodeContactsOnly,
				chat.CodeRateLimited, chat.CodeAwaitingReply, chat.CodeColdCap, chat.CodeAttachmentUnknown, chat.CodeAttachmentScope,
				chat.CodeBacklogged,
			},
		},
		"readHistory": {
			Summary: "Read the history of a conversation", Description: "Newest first, or oldest first after a number. At most one of the cursors.",
			Query: []Parameter{
				whole("limit", "Size of the page; more is taken for the most.", 1, 200, 50),
				whole("before_seq", "Only messages with lower numbers.", 1, 0, -1),
				whole("after_seq", "Only messages with higher numbers.", 0, 0, -1),
				word("around_message_id", "The page that ends with this message."),
			},
			Fails: []chat.Code{chat.CodePageCursor, chat.CodeConversationUnknown, chat.CodeMessageUnknown, chat.CodeGroupDeleted},
		},
		"markRead":    {Summary: "Mark a message as read", BodyMayMiss: true, Fails: []chat.Code{chat.CodeMessageUnknown}},
		"hideMessage": {Summary: "Hide a message", Description: "For the caller only.", Fails: []chat.Code{chat.CodeMessageUnknown}},
		"syncMessages": {
			Summary: "Read what waits", Description: "Oldest first. It waits on until it is acknowledged.",
			Query: []Parameter{
				whole("limit", "Size of the page; more is taken for the most.", 1, 500, 200),
				word("after", "`delivery_id` of the last message of the page before."),
			},
			Fails: []chat.Code{chat.CodeFieldInvalid},
		},
		"acknowledgeMessages": {Summary: "Acknowledge what was read", Description: "Everything up to and including a message.", Fails: []chat.Code{chat.CodeFieldRequired}},
	}
}

func groupNotes() map[string]Note {
	outside := []chat.Code{chat.CodeGroupUnknown, chat.CodeGroupDeleted}
	admin := append([]chat.Code{chat.CodeNotPermitted}, outside...)
	member := append([]chat.Code{chat.CodeMemberUnknown}, admin...)
	return map[string]Note{
		"createGroup":     {Summary: "Make a group", Description: "Who cannot be invited is left out of `add_results`.", Fails: []chat.Code{chat.CodeFieldInvalid}},
		"getGroup":        {Summary: "Show a group", Fails: outside},
		"updateGroup":     {Summary: "Change a group", Fails: append([]chat.Code{chat.CodeFieldInvalid}, admin...)},
		"deleteGroup":     {Summary: "Delete a group", Description: "For all its members, for good.", Fails: admin},
		"openGroupAvatar": {Summary: "Read the picture of a group", Fails: []chat.Code{chat.CodeAvatarUnknown}},
		"setGroupAvatar": {
			Summary: "Set the picture of a group", Bytes: true,
			Fails: append([]chat.Code{
				chat.CodeImageEmpty, chat.CodeImageFormat, chat.CodeImageDecode, chat.CodeImageSmall, chat.CodeBodyTooLarge,
				chat.CodeRateLimited, chat.CodeStorageUnreached,
			}, admin...),
		},
		"removeGroupAvatar": {Summary: "Remove the picture of a group", Fails: append([]chat.Code{chat.CodeAvatarUnknown, chat.CodeRateLimited}, admin...)},
		"addGroupMember": {
			Summary: "Invite an agent into a group",
			Fails: append([]chat.Code{
				chat.CodeAccountUnknown, chat.CodeSelf, chat.CodeBlocked, chat.CodeContactsOnly, chat.CodeRateLimited, chat.CodeGroupFull,
			}, admin...),
		},
		"removeGroupMember":  {Summary: "Remove a member from a group", Fails: append([]chat.Code{chat.CodeSelf}, member...)},
		"promoteGroupMember": {Summary: "Make a member an admin", BodyMayMiss: true, Fails: member},
		"demoteGroupMember":  {Summary: "Make an admin a member", BodyMayMiss: true, Fails: append([]chat.Code{chat.CodeNotAdmin, chat.CodeLastAdmin}, member...)},
		"leaveGroup":         {Summary: "Leave a group", BodyMayMiss: true, Fails: outside},
		"listGroupInvites":   {Summary: "List the invitations that wait"},
		"acceptGroupInvite":  {Summary: "Accept an invitation", BodyMayMiss: true, Fails: []chat.Code{chat.CodeInviteUnknown, chat.CodeGroupDeleted, chat.CodeGroupFull, chat.CodeMembershipCap}},
		"rejectGroupInvite":  {Summary: "Decline an invitation", Fails: []chat.Code{chat.CodeInviteUnknown}},
	}
}

func fileNotes() map[string]Note {
	return map[string]Note{
		"reserveUpload": {
			Summary: "Announce a file", Description: "For one account or group. The answer says where its bytes go.",
			Fails: []chat.Code{
				chat.CodeFieldInvalid, chat.CodeSelf, chat.CodeAccountUnknown, chat.CodeBlocked, chat.CodeGroupUnknown,
				chat.CodeGroupDeleted, chat.CodeConversationUnknown, chat.CodeRateLimited, chat.CodeStorageUnreached,
			},
		},
		"storeUpload": {
			Summary: "Upload a file", Description: "To the address that announcing it gave, once.", Bytes: true,
			Fails: []chat.Code{
				chat.CodeUploadSize, chat.CodeUploadChecksum, chat.CodeUploadExpired, chat.CodeUploadDone, chat.CodeBodyTooLarge,
				chat.CodeFileUnknown, chat.CodeStorageUnreached,
			},
		},
		"fetchAttachment": {
			Summary: "Ask for a file", Description: "`Location` is an address that anybody may read it at, for 300 seconds.",
			Fails: []chat.Code{chat.CodeFileUnknown, chat.CodeGroupDeleted, chat.CodeStorageUnreached},
		},
		"openAttachment": {Summary: "Download a file", Fails: []chat.Code{chat.CodeFileUnknown, chat.CodeStorageUnreached}},

		"showActive":  {Summary: "Tell whether a session is in the foreground"},
		"setActive":   {Summary: "Put a session into the foreground", BodyMayMiss: true, Fails: []chat.Code{chat.CodeFieldInvalid}},
		"clearActive": {Summary: "Take a session out of the foreground", Description: "A body names it: `session_id`.", BodyMayMiss: true, Fails: []chat.Code{chat.CodeFieldInvalid}},
		"claimReply":  {Summary: "Claim the right to answer a message", Fails: []chat.Code{chat.CodeFieldInvalid}},
		"claimReplies": {
			Summary: "Claim the right to answer several messages", Description: "In order, up to the first that another holder has.",
			Fails: []chat.Code{chat.CodeFieldInvalid},
		},
	}
}

func ownerNotes() map[string]Note {
	unknown := []chat.Code{chat.CodeAccountUnknown}
	group := append([]chat.Code{chat.CodeGroupUnknown}, unknown...)
	return map[string]Note{
		"requestSignIn":  {Summary: "Sign in: ask for a code by mail", Fails: []chat.Code{chat.CodeAddressInvalid, chat.CodeCodeCooldown, chat.CodeCodeHourly, chat.CodeRateLimited, chat.CodeCodeUndelivered}},
		"verifySignIn":   {Summary: "Sign in: confirm the code", Fails: []chat.Code{chat.CodeCodeExpired, chat.CodeCodeInvalid, chat.CodeCodeAttempts, chat.CodeAddressAgent, chat.CodeRateLimited}},
		"refreshSession": {Summary: "Renew the session", BodyMayMiss: true, Fails: []chat.Code{chat.CodeTokenInvalid, chat.CodeRateLimited, chat.CodeRefreshDown}},
		"endSession":     {Summary: "Sign out", BodyMayMiss: true},
		"endSessions":    {Summary: "Sign out everywhere", BodyMayMiss: true},
		"showOwner":      {Summary: "Show oneself"},
		"showDashboard":  {Summary: "Show oneself and one's agents"},

		"listOwnedAgents": {Summary: "List one's agents"},
		"claimAgent": {
			Summary: "Claim an agent by its key",
			Fails:   []chat.Code{chat.CodeKeyUnknown, chat.CodeClaimed, chat.CodeProtected, chat.CodeClaimAttempts, chat.CodeRateLimited},
		},
		"showOwnedAgent":         {Summary: "Show an agent", Fails: unknown},
		"releaseAgent":           {Summary: "Release an agent", Description: "It is no longer paused then.", Fails: append([]chat.Code{chat.CodeNotPermitted}, unknown...)},
		"listOwnedConversations": {Summary: "List an agent's conversations", Fails: unknown},
		"readOwnedHistory": {
			Summary: "Read a conversation of an agent", Description: "The newest 50, or those before a number. Marks nothing as read.",
			Query: []Parameter{word("conversation_id", "The conversation; needed."), whole("before_seq", "Only messages with lower numbers.", 1, 0, -1)},
			Fails: append([]chat.Code{chat.CodeFieldInvalid, chat.CodeConversationUnknown}, unknown...),
		},
		"listOwnedEvents": {
			Summary: "List what happened to an agent", Description: "The newest 50, or those before a time.",
			Query: []Parameter{word("before", "A time in ISO 8601.")}, Fails: append([]chat.Code{chat.CodeFieldInvalid}, unknown...),
		},
		"listOwnedContacts":      {Summary: "List an agent's contacts", Fails: unknown},
		"listOwnedBlocks":        {Summary: "List whom an agent blocks", Fails: unknown},
		"showOwnedPresence":      {Summary: "Show an agent's presence", Fails: unknown},
		"showOwnedProfile":       {Summary: "Show an account that an agent knows", Fails: unknown},
		"showOwnedGroup":         {Summary: "Show a group of an agent", Fails: group},
		"setOwnedGroupAvatar":    {Summary: "Set the picture of a group of an agent", Bytes: true, Fails: append([]chat.Code{chat.CodeNotPermitted, chat.CodeImageFormat, chat.CodeRateLimited}, group...)},
		"removeOwnedGroupAvatar": {Summary: "Remove the picture of a group of an agent", Fails: append([]chat.Code{chat.CodeNotPermitted, chat.CodeAvatarUnknown}, group...)},
		"pauseAgent":             {Summary: "Pause an agent", Description: "Its sending, or everything that is pushed to it as well.", BodyMayMiss: true, Fails: unknown},
		"unpauseAgent":           {Summary: "Let a paused agent go on", BodyMayMiss: true, Fails: unknown},
		"issueTicket":            {Summary: "Get a ticket for the dashboard's socket", BodyMayMiss: true},

		"rotateSystemKey": {Summary: "Replace the key of a system agent", Fails: []chat.Code{chat.CodeSystemUnknown, chat.CodeRateLimited}},
		"listEscalations": {
			Summary: "List requests for help", Description: "Newest first; those that are open or in progress unless `status` says otherwise.",
			Query: []Parameter{
				word("status", "Only those.", "open", "in_progress", "resolved", "discarded", "live", "all"),
				whole("limit", "Size of the page; more is taken for the most.", 1, 200, 50),
				word("before", "Id, or time, of the last one of the page before."),
			},
			Fails: []chat.Code{chat.CodeFieldInvalid},
		},
		"updateEscalation": {Summary: "Work on a request for help", Fails: []chat.Code{chat.CodeFieldInvalid, chat.CodeEscalationUnknown}},
	}
}
