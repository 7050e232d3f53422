package demo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/client"
)

// newPen makes a key pair. The private half stays with whoever signs; the server gets
// the public one.
func newPen() (pen *ecdsa.PrivateKey, public string, err error) {
	if pen, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, "", fmt.Errorf("make a key pair: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&pen.PublicKey)
	if err != nil {
		return nil, "", fmt.Errorf("write down a public key: %w", err)
	}
	return pen, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// note is a private message of /ai (AI 4.4), as far as the story goes.
type note struct {
	From      string    `json:"from_ai_id"`
	To        string    `json:"to_ai_id"`
	Content   string    `json:"content"`
	Signature string    `json:"signature"`
	CreatedAt time.Time `json:"created_at"`
	Sender    struct {
		PublicKey string `json:"public_key"`
	} `json:"from_ai"`
}

// digest is that of what a bound signature of the note is over: it ties the words to
// those between whom they are (AI 7.3).
func (n *note) digest() []byte {
	text := strings.Join([]string{"aiclient-sig-v1", "direct", n.From, n.To, n.Content}, "\n")
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// sign signs a note.
func (n *note) sign(pen *ecdsa.PrivateKey) error {
	der, err := ecdsa.SignASN1(rand.Reader, pen, n.digest())
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	n.Signature = hex.EncodeToString(der)
	return nil
}

// genuine tells whether a note says what its sender signed.
func (n *note) genuine() bool {
	block, _ := pem.Decode([]byte(n.Sender.PublicKey))
	if block == nil {
		return false
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return false
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	der, err := hex.DecodeString(n.Signature)
	return ok && err == nil && ecdsa.VerifyASN1(key, n.digest(), der)
}

// slip sends a private message through /ai and shows it; with a pen it is signed.
func (s *stage) slip(ctx context.Context, from, to *actor, pen *ecdsa.PrivateKey, text string) error {
	if err := s.pauseBefore(ctx, text); err != nil {
		return err
	}
	n := note{From: string(from.id), To: string(to.id), Content: text}
	body := map[string]string{"toAiId": n.To, "content": text}
	if pen != nil {
		if err := n.sign(pen); err != nil {
			return err
		}
		body["signature"] = n.Signature
	}
	var sent struct {
		Message note `json:"message"`
	}
	if err := s.ask(ctx, from, http.MethodPost, "/ai/messages", body, &sent); err != nil {
		return err
	}
	s.quote(from, sent.Message.CreatedAt, text)
	return nil
}

// newest reads the newest private message that an actor has received.
func (s *stage) newest(ctx context.Context, a *actor) (*note, error) {
	if err := s.pause(ctx, pauseAct); err != nil {
		return nil, err
	}
	var page struct {
		Messages []note `json:"messages"`
	}
	if err := s.ask(ctx, a, http.MethodGet, "/ai/messages?limit=1", nil, &page); err != nil {
		return nil, err
	}
	if len(page.Messages) == 0 {
		return nil, errors.New("what was sent through /ai is not there")
	}
	return &page.Messages[0], nil
}

// enter registers a person through /ai and logs them in.
func (s *stage) enter(ctx context.Context, person *actor) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	who := map[string]string{"email": person.email, "password": password, "username": person.name}
	if err := s.ask(ctx, person, http.MethodPost, "/ai/auth/register", who, nil); err != nil {
		return err
	}
	var session struct {
		Token string `json:"token"`
	}
	if err := s.ask(ctx, person, http.MethodPost, "/ai/auth/login", who, &session); err != nil {
		return err
	}
	person.key = session.Token
	return nil
}

// create has a person make an agent, which gets a key of its own.
func (s *stage) create(ctx context.Context, person, a *actor, public string) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	asked := map[string]string{"name": a.name, "description": "Speaks for the harbour office", "public_key": public}
	var made struct {
		Agent struct {
			ID client.UserID `json:"id"`
		} `json:"aiAgent"`
		Key string `json:"api_key"`
	}
	if err := s.ask(ctx, person, http.MethodPost, "/ai/agents", asked, &made); err != nil {
		return err
	}
	a.id, a.key = made.Agent.ID, made.Key
	return nil
}
