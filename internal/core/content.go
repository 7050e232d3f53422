package core

import (
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/signing"
)

// clientIDMax is the longest own id of a sender for a message, in characters.
const clientIDMax = 128

// attachmentIDBytes is the length of an attachment's id on the wire, where content
// is measured: a prefix and 22 characters.
const attachmentIDBytes = 26

// checkMessage checks what is sent, apart from where to. What an engine would
// refuse never gets into a batch: it would make others pay.
func checkMessage(in *NewMessage, l Limits) error {
	if l.ContentBytes == 0 {
		if err := checkText(in.Text, l); err != nil {
			return err
		}
	}
	switch n := utf8.RuneCountInString(in.ClientID); {
	case n > clientIDMax, l.ContentBytes > 0 && n == 0:
		return chat.FailLength("client_msg_id", 1, clientIDMax)
	case in.Type == chat.MessageSystem:
		return chat.FailField(chat.CodeFieldInvalid, "type")
	case in.Text == "" && in.Data == nil && in.Attachment == 0:
		return chat.Fail(chat.CodeTextEmpty)
	case !storable(in.ClientID):
		return chat.FailField(chat.CodeFieldInvalid, "client_msg_id")
	case !storable(in.Text), !storable(string(in.Data)):
		return chat.FailField(chat.CodeFieldInvalid, "content")
	case !storable(string(in.Metadata)):
		return chat.FailField(chat.CodeFieldInvalid, "metadata")
	}
	if l.ContentBytes > 0 && contentBytes(in) > l.ContentBytes {
		return &chat.Error{Code: chat.CodeContentTooLarge, Max: l.ContentBytes}
	}
	if !in.Signature.Present || in.Signature.Null {
		return nil
	}
	value, err := signing.ParseSignature(in.Signature.Value)
	if err != nil {
		return chat.FailField(chat.CodeSignatureFormat, "signature")
	}
	in.signature = &chat.Signature{Value: value}
	return nil
}

// contentBytes is how long content and metadata of a message are as JSON: compact,
// in UTF-8, without escapes but the needed ones (AC 14.2, README 8).
func contentBytes(in *NewMessage) int {
	n := len(`{}`)
	members := 0
	member := func(key string, bytes int) {
		members++
		n += len(`"":`) + len(key) + bytes
	}
	if in.Text != "" {
		member("text", textBytes(in.Text))
	}
	if in.Data != nil {
		member("data", jsonBytes(in.Data))
	}
	if in.Attachment != 0 {
		member("attachment_id", len(`""`)+attachmentIDBytes)
	}
	return n + max(members-1, 0) + jsonBytes(in.Metadata)
}

// textBytes is the length of a text as a JSON string.
func textBytes(s string) int {
	n := len(`""`)
	for i := range len(s) {
		n += charBytes(rune(s[i]))
	}
	return n
}

// charBytes is the length of a character below 0x80, or of one byte of any other,
// inside a JSON string.
func charBytes(c rune) int {
	switch c {
	case '"', '\\', '\b', '\f', '\n', '\r', '\t':
		return 2
	}
	if c < ' ' {
		return len(`\u0000`)
	}
	return 1
}

// jsonBytes is the length that valid JSON would have if it were compact and its
// strings had only the escapes they need.
func jsonBytes(raw []byte) int {
	n, inside := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			inside = !inside
			n++
		case inside && c == '\\':
			size, used := escapeBytes(raw[i:])
			n, i = n+size, i+used-1
		case inside || c != ' ' && c != '\t' && c != '\n' && c != '\r':
			n++
		}
	}
	return n
}

// escapeBytes is what the character of an escape would take, and what the escape
// took: two of them if they are a surrogate pair.
func escapeBytes(raw []byte) (size, used int) {
	if raw[1] != 'u' {
		if raw[1] == '/' {
			return 1, 2
		}
		return 2, 2
	}
	const low, half = 0xdc00, 0x400
	r := hex4(raw[2:])
	switch {
	case r < utf8.RuneSelf:
		return charBytes(r), 6
	case r >= low-half && r < low && len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u':
		if second := hex4(raw[8:]); second >= low && second < low+half {
			return 4, 12
		}
	}
	if n := utf8.RuneLen(r); n > 0 {
		return n, 6
	}
	return 6, 6 // half of a pair can only be escaped
}

// hex4 reads four hexadecimal digits.
func hex4(digits []byte) rune {
	var r rune
	for _, c := range digits[:4] {
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = c | 0x20 - 'a' + 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
