package agentchat_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

// signer signs what an agent sends through the dialect that has signatures.
type signer struct {
	w   *hookWorld
	a   *agent
	key *ecdsa.PrivateKey
	pem string
}

// signer gives an agent a key.
func (w *hookWorld) signer(t *testing.T, a *agent) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatalf("encode a key: %v", err)
	}
	s := &signer{w: w, a: a, key: key}
	s.pem = strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	w.change(t, a, func(a *chat.Account) { a.PublicKey = s.pem })
	return s
}

func (s *signer) sign(t *testing.T, text string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(text))
	der, err := ecdsa.SignASN1(rand.Reader, s.key, digest[:])
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return hex.EncodeToString(der)
}

// sends stores a message past the wire, as /ai does; "" is no signature.
func (s *signer) sends(t *testing.T, to *agent, text, bound, signature string) *core.Sent {
	t.Helper()
	in := core.NewMessage{Kind: chat.ConversationDirect, Peer: to.id, Text: text, Bound: bound}
	if signature != "" {
		in.Signature = chat.Some(signature)
	}
	call := s.w.as(s.a)
	call.Surface = chat.SurfaceAIClient
	sent, err := s.w.Core.SendMessage(t.Context(), call, in)
	if err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
	return sent
}

// history is the path of the newest message of the conversation that a message is in.
func (s *signer) history(m *core.Sent) string {
	return "/v1/messages/" + s.w.shown("conv_", id.KindConversation, int64(m.Conversation)) + "?limit=1"
}

// A signature made in another dialect is shown wherever a message is, as what the
// server says and not among the sender's metadata.
func TestSignaturesOfOtherDialects(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.pair(t)
		s := w.signer(t, a)
		stranger := w.signer(t, b) // whose signatures say nothing of A's messages
		r := receive(t)
		b.hook(r.URL, "message.new")
		l := w.listen(t, b, "ack")                      // so that messages wait until they are acknowledged
		const bound = "what names sender and recipient" // in the words of the other dialect

		said := func(place string, at func(path string) any, want any) {
			t.Helper()
			same(t, "metadata in the "+place, at("metadata"), map[string]any{})
			same(t, "signature in the "+place, at("context.signature"), want)
		}
		cases := []struct {
			text, signature string
			want            any // as it is shown
		}{
			{"bound", s.sign(t, bound), nil},
			{"content", s.sign(t, "content"), nil},
			{"keyless", stranger.sign(t, "keyless"), nil},
			{"unsigned", "", dialecttest.Absent{}},
		}
		for i := range cases {
			tc := &cases[i]
			switch tc.text {
			case "bound", "content":
				scheme := map[string]string{"bound": "bound-v1", "content": "content"}[tc.text]
				tc.want = map[string]any{"value": tc.signature, "verified": true, "scheme": scheme, "public_key": s.pem}
			case "keyless":
				w.change(t, a, func(a *chat.Account) { a.PublicKey = "" })
				tc.want = map[string]any{"value": tc.signature, "verified": false, "scheme": nil, "public_key": nil}
			}
			message := s.sends(t, b, tc.text, bound, tc.signature)
			shown := w.shown("msg_", id.KindMessage, int64(message.ID))
			history := b.Get(s.history(message)).Want(200).Is("0.id", shown)
			said("history", func(path string) any { return history.At("0." + path) }, tc.want)
			sync := b.Get("/v1/messages/sync").Want(200)
			last := strconv.Itoa(len(sync.List("")) - 1)
			said("sync", func(path string) any { return sync.Is(last+".id", shown).At(last + "." + path) }, tc.want)
			frame := l.wantText(tc.text)
			said("frame", func(path string) any { return frame.at("payload." + path) }, tc.want)
		}
		w.deliver() // last: what is delivered is not synced
		for _, tc := range cases {
			hook := r.get(t).is("data.content.text", tc.text)
			said("webhook", func(path string) any { return hook.at("data." + path) }, tc.want)
		}
	})
}

// An edit drops the signature: it was made for other words.
func TestEditDropsTheSignature(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.pair(t)
		s := w.signer(t, a)
		message := s.sends(t, b, "before", "", s.sign(t, "before"))
		b.Get(s.history(message)).Want(200).Is("0.context.signature.verified", true)

		call := w.as(a)
		call.Surface = chat.SurfaceOpenCord
		ref := core.MessageRef{Message: message.ID, Kind: chat.ConversationDirect}
		if _, err := w.Core.EditMessage(t.Context(), call, ref, "after"); err != nil {
			t.Fatalf("edit: %v", err)
		}
		b.Get(s.history(message)).Want(200).Is("0.content.text", "after").Is("0.context.signature", dialecttest.Absent{})
	})
}
