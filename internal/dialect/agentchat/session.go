package agentchat

import "parley/internal/chat"

// signIn finds out whose session the cookie is (AC 22.1).
func (x *exchange) signIn() error { return chat.Fail(chat.CodeTokenMissing) }

// operator checks the operator's token (AC 24.4).
func (x *exchange) operator() error { return chat.Fail(chat.CodeOperatorNeeded) }
