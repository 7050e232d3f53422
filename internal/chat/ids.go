package chat

// Ids are positive integers drawn from one server-wide rising sequence, so an id
// is unique across all nouns and the id of a message or event is also its
// position in the order of all writes. Zero means "none". Clients never see the
// numbers: dialects show them sealed (package id).
type (
	// AccountID names an account, for ever: it is not reused after removal.
	AccountID int64
	// CredentialID names a session or key.
	CredentialID int64
	// SpaceID names a space.
	SpaceID int64
	// ArchetypeID names a set of entitlements inside a space.
	ArchetypeID int64
	// ConversationID names a channel, a direct conversation or a group.
	ConversationID int64
	// MessageID names a message. Ascending ids are the order of writing.
	MessageID int64
	// AttachmentID names a file that was announced, whether or not it was uploaded.
	AttachmentID int64
	// InviteID names an invitation into a group.
	InviteID int64
	// HookID names a webhook.
	HookID int64
	// DeliveryID names one event on its way to one webhook.
	DeliveryID int64
	// CodeID names a code that was mailed.
	CodeID int64
	// AuditID names an entry of the audit trail.
	AuditID int64
	// EscalationID names a request for help that waits for the operator.
	EscalationID int64
	// Position is a place in the order of all durable changes. Messages and
	// events share one sequence of positions.
	Position int64
)
