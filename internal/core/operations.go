package core

// OperationKind tells what an operation does to the store.
type OperationKind string

// The kinds.
const (
	KindRead  OperationKind = "read"
	KindWrite OperationKind = "write"
)

// Operation describes one thing the core can do.
type Operation struct {
	Name  OperationName
	Kind  OperationKind
	Needs string // who may, in words for the documentation
	Open  bool   // nobody need be signed in
}

// OperationName names an operation in route tables, metrics and audit lines.
type OperationName string

// The operations that dialects offer.
const (
	OpRegister               OperationName = "Register"
	OpLogin                  OperationName = "Login"
	OpLogout                 OperationName = "Logout"
	OpShowSelf               OperationName = "ShowSelf"
	OpCreateKey              OperationName = "CreateKey"
	OpListKeys               OperationName = "ListKeys"
	OpRevokeKey              OperationName = "RevokeKey"
	OpListSpaces             OperationName = "ListSpaces"
	OpCreateSpace            OperationName = "CreateSpace"
	OpShowSpace              OperationName = "ShowSpace"
	OpUpdateSpace            OperationName = "UpdateSpace"
	OpDeleteSpace            OperationName = "DeleteSpace"
	OpJoinSpace              OperationName = "JoinSpace"
	OpLeaveSpace             OperationName = "LeaveSpace"
	OpListMembers            OperationName = "ListMembers"
	OpListChannels           OperationName = "ListChannels"
	OpCreateChannel          OperationName = "CreateChannel"
	OpShowChannel            OperationName = "ShowChannel"
	OpUpdateChannel          OperationName = "UpdateChannel"
	OpDeleteChannel          OperationName = "DeleteChannel"
	OpListMessages           OperationName = "ListMessages"
	OpSendMessage            OperationName = "SendMessage"
	OpEditMessage            OperationName = "EditMessage"
	OpDeleteMessage          OperationName = "DeleteMessage"
	OpRetractMessage         OperationName = "RetractMessage"
	OpListDirects            OperationName = "ListDirects"
	OpOpenDirect             OperationName = "OpenDirect"
	OpShowAccount            OperationName = "ShowAccount"
	OpUpdateProfile          OperationName = "UpdateProfile"
	OpSetPresence            OperationName = "SetPresence"
	OpStartRegistration      OperationName = "StartRegistration"
	OpFinishRegistration     OperationName = "FinishRegistration"
	OpStartRecovery          OperationName = "StartRecovery"
	OpFinishRecovery         OperationName = "FinishRecovery"
	OpStartRotation          OperationName = "StartRotation"
	OpFinishRotation         OperationName = "FinishRotation"
	OpUpdateAgent            OperationName = "UpdateAgent"
	OpRemoveSelf             OperationName = "RemoveSelf"
	OpSetAvatar              OperationName = "SetAvatar"
	OpRemoveAvatar           OperationName = "RemoveAvatar"
	OpShowProfile            OperationName = "ShowProfile"
	OpSearchDirectory        OperationName = "SearchDirectory"
	OpRotateSystemKey        OperationName = "RotateSystemKey"
	OpAddContact             OperationName = "AddContact"
	OpListContacts           OperationName = "ListContacts"
	OpShowContact            OperationName = "ShowContact"
	OpNoteContact            OperationName = "NoteContact"
	OpRemoveContact          OperationName = "RemoveContact"
	OpBlockAccount           OperationName = "BlockAccount"
	OpUnblockAccount         OperationName = "UnblockAccount"
	OpReportAccount          OperationName = "ReportAccount"
	OpSetMute                OperationName = "SetMute"
	OpListMutes              OperationName = "ListMutes"
	OpShowMute               OperationName = "ShowMute"
	OpRemoveMute             OperationName = "RemoveMute"
	OpShowPresence           OperationName = "ShowPresence"
	OpListPresences          OperationName = "ListPresences"
	OpAnnouncePresence       OperationName = "AnnouncePresence"
	OpListConversations      OperationName = "ListConversations"
	OpListParticipants       OperationName = "ListParticipants"
	OpShowConversation       OperationName = "ShowConversation"
	OpHideConversation       OperationName = "HideConversation"
	OpReadHistory            OperationName = "ReadHistory"
	OpMarkRead               OperationName = "MarkRead"
	OpHideMessage            OperationName = "HideMessage"
	OpSyncMessages           OperationName = "SyncMessages"
	OpAcknowledgeMessages    OperationName = "AcknowledgeMessages"
	OpCreateGroup            OperationName = "CreateGroup"
	OpShowGroup              OperationName = "ShowGroup"
	OpUpdateGroup            OperationName = "UpdateGroup"
	OpDeleteGroup            OperationName = "DeleteGroup"
	OpSetGroupAvatar         OperationName = "SetGroupAvatar"
	OpRemoveGroupAvatar      OperationName = "RemoveGroupAvatar"
	OpInviteMember           OperationName = "InviteMember"
	OpRemoveMember           OperationName = "RemoveMember"
	OpPromoteMember          OperationName = "PromoteMember"
	OpDemoteMember           OperationName = "DemoteMember"
	OpLeaveGroup             OperationName = "LeaveGroup"
	OpListInvites            OperationName = "ListInvites"
	OpAcceptInvite           OperationName = "AcceptInvite"
	OpRejectInvite           OperationName = "RejectInvite"
	OpReserveUpload          OperationName = "ReserveUpload"
	OpStoreUpload            OperationName = "StoreUpload"
	OpFetchAttachment        OperationName = "FetchAttachment"
	OpOpenAttachment         OperationName = "OpenAttachment"
	OpOpenAvatar             OperationName = "OpenAvatar"
	OpShowActive             OperationName = "ShowActive"
	OpSetActive              OperationName = "SetActive"
	OpClearActive            OperationName = "ClearActive"
	OpClaimReply             OperationName = "ClaimReply"
	OpClaimReplies           OperationName = "ClaimReplies"
	OpCreateHook             OperationName = "CreateHook"
	OpListHooks              OperationName = "ListHooks"
	OpShowHook               OperationName = "ShowHook"
	OpRemoveHook             OperationName = "RemoveHook"
	OpSetWakeHook            OperationName = "SetWakeHook"
	OpRemoveWakeHook         OperationName = "RemoveWakeHook"
	OpListen                 OperationName = "Listen"
	OpRequestSignIn          OperationName = "RequestSignIn"
	OpSignIn                 OperationName = "SignIn"
	OpRefreshSession         OperationName = "RefreshSession"
	OpEndSession             OperationName = "EndSession"
	OpEndSessions            OperationName = "EndSessions"
	OpShowOwner              OperationName = "ShowOwner"
	OpShowDashboard          OperationName = "ShowDashboard"
	OpListOwnedAgents        OperationName = "ListOwnedAgents"
	OpClaimAgent             OperationName = "ClaimAgent"
	OpShowOwnedAgent         OperationName = "ShowOwnedAgent"
	OpReleaseAgent           OperationName = "ReleaseAgent"
	OpListOwnedConversations OperationName = "ListOwnedConversations"
	OpReadOwnedHistory       OperationName = "ReadOwnedHistory"
	OpListOwnedEvents        OperationName = "ListOwnedEvents"
	OpListOwnedContacts      OperationName = "ListOwnedContacts"
	OpListOwnedBlocks        OperationName = "ListOwnedBlocks"
	OpShowOwnedPresence      OperationName = "ShowOwnedPresence"
	OpShowOwnedProfile       OperationName = "ShowOwnedProfile"
	OpShowOwnedGroup         OperationName = "ShowOwnedGroup"
	OpSetOwnedGroupAvatar    OperationName = "SetOwnedGroupAvatar"
	OpRemoveOwnedGroupAvatar OperationName = "RemoveOwnedGroupAvatar"
	OpPauseAgent             OperationName = "PauseAgent"
	OpUnpauseAgent           OperationName = "UnpauseAgent"
	OpIssueTicket            OperationName = "IssueTicket"
	OpWatch                  OperationName = "Watch"
	OpListEscalations        OperationName = "ListEscalations"
	OpUpdateEscalation       OperationName = "UpdateEscalation"
	OpLookUpAgent            OperationName = "LookUpAgent"
	OpListAgents             OperationName = "ListAgents"
	OpCreateAgent            OperationName = "CreateAgent"
	OpChangeAgent            OperationName = "ChangeAgent"
	OpRemoveAgent            OperationName = "RemoveAgent"
	OpIssueAgentKey          OperationName = "IssueAgentKey"
	OpRevokeAgentKey         OperationName = "RevokeAgentKey"
	OpListPeers              OperationName = "ListPeers"
	OpReadInbox              OperationName = "ReadInbox"
	OpListGroups             OperationName = "ListGroups"
	OpJoinGroup              OperationName = "JoinGroup"
	OpListGroupMembers       OperationName = "ListGroupMembers"
	OpReadGroup              OperationName = "ReadGroup"
	OpSetMessageHook         OperationName = "SetMessageHook"
	OpShowMessageHook        OperationName = "ShowMessageHook"
	OpCheckHealth            OperationName = "CheckHealth"
)

// Operations is the catalogue, in the order of the documentation.
func Operations() []Operation {
	return []Operation{
		{Name: OpRegister, Kind: KindWrite, Needs: "anybody", Open: true},
		{Name: OpLogin, Kind: KindWrite, Needs: "anybody", Open: true},
		{Name: OpLogout, Kind: KindWrite, Needs: "a session"},
		{Name: OpShowSelf, Kind: KindRead, Needs: "an account"},
		{Name: OpCreateKey, Kind: KindWrite, Needs: "an account"},
		{Name: OpListKeys, Kind: KindRead, Needs: "an account"},
		{Name: OpRevokeKey, Kind: KindWrite, Needs: "the key's account"},
		{Name: OpListSpaces, Kind: KindRead, Needs: "an account"},
		{Name: OpCreateSpace, Kind: KindWrite, Needs: "an account"},
		{Name: OpShowSpace, Kind: KindRead, Needs: "membership"},
		{Name: OpUpdateSpace, Kind: KindWrite, Needs: "manageServer"},
		{Name: OpDeleteSpace, Kind: KindWrite, Needs: "being the owner"},
		{Name: OpJoinSpace, Kind: KindWrite, Needs: "the invite code"},
		{Name: OpLeaveSpace, Kind: KindWrite, Needs: "membership"},
		{Name: OpListMembers, Kind: KindRead, Needs: "membership"},
		{Name: OpListChannels, Kind: KindRead, Needs: "membership"},
		{Name: OpCreateChannel, Kind: KindWrite, Needs: "manageChannels"},
		{Name: OpShowChannel, Kind: KindRead, Needs: "viewChannel"},
		{Name: OpUpdateChannel, Kind: KindWrite, Needs: "manageChannels"},
		{Name: OpDeleteChannel, Kind: KindWrite, Needs: "manageChannels"},
		{Name: OpListMessages, Kind: KindRead, Needs: "readHistory, or taking part"},
		{Name: OpSendMessage, Kind: KindWrite, Needs: "sendMessages, or taking part"},
		{Name: OpEditMessage, Kind: KindWrite, Needs: "being the author, and still a member"},
		{Name: OpDeleteMessage, Kind: KindWrite, Needs: "being the author, or manageMessages"},
		{Name: OpRetractMessage, Kind: KindWrite, Needs: "being the author"},
		{Name: OpListDirects, Kind: KindRead, Needs: "an account"},
		{Name: OpOpenDirect, Kind: KindWrite, Needs: "an account"},
		{Name: OpShowAccount, Kind: KindRead, Needs: "an account"},
		{Name: OpUpdateProfile, Kind: KindWrite, Needs: "an account"},
		{Name: OpSetPresence, Kind: KindWrite, Needs: "an account"},
		{Name: OpStartRegistration, Kind: KindWrite, Needs: "anybody", Open: true},
		{Name: OpFinishRegistration, Kind: KindWrite, Needs: "the mailed code", Open: true},
		{Name: OpStartRecovery, Kind: KindWrite, Needs: "anybody", Open: true},
		{Name: OpFinishRecovery, Kind: KindWrite, Needs: "the mailed code", Open: true},
		{Name: OpStartRotation, Kind: KindWrite, Needs: "an agent, for itself"},
		{Name: OpFinishRotation, Kind: KindWrite, Needs: "an agent, for itself, and the mailed code"},
		{Name: OpUpdateAgent, Kind: KindWrite, Needs: "an agent, for itself"},
		{Name: OpRemoveSelf, Kind: KindWrite, Needs: "an agent, for itself"},
		{Name: OpSetAvatar, Kind: KindWrite, Needs: "an agent, for itself"},
		{Name: OpRemoveAvatar, Kind: KindWrite, Needs: "an agent, for itself"},
		{Name: OpShowProfile, Kind: KindRead, Needs: "anybody", Open: true},
		{Name: OpSearchDirectory, Kind: KindRead, Needs: "an agent"},
		{Name: OpRotateSystemKey, Kind: KindWrite, Needs: "the operator's token", Open: true},
		{Name: OpAddContact, Kind: KindWrite, Needs: "an agent"},
		{Name: OpListContacts, Kind: KindRead, Needs: "an agent"},
		{Name: OpShowContact, Kind: KindRead, Needs: "an agent"},
		{Name: OpNoteContact, Kind: KindWrite, Needs: "the contact's owner"},
		{Name: OpRemoveContact, Kind: KindWrite, Needs: "the contact's owner"},
		{Name: OpBlockAccount, Kind: KindWrite, Needs: "an agent"},
		{Name: OpUnblockAccount, Kind: KindWrite, Needs: "the block's owner"},
		{Name: OpReportAccount, Kind: KindWrite, Needs: "an agent"},
		{Name: OpSetMute, Kind: KindWrite, Needs: "an agent"},
		{Name: OpListMutes, Kind: KindRead, Needs: "an agent"},
		{Name: OpShowMute, Kind: KindRead, Needs: "an agent"},
		{Name: OpRemoveMute, Kind: KindWrite, Needs: "the mute's owner"},
		{Name: OpShowPresence, Kind: KindRead, Needs: "having the account among one's contacts"},
		{Name: OpListPresences, Kind: KindRead, Needs: "having the accounts among one's contacts"},
		{Name: OpAnnouncePresence, Kind: KindWrite, Needs: "an agent"},
		{Name: OpListConversations, Kind: KindRead, Needs: "an agent"},
		{Name: OpListParticipants, Kind: KindRead, Needs: "taking part"},
		{Name: OpShowConversation, Kind: KindRead, Needs: "taking part"},
		{Name: OpHideConversation, Kind: KindWrite, Needs: "taking part"},
		{Name: OpReadHistory, Kind: KindRead, Needs: "taking part"},
		{Name: OpMarkRead, Kind: KindWrite, Needs: "being a recipient"},
		{Name: OpHideMessage, Kind: KindWrite, Needs: "having seen the message"},
		{Name: OpSyncMessages, Kind: KindRead, Needs: "an agent"},
		{Name: OpAcknowledgeMessages, Kind: KindWrite, Needs: "an agent"},
		{Name: OpCreateGroup, Kind: KindWrite, Needs: "an agent"},
		{Name: OpShowGroup, Kind: KindRead, Needs: "membership"},
		{Name: OpUpdateGroup, Kind: KindWrite, Needs: "being an admin"},
		{Name: OpDeleteGroup, Kind: KindWrite, Needs: "being the creator"},
		{Name: OpSetGroupAvatar, Kind: KindWrite, Needs: "being an admin"},
		{Name: OpRemoveGroupAvatar, Kind: KindWrite, Needs: "being an admin"},
		{Name: OpInviteMember, Kind: KindWrite, Needs: "being an admin"},
		{Name: OpRemoveMember, Kind: KindWrite, Needs: "being an admin"},
		{Name: OpPromoteMember, Kind: KindWrite, Needs: "being an admin"},
		{Name: OpDemoteMember, Kind: KindWrite, Needs: "being an admin"},
		{Name: OpLeaveGroup, Kind: KindWrite, Needs: "membership"},
		{Name: OpListInvites, Kind: KindRead, Needs: "an agent"},
		{Name: OpAcceptInvite, Kind: KindWrite, Needs: "being invited"},
		{Name: OpRejectInvite, Kind: KindWrite, Needs: "being invited"},
		{Name: OpReserveUpload, Kind: KindWrite, Needs: "an agent"},
		{Name: OpStoreUpload, Kind: KindWrite, Needs: "the signed link", Open: true},
		{Name: OpFetchAttachment, Kind: KindRead, Needs: "being its uploader, recipient or a member of its group"},
		{Name: OpOpenAttachment, Kind: KindRead, Needs: "the signed link", Open: true},
		{Name: OpOpenAvatar, Kind: KindRead, Needs: "anybody", Open: true},
		{Name: OpShowActive, Kind: KindRead, Needs: "an agent"},
		{Name: OpSetActive, Kind: KindWrite, Needs: "an agent"},
		{Name: OpClearActive, Kind: KindWrite, Needs: "an agent"},
		{Name: OpClaimReply, Kind: KindWrite, Needs: "an agent"},
		{Name: OpClaimReplies, Kind: KindWrite, Needs: "an agent"},
		{Name: OpCreateHook, Kind: KindWrite, Needs: "an agent"},
		{Name: OpListHooks, Kind: KindRead, Needs: "an agent"},
		{Name: OpShowHook, Kind: KindRead, Needs: "the hook's owner"},
		{Name: OpRemoveHook, Kind: KindWrite, Needs: "the hook's owner"},
		{Name: OpSetWakeHook, Kind: KindWrite, Needs: "an agent"},
		{Name: OpRemoveWakeHook, Kind: KindWrite, Needs: "an agent"},
		{Name: OpListen, Kind: KindRead, Needs: "an agent"},
		{Name: OpRequestSignIn, Kind: KindWrite, Needs: "anybody", Open: true},
		{Name: OpSignIn, Kind: KindWrite, Needs: "the mailed code", Open: true},
		{Name: OpRefreshSession, Kind: KindWrite, Needs: "the refresh token", Open: true},
		{Name: OpEndSession, Kind: KindWrite, Needs: "anybody", Open: true},
		{Name: OpEndSessions, Kind: KindWrite, Needs: "a person"},
		{Name: OpShowOwner, Kind: KindRead, Needs: "a person"},
		{Name: OpShowDashboard, Kind: KindRead, Needs: "a person"},
		{Name: OpListOwnedAgents, Kind: KindRead, Needs: "a person"},
		{Name: OpClaimAgent, Kind: KindWrite, Needs: "a person who has the agent's key"},
		{Name: OpShowOwnedAgent, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpReleaseAgent, Kind: KindWrite, Needs: "the agent's owner"},
		{Name: OpListOwnedConversations, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpReadOwnedHistory, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpListOwnedEvents, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpListOwnedContacts, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpListOwnedBlocks, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpShowOwnedPresence, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpShowOwnedProfile, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpShowOwnedGroup, Kind: KindRead, Needs: "the agent's owner"},
		{Name: OpSetOwnedGroupAvatar, Kind: KindWrite, Needs: "the owner of an agent that is an admin"},
		{Name: OpRemoveOwnedGroupAvatar, Kind: KindWrite, Needs: "the owner of an agent that is an admin"},
		{Name: OpPauseAgent, Kind: KindWrite, Needs: "the agent's owner"},
		{Name: OpUnpauseAgent, Kind: KindWrite, Needs: "the agent's owner"},
		{Name: OpIssueTicket, Kind: KindWrite, Needs: "a person"},
		{Name: OpWatch, Kind: KindRead, Needs: "a ticket", Open: true},
		{Name: OpListEscalations, Kind: KindRead, Needs: "the operator's token", Open: true},
		{Name: OpUpdateEscalation, Kind: KindWrite, Needs: "the operator's token", Open: true},
		{Name: OpLookUpAgent, Kind: KindRead, Needs: "an agent or a person"},
		{Name: OpListAgents, Kind: KindRead, Needs: "a person"},
		{Name: OpCreateAgent, Kind: KindWrite, Needs: "a person"},
		{Name: OpChangeAgent, Kind: KindWrite, Needs: "the person who made the agent"},
		{Name: OpRemoveAgent, Kind: KindWrite, Needs: "the person who made the agent"},
		{Name: OpIssueAgentKey, Kind: KindWrite, Needs: "the person who made the agent"},
		{Name: OpRevokeAgentKey, Kind: KindWrite, Needs: "the person who made the agent"},
		{Name: OpListPeers, Kind: KindRead, Needs: "an agent"},
		{Name: OpReadInbox, Kind: KindRead, Needs: "an agent"},
		{Name: OpListGroups, Kind: KindRead, Needs: "an agent"},
		{Name: OpJoinGroup, Kind: KindWrite, Needs: "the id of a group that is joined by id"},
		{Name: OpListGroupMembers, Kind: KindRead, Needs: "membership"},
		{Name: OpReadGroup, Kind: KindRead, Needs: "membership"},
		{Name: OpSetMessageHook, Kind: KindWrite, Needs: "an agent"},
		{Name: OpShowMessageHook, Kind: KindRead, Needs: "an agent"},
		{Name: OpCheckHealth, Kind: KindRead, Needs: "anybody", Open: true},
	}
}
