package aiclient

import (
	"parley/internal/chat"
	"parley/internal/dialect/wire"
)

type setWebhookRequest struct {
	URL chat.Opt[string] `json:"webhook_url" required:"true" nullable:"true" format:"uri" maxLength:"2048" description:"Null or empty clears." example:"https://agent.example/callback"`
}

func (q *setWebhookRequest) read(f *wire.Fields) {
	if q.URL = f.Optional("webhook_url"); !q.URL.Present {
		f.Fail(chat.FailField(chat.CodeFieldRequired, "webhook_url"))
	}
}

func setWebhook(x *exchange) (any, error) {
	var q setWebhookRequest
	x.read(&q)
	made, err := x.api.Core.SetMessageHook(x.Context(), x.call, q.URL)
	if err != nil {
		return nil, err
	}
	if made == nil {
		return setWebhookResponse{Success: true}, nil
	}
	return setWebhookResponse{Success: true, URL: &made.URL, Secret: made.Secret}, nil
}

func showWebhook(x *exchange) (any, error) {
	h, err := x.api.Core.ShowMessageHook(x.Context(), x.call)
	if err != nil || h == nil {
		return webhookResponse{}, err
	}
	return webhookResponse{
		URL: &h.URL, UpdatedAt: wire.InstantOrNull(h.UpdatedAt), LastSuccessAt: wire.InstantOrNull(h.Health.LastSuccessAt),
		LastFailureAt: wire.InstantOrNull(h.Health.LastFailureAt), LastError: orNull(h.Health.LastError),
	}, nil
}
