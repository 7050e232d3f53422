package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"parley/internal/chat"
)

// Error is an answer that is not a success. Message is a sentence for the
// operator that says what to do next.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is the sentence.
func (e *Error) Error() string { return e.Message }

type errorBody struct {
	Error *Error `json:"error"`
}

// asError finds the answer for an error of the core or of the file system.
func asError(err error) *Error {
	var answer *Error
	if errors.As(err, &answer) {
		return answer
	}
	var e *chat.Error
	if errors.As(err, &e) {
		status, message := words(e)
		return &Error{Status: status, Code: string(e.Code), Message: message}
	}
	for _, known := range []struct {
		cause         error
		code, message string
	}{
		{fs.ErrExist, "file_exists", "There is such a file already. Choose another name, or move it away first."},
		{fs.ErrNotExist, "folder_unknown", "There is no such folder. Make it first, or choose another place."},
		{fs.ErrPermission, "file_forbidden", "The server may not write there: it writes the file itself. Choose a folder that its user may write."},
	} {
		if errors.Is(err, known.cause) {
			return &Error{Status: http.StatusConflict, Code: known.code, Message: known.message}
		}
	}
	return asError(chat.Internal("serve operator", err))
}

// words says what a code of the core means to an operator.
func words(e *chat.Error) (status int, sentence string) {
	switch e.Code {
	case chat.CodeAccountUnknown:
		return http.StatusNotFound, "There is no such account. `parley account list` shows all."
	case chat.CodeCredentialUnknown:
		return http.StatusNotFound, "The account has no such key. `parley account keys list` shows all."
	case chat.CodeHookUnknown:
		return http.StatusNotFound, "There is no such webhook. `parley webhook list` shows all."
	case chat.CodeDeliveryUnknown:
		return http.StatusNotFound, "There is no such dead letter. `parley webhook dead` shows all."
	case chat.CodeAddressInvalid:
		return http.StatusBadRequest, "That is no address to log in with. Write it as name@example.org."
	case chat.CodeAddressTaken:
		return http.StatusConflict, "Another account logs in with this address. Choose another one."
	case chat.CodeUsernameInvalid:
		return http.StatusBadRequest, "That is no username. Take 3 to 32 letters, digits, dots, underscores or hyphens."
	case chat.CodeUsernameTaken:
		return http.StatusConflict, "Another account has this username, or it is reserved. Choose another one."
	case chat.CodePasswordShort:
		return http.StatusBadRequest, "The password is too short. Take 8 characters at least."
	case chat.CodePasswordLong:
		return http.StatusBadRequest, "The password is too long. Take 128 characters at most."
	case chat.CodeFieldRequired:
		return http.StatusBadRequest, fmt.Sprintf("The %s is missing. Give one.", e.Field)
	case chat.CodeFieldLength:
		return http.StatusBadRequest, fmt.Sprintf("The %s has to have %d to %d characters.", e.Field, e.Min, e.Max)
	case chat.CodeFieldInvalid:
		if e.Field == "login address" {
			return http.StatusConflict, "The account has no login address and so no password. Give it a key instead."
		}
		return http.StatusBadRequest, fmt.Sprintf("The %s is not acceptable. Choose another one.", e.Field)
	case chat.CodeKeyCap:
		return http.StatusConflict, "The account has as many keys as it may have. Revoke one first."
	case chat.CodeBodyInvalid, chat.CodeBodyTooLarge:
		return http.StatusBadRequest, "The server did not understand the command. Use the same version of parley for both."
	case chat.CodeRouteUnknown, chat.CodeMethodNotAllowed:
		return http.StatusNotFound, "The server does not know this command. Use the same version of parley for both."
	case chat.CodeUnavailable:
		return http.StatusServiceUnavailable, "The server is stopping. Try again when it runs."
	case chat.CodeInternal:
		return http.StatusInternalServerError, "Something went wrong inside; the log says what."
	}
	return http.StatusConflict, fmt.Sprintf("The server refused with %q, which this command does not expect. Look at its log.", e.Code)
}
