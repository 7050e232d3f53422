package aiclient

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// What a webhook is told of (AI 9.3).
const (
	payloadMessage      = "message"
	payloadGroupMessage = "group_message"
)

// payload is the body of every delivery.
type payload struct {
	Type      string  `json:"type"`
	Message   message `json:"message"`
	Timestamp int64   `json:"timestamp"` // when it was queued, in Unix seconds
}

// Encoder words deliveries to webhooks that were set through /ai (AI 9). It is
// immutable and works from the delivery alone.
type Encoder struct{ api *api }

// NewEncoder makes an encoder. publicURL is the address of the server in links, without
// a slash at the end, and fileLink as in [Config]; without either files are shown by
// their names alone.
func NewEncoder(ids *id.Codec, publicURL string, fileLink func(base string, file *chat.Attachment) string) *Encoder {
	return &Encoder{&api{Config: Config{IDs: ids, PublicURL: publicURL, FileLink: fileLink}}}
}

// Body is what is sent, at every attempt.
func (c *Encoder) Body(d *chat.Delivery) ([]byte, error) {
	e := &d.Event
	if e.Kind != chat.EventMessageCreated || e.Message == nil || e.By == nil {
		return nil, fmt.Errorf("event %s has no form for webhooks", e.Kind)
	}
	text := wire.PlainText(&chat.MessageView{Message: *e.Message, By: *e.By, File: d.File}, c.fileLink)
	p := payload{Type: payloadMessage, Message: c.api.message(e.Message, e.By, text), Timestamp: d.CreatedAt.Unix()}
	if e.Group != nil {
		p.Type, p.Message.GroupID = payloadGroupMessage, c.api.groupID(e.Message.Conversation)
	} else {
		p.Message.ToAIID = c.api.accountID(d.Account)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("encode event %s for a webhook: %w", e.Kind, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// fileLink is where a file can be read. There is no request here whose address would do
// in the place of a public one.
func (c *Encoder) fileLink(file *chat.Attachment) string {
	if c.api.PublicURL == "" || c.api.FileLink == nil {
		return ""
	}
	return c.api.FileLink(c.api.PublicURL, file)
}

// Header is what goes with the body of one attempt, signed with the time of the attempt
// (AI 9.4).
func (c *Encoder) Header(d *chat.Delivery, secret []byte, at time.Time) http.Header {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(t + ".")) // never fails
	_, _ = mac.Write(d.Body)
	h := make(http.Header)
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("User-Agent", "aiclient-webhook/1")
	h.Set("X-AIClient-Delivery", c.api.seal(id.KindDelivery, int64(d.ID)))
	h.Set("X-AIClient-Signature", "t="+t+",v1="+hex.EncodeToString(mac.Sum(nil)))
	return h
}
