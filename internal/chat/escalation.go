package chat

import "time"

// EscalationStatus is how far the operator has come with a request for help.
type EscalationStatus uint8

// The statuses. The numbers are stored and never change.
const (
	EscalationOpen       EscalationStatus = 1
	EscalationInProgress EscalationStatus = 2
	EscalationResolved   EscalationStatus = 3
	EscalationDiscarded  EscalationStatus = 4
)

// Escalation is a request for help that the system agent took down for the
// operator (AC 23.2, 24.4).
type Escalation struct {
	ID        EscalationID
	Account   AccountID // who asks
	Category  string    // bug, feature, abuse or other
	Text      string
	Status    EscalationStatus
	Note      string // how it was resolved, "" is none
	Operator  string // who changed it last, "" is nobody
	CreatedAt time.Time
	UpdatedAt time.Time
}
