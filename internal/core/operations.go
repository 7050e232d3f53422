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
	OpRegister       OperationName = "Register"
	OpLogin          OperationName = "Login"
	OpLogout         OperationName = "Logout"
	OpShowSelf       OperationName = "ShowSelf"
	OpCreateKey      OperationName = "CreateKey"
	OpListKeys       OperationName = "ListKeys"
	OpRevokeKey      OperationName = "RevokeKey"
	OpListSpaces     OperationName = "ListSpaces"
	OpCreateSpace    OperationName = "CreateSpace"
	OpShowSpace      OperationName = "ShowSpace"
	OpUpdateSpace    OperationName = "UpdateSpace"
	OpDeleteSpace    OperationName = "DeleteSpace"
	OpJoinSpace      OperationName = "JoinSpace"
	OpLeaveSpace     OperationName = "LeaveSpace"
	OpListMembers    OperationName = "ListMembers"
	OpListChannels   OperationName = "ListChannels"
	OpCreateChannel  OperationName = "CreateChannel"
	OpShowChannel    OperationName = "ShowChannel"
	OpUpdateChannel  OperationName = "UpdateChannel"
	OpDeleteChannel  OperationName = "DeleteChannel"
	OpListMessages   OperationName = "ListMessages"
	OpSendMessage    OperationName = "SendMessage"
	OpEditMessage    OperationName = "EditMessage"
	OpDeleteMessage  OperationName = "DeleteMessage"
	OpRetractMessage OperationName = "RetractMessage"
	OpListDirects    OperationName = "ListDirects"
	OpOpenDirect     OperationName = "OpenDirect"
	OpShowAccount    OperationName = "ShowAccount"
	OpUpdateProfile  OperationName = "UpdateProfile"
	OpSetPresence    OperationName = "SetPresence"
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
	}
}
