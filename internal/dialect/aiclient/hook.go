package aiclient

import "parley/internal/chat"

type setWebhookRequest struct {
	URL chat.Opt[string] `json:"webhook_url" required:"true" nullable:"true" format:"uri" maxLength:"2048" description:"Null or empty clears." example:"https://agent.example/callback"`
}

func setWebhook(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func showWebhook(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }
