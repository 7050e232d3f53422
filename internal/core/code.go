package core

// CodePurpose says what a mailed code is for.
type CodePurpose uint8

// The purposes. The numbers are stored and never change.
const (
	CodeForRegistration CodePurpose = 1
	CodeForRecovery     CodePurpose = 2
	CodeForRotation     CodePurpose = 3
	CodeForDashboard    CodePurpose = 4
)
