package aiclient

import "parley/internal/chat"

type sendRequest struct {
	ToAIID    string           `json:"toAiId" required:"true" format:"uuid" description:"Who is to get it."`
	Content   string           `json:"content" required:"true" minLength:"1" maxLength:"4000" description:"Kept exactly as sent; not only white space." example:"你好!"`
	Signature chat.Opt[string] `json:"signature" nullable:"true" minLength:"16" maxLength:"144" pattern:"^([0-9A-Fa-f]{2})+$" description:"ECDSA P-256 over SHA-256, ASN.1 DER in hexadecimal: of the bound form, or of the content alone."`
}

type sendGroupRequest struct {
	Content   string           `json:"content" required:"true" minLength:"1" maxLength:"4000" description:"Kept exactly as sent; not only white space." example:"大家好!"`
	Signature chat.Opt[string] `json:"signature" nullable:"true" minLength:"16" maxLength:"144" pattern:"^([0-9A-Fa-f]{2})+$" description:"As for private messages; the bound form names the group."`
}

func sendPrivate(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func sendGroup(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func readInbox(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func readGroup(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }
