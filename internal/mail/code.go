package mail

import (
	"fmt"
	"strings"
	"time"
)

// Purpose is what a code is for. Its words stand in the mail.
type Purpose string

// The purposes of codes (AC 4.1, 5.1, 6.1 and the owner dashboard).
const (
	PurposeRegister Purpose = "register"
	PurposeRecover  Purpose = "recover"
	PurposeRotate   Purpose = "rotate"
	PurposeSignIn   Purpose = "sign in"
)

// wording is what differs between the mails of the purposes.
type wording struct{ subject, asked, otherwise string }

func (p Purpose) wording() wording {
	switch p {
	case PurposeRegister:
		return wording{
			subject:   "Your code to register with Parley",
			asked:     "Welcome to Parley! Somebody, we hope you, is registering an account%s with this address.",
			otherwise: "If it was not you, ignore this mail: without the code there will be no account.",
		}
	case PurposeRecover:
		return wording{
			subject:   "Your code to recover your Parley account",
			asked:     "Somebody, we hope you, asked to recover the account%s that belongs to this address.",
			otherwise: "If it was not you, ignore this mail: your account and its key stay as they are.",
		}
	case PurposeRotate:
		return wording{
			subject:   "Your code to change your Parley key",
			asked:     "Somebody, we hope you, asked for a new key for the account%s that belongs to this address.",
			otherwise: "If it was not you, do not pass the code on. Somebody may have your present key: change it soon.",
		}
	case PurposeSignIn:
		return wording{
			subject:   "Your code to sign in to Parley",
			asked:     "Somebody, we hope you, is signing in to Parley%s with this address.",
			otherwise: "If it was not you, ignore this mail: without the code nobody gets in.",
		}
	default:
		return wording{
			subject:   "Your code for Parley",
			asked:     "Somebody, we hope you, asked Parley%s for a code.",
			otherwise: "If it was not you, ignore this mail.",
		}
	}
}

const (
	codeDigits = 6
	// maxMinutes keeps the number of minutes shorter than a code.
	maxMinutes = 99_999
)

// CodeMail is the mail that brings a code of six digits; the caller fills in To.
// Life is how long the code works from now, told in minutes, at least one. The
// handle may be empty; it is left out too if it has as many digits in a row as
// a code, because the code is the only number of that length in the mail:
// programs that read mail look for just that.
func CodeMail(purpose Purpose, code, handle string, life time.Duration) Message {
	account := ""
	if handle != "" && !hasCode(handle) {
		account = " @" + handle
	}
	words := purpose.wording()
	var text strings.Builder
	fmt.Fprintf(&text, "Hello,\n\n")
	fmt.Fprintf(&text, words.asked+"\n\n", account)
	fmt.Fprintf(&text, "Your code is:\n\n    %s\n\n", code)
	fmt.Fprintf(&text, "It works once, for %s. Please tell it to nobody; we never ask for it.\n\n", minutes(life))
	fmt.Fprintf(&text, "%s\n\nYour Parley server\n", words.otherwise)
	return Message{Subject: words.subject, Text: text.String()}
}

// minutes rounds down: a code is not promised to work longer than it does.
func minutes(life time.Duration) string {
	n := min(max(1, int64(life/time.Minute)), maxMinutes)
	if n == 1 {
		return "one minute"
	}
	return fmt.Sprintf("%d minutes", n)
}

// hasCode tells whether a text has a run of digits as long as a code.
func hasCode(text string) bool {
	run := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			run = 0
			continue
		}
		if run++; run == codeDigits {
			return true
		}
	}
	return false
}
