package aiclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

// keyPair signs as a client of /ai does, without help of the server's code.
type keyPair struct {
	private *ecdsa.PrivateKey
	public  string // PEM, as the server shows it
}

func newKeyPair(t testing.TB) *keyPair {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key pair: %v", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatalf("encode the public key: %v", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return &keyPair{private: private, public: strings.TrimSpace(string(block))}
}

// sign signs a text, in hexadecimal.
func (k *keyPair) sign(t testing.TB, text string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(text))
	der, err := ecdsa.SignASN1(rand.Reader, k.private, digest[:])
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return hex.EncodeToString(der)
}

// bound is what a bound signature is over (AI 7.3).
func bound(kind string, from *client, to, content string) string {
	return strings.Join([]string{"aiclient-sig-v1", kind, from.id, to, content}, "\n")
}

// verifies checks a signature with a public key as they were received.
func verifies(t testing.TB, public, signature, text string) bool {
	t.Helper()
	block, _ := pem.Decode([]byte(public))
	if block == nil {
		t.Fatalf("%q is no PEM", public)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatalf("read the public key: %v", err)
	}
	der, err := hex.DecodeString(signature)
	if err != nil {
		t.Fatalf("read the signature: %v", err)
	}
	digest := sha256.Sum256([]byte(text))
	return ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest[:], der)
}

// signs gives A a public key.
func (c *cast) signs(t testing.TB) *keyPair {
	t.Helper()
	k := newKeyPair(t)
	c.U1.Patch("/ai/agents/"+c.A.id, object{"public_key": k.public}).Want(200).Is("aiAgent.public_key", k.public)
	return k
}

// signed sends a private message with a signature.
func (c *client) signed(to *client, text string, signature any) *dialecttest.Response {
	c.T.Helper()
	return c.Post("/ai/messages", object{"toAiId": to.id, "content": text, "signature": signature})
}

func TestB18BoundSignature(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		const text = " 你好\n<&>\U0001F916"
		signature := k.sign(t, bound("direct", c.A, c.B.id, text))
		check := func(r *dialecttest.Response, at string) {
			t.Helper()
			r.Is(at+".signature", signature).Is(at+".signature_verified", true).Is(at+".signature_scheme", "bound-v1").
				Is(at+".from_ai.public_key", k.public)
		}
		check(c.A.signed(c.B, text, signature).Want(200), "message")
		r := c.B.inbox()
		check(r, "messages.0")
		over := bound("direct", c.A, c.B.id, r.Text("messages.0.content"))
		if !verifies(t, r.Text("messages.0.from_ai.public_key"), r.Text("messages.0.signature"), over) {
			t.Error("what B received does not verify")
		}
	})
}

func TestB19ContentSignature(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		signature := k.sign(t, "plain")
		c.A.signed(c.B, "plain", strings.ToUpper(signature)).Want(200).Is("message.signature", signature)
		c.B.inbox().Is("messages.0.signature", signature).Is("messages.0.signature_verified", true).
			Is("messages.0.signature_scheme", "content").Is("messages.0.from_ai.public_key", k.public)
	})
}

func TestB20BadSignature(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k, other := c.signs(t), newKeyPair(t)
		off := w.guest(t, func(a *chat.Account) { a.State = chat.StateSuspended })
		before := w.written(t)
		for _, signature := range []string{
			k.sign(t, "other"),
			k.sign(t, "x "),
			k.sign(t, bound("direct", c.A, c.C.id, "x")),
			k.sign(t, bound("direct", c.B, c.A.id, "x")),
			k.sign(t, bound("group", c.A, c.B.id, "x")),
			k.sign(t, bound("direct", c.A, strings.ToUpper(c.B.id), "x")),
			other.sign(t, "x"),
		} {
			fails(t, c.A.signed(c.B, "x", signature), 400, textSigBad)
		}
		// Who is written to comes first.
		bad := k.sign(t, "other")
		fails(t, c.A.signed(&client{id: strange}, "x", bad), 404, textNoAgent)
		fails(t, c.A.signed(off, "x", bad), 403, textTargetOff)
		c.B.inbox().Is("messages.0", dialecttest.Absent{})
		if after := w.written(t); after != before {
			t.Errorf("the last position went from %d to %d, want nothing written", before, after)
		}
	})
}

// malformed are signatures without the form of one: of no text at all.
func malformed(t testing.TB, k *keyPair) []string {
	t.Helper()
	good := k.sign(t, "x")
	der, err := hex.DecodeString(good)
	if err != nil {
		t.Fatalf("read the signature: %v", err)
	}
	digest := sha256.Sum256([]byte("x"))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	raw := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return []string{
		"zz", good[:len(good)-1], base64.StdEncoding.EncodeToString(der), hex.EncodeToString(raw), good + "00", "", " " + good,
		"0x" + good, strings.Repeat("0", 146),
	}
}

func TestB21MalformedSignature(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		for _, signature := range malformed(t, k) {
			fails(t, c.A.signed(c.B, "x", signature), 400, textSigFormat)
		}
		for _, signature := range []any{5, true, object{}, []any{k.sign(t, "x")}} {
			fails(t, c.A.signed(c.B, "x", signature), 400, textInvalid("signature"))
		}
		fails(t, c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "x", "signature": "zz"}), 400, textSigFormat)
		fails(t, c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "x", "signature": 5}), 400, textInvalid("signature"))
		c.B.inbox().Is("messages.0", dialecttest.Absent{})
	})
}

func TestB22UncheckedSignature(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		signature := newKeyPair(t).sign(t, "x")
		check := func(r *dialecttest.Response, at string) {
			t.Helper()
			r.Is(at+".signature", signature).Is(at+".signature_verified", false).
				Is(at+".signature_scheme", dialecttest.Absent{}).Is(at+".from_ai.public_key", nil)
		}
		check(c.C.signed(c.B, "x", strings.ToUpper(signature)).Want(200), "message")
		check(c.B.inbox(), "messages.0")
		// A key that comes later vouches for nothing sent before.
		c.U2.Patch("/ai/agents/"+c.C.id, object{"public_key": newKeyPair(t).public}).Want(200)
		check(c.B.inbox(), "messages.0")
	})
}

func TestB23MalformedSignatureWithoutKey(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, signature := range malformed(t, newKeyPair(t)) {
			fails(t, c.C.signed(c.B, "x", signature), 400, textSigFormat)
		}
	})
}

func TestB24UnsignedWithKey(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		for _, r := range []*dialecttest.Response{c.A.says(c.B, "x"), c.A.signed(c.B, "x", nil)} {
			r.Want(200).Is("message.signature", dialecttest.Absent{}).Is("message.signature_verified", dialecttest.Absent{}).
				Is("message.from_ai.public_key", k.public)
		}
		c.B.inbox().Is("messages.0.signature", dialecttest.Absent{}).Is("messages.0.from_ai.public_key", k.public)
		// Of what is not signed the current key is shown.
		next := c.signs(t)
		c.B.inbox().Is("messages.0.from_ai.public_key", next.public)
	})
}

func TestB39GroupSignature(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		signature := k.sign(t, bound("group", c.A, c.R, "x"))
		c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "x", "signature": signature}).Want(200).
			Is("message.signature_scheme", "bound-v1").Is("message.signature_verified", true).Is("message.group_id", c.R)
		c.B.Get("/ai/groups/"+c.R+"/messages").Want(200).Is("messages.0.signature", signature).
			Is("messages.0.signature_scheme", "bound-v1").Is("messages.0.from_ai.public_key", k.public)
		fails(t, c.A.signed(c.B, "x", signature), 400, textSigBad)
		direct := k.sign(t, bound("direct", c.A, c.B.id, "x"))
		fails(t, c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "x", "signature": direct}), 400, textSigBad)
		other := c.A.Post("/ai/groups", object{"name": "other"}).Want(200).Text("group.id")
		fails(t, c.A.Post("/ai/groups/"+other+"/messages", object{"content": "x", "signature": signature}), 400, textSigBad)
		// Whether one may write there comes first.
		fails(t, c.C.Post("/ai/groups/"+c.R+"/messages", object{"content": "x", "signature": "zz"}), 403, textNotMember)
		fails(t, c.C.Post("/ai/groups/"+strange+"/messages", object{"content": "x", "signature": "zz"}), 404, textNoGroup)
	})
}

// An edit through another dialect drops the signature: nobody signed what the message
// says then (README 4).
func TestEditDropsSignature(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		sent := c.A.signed(c.B, "signed", k.sign(t, "signed")).Want(200).Text("message.id")
		u, _ := id.ParseUUID(sent)
		n, _ := w.IDs.Open(id.KindMessage, u)
		ref := core.MessageRef{Kind: chat.ConversationDirect, Message: chat.MessageID(n)}
		edited, err := w.Core.EditMessage(t.Context(), c.A.through(chat.SurfaceOpenCord), ref, "not signed")
		if err != nil {
			t.Fatalf("edit: %v", err)
		}
		if edited.Signature != nil {
			t.Error("the edited message has a signature, want none")
		}
		c.B.inbox().Is("messages.0.id", sent).Is("messages.0.content", "not signed").
			Is("messages.0.signature", dialecttest.Absent{}).Is("messages.0.signature_verified", dialecttest.Absent{})
	})
}

// A signature holds for the sender as the server knows it, whatever the body says.
func TestSignatureOfAnotherSender(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		c.U1.Patch("/ai/agents/"+c.B.id, object{"public_key": k.public}).Want(200) // the owner gave both one key
		signature := k.sign(t, bound("direct", c.A, c.C.id, "x"))
		c.A.signed(c.C, "x", signature).Want(200)
		fails(t, c.B.signed(c.C, "x", signature), 400, textSigBad)
	})
}
