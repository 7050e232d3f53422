package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

const (
	messageBytes  = 200
	channelsShare = 100 // channels of one space
	tokenPrefix   = "aoc_"
)

// messageText is what every message says: text of messageBytes bytes.
func messageText() string {
	const words = "the quick brown agent writes to its peers about what it has found out so far, "
	return strings.Repeat(words, messageBytes/len(words)+1)[:messageBytes]
}

// fixture is what the databases hold before anything is measured. Ids of one kind
// are consecutive, so all of it follows from the first ones: conversation k, of
// which the channels come first, belongs to sender k % Connections if it is a
// direct one, and its other side is peer k.
type fixture struct {
	Engine      string
	Work        string
	Rows        int
	Connections int
	Channels    int
	Directs     int
	AI          bool // senders write through /ai, too

	FirstSender       int64
	FirstPeer         int64
	FirstConversation int64
	FirstMessage      int64
	StartedAt         time.Time // of message 0; each is a millisecond after the one before

	Tokens []string // the key of each sender
	IDs    []string // how clients name each conversation
	IDKey  [32]byte

	// For /ai.
	SenderIDs []string `json:",omitempty"` // how clients name each sender ...
	PeerIDs   []string `json:",omitempty"` // ... and the other side of each direct conversation
	Pen       []byte   `json:",omitempty"` // the private key of all senders (PKCS #8)
}

func (f *fixture) conversations() int { return f.Channels + f.Directs }

// senderOf is who writes to conversation k when nothing else decides.
func (f *fixture) senderOf(k int) int64 { return f.FirstSender + int64(k%f.Connections) }

// peerOf is the other side of conversation k, 0 for a channel.
func (f *fixture) peerOf(k int) int64 {
	if k < f.Channels {
		return 0
	}
	return f.FirstPeer + int64(k-f.Channels)
}

// own are the direct conversations of sender i.
func (f *fixture) own(i int) []int {
	var list []int
	for k := f.Channels; k < f.conversations(); k++ {
		if k%f.Connections == i {
			list = append(list, k)
		}
	}
	return list
}

// newFixture says what has to be made for o, without ids.
func newFixture(o *Options) *fixture {
	f := &fixture{Engine: o.Engine, Work: o.Work, Rows: o.Rows, Connections: o.Connections, AI: o.AI}
	switch o.Work {
	case WorkChannel:
		f.Channels = o.Conversations
	case WorkDirect:
		f.Directs = o.Conversations
	default:
		f.Channels = o.Conversations / 2
		f.Directs = o.Conversations - f.Channels
	}
	return f
}

// seed stores accounts, keys, spaces and conversations and notes their ids. It
// goes round the core, because passwords are slow to hash and limits would apply.
func (f *fixture) seed(ctx context.Context, s store.Store) error {
	var err error
	if f.IDKey, err = s.IDKey(ctx); err != nil {
		return fmt.Errorf("read the key of ids: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	f.StartedAt = now.Add(-time.Duration(f.Rows) * time.Millisecond)
	public := ""
	if f.AI {
		if public, err = f.makePen(); err != nil {
			return fmt.Errorf("make a key pair: %w", err)
		}
	}
	err = s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		f.Tokens = nil // this may run twice
		if err := f.seedAccounts(ctx, tx, public); err != nil {
			return fmt.Errorf("store accounts: %w", err)
		}
		if err := f.seedConversations(ctx, tx); err != nil {
			return fmt.Errorf("store conversations: %w", err)
		}
		f.FirstMessage, err = tx.NextID(ctx, 1)
		return err
	})
	if err != nil {
		return err
	}
	codec, err := id.NewCodec(f.IDKey)
	if err != nil {
		return err
	}
	f.IDs = make([]string, f.conversations())
	for k := range f.IDs {
		f.IDs[k] = codec.Seal(id.KindConversation, f.FirstConversation+int64(k)).String()
	}
	if f.AI {
		f.SenderIDs = accountIDs(codec, f.FirstSender, f.Connections)
		f.PeerIDs = accountIDs(codec, f.FirstPeer, f.Directs)
	}
	return nil
}

// accountIDs are how clients name n accounts.
func accountIDs(codec *id.Codec, first int64, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = codec.Seal(id.KindAccount, first+int64(i)).String()
	}
	return list
}

// makePen makes the key pair of all senders and returns the public half.
func (f *fixture) makePen() (public string, err error) {
	pen, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	if f.Pen, err = x509.MarshalPKCS8PrivateKey(pen); err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(&pen.PublicKey)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))), nil
}

func (f *fixture) seedAccounts(ctx context.Context, tx store.Tx, public string) error {
	first, err := tx.NextID(ctx, f.Connections+f.Directs)
	if err != nil {
		return err
	}
	f.FirstSender, f.FirstPeer = first, first+int64(f.Connections)
	for i := range f.Connections + f.Directs {
		name := fmt.Sprintf("bench%d", i)
		err := tx.InsertAccount(ctx, &chat.Account{
			ID: chat.AccountID(first + int64(i)), Kind: chat.KindAgent, MadeBy: chat.SurfaceOpenCord,
			Username: name, NameKey: name, Handle: name, DisplayName: name, PublicKey: public,
			State: chat.StateActive, CreatedAt: f.StartedAt, UpdatedAt: f.StartedAt,
		}, "")
		if err != nil {
			return err
		}
	}
	first, err = tx.NextID(ctx, f.Connections)
	if err != nil {
		return err
	}
	for i := range f.Connections {
		token := secret.NewToken(tokenPrefix)
		err := tx.InsertCredential(ctx, &chat.Credential{
			ID: chat.CredentialID(first + int64(i)), Account: chat.AccountID(f.FirstSender + int64(i)),
			Kind: chat.CredentialKey, Issuer: chat.SurfaceOpenCord, Name: "bench", Prefix: token[:12],
			CreatedAt: f.StartedAt,
		}, secret.DigestOf(token))
		if err != nil {
			return err
		}
		f.Tokens = append(f.Tokens, token)
	}
	return nil
}

func (f *fixture) seedConversations(ctx context.Context, tx store.Tx) error {
	var err error
	if f.FirstConversation, err = tx.NextID(ctx, f.conversations()); err != nil {
		return err
	}
	var space chat.SpaceID
	for k := range f.conversations() {
		conversation := chat.ConversationID(f.FirstConversation + int64(k))
		if k >= f.Channels {
			low, high := chat.Pair(chat.AccountID(f.senderOf(k)), chat.AccountID(f.peerOf(k)))
			err = tx.InsertDirect(ctx, &chat.Conversation{
				ID: conversation, Kind: chat.ConversationDirect, Low: low, High: high, CreatedAt: f.StartedAt,
			})
			if err != nil {
				return err
			}
			continue
		}
		if k%channelsShare == 0 {
			if space, err = f.seedSpace(ctx, tx); err != nil {
				return err
			}
		}
		err = tx.InsertChannel(ctx, &chat.Channel{
			ID: conversation, Space: space, Name: fmt.Sprintf("bench%d", k), Position: k % channelsShare,
			CreatedAt: f.StartedAt, UpdatedAt: f.StartedAt,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// seedSpace stores a space that all senders are members of.
func (f *fixture) seedSpace(ctx context.Context, tx store.Tx) (chat.SpaceID, error) {
	first, err := tx.NextID(ctx, 2)
	if err != nil {
		return 0, err
	}
	space := chat.SpaceID(first)
	err = tx.InsertSpace(ctx, &chat.Space{
		ID: space, MadeBy: chat.SurfaceOpenCord, Name: "bench", Owner: chat.AccountID(f.FirstSender),
		InviteCode: id.RandomString("abcdefghijklmnopqrstuvwxyz", 12), CreatedAt: f.StartedAt, UpdatedAt: f.StartedAt,
	})
	if err != nil {
		return 0, err
	}
	err = tx.InsertArchetype(ctx, chat.Archetype{
		ID: chat.ArchetypeID(first + 1), Space: space, Name: "everyone", Grants: chat.EntEveryone, Default: true,
	})
	if err != nil {
		return 0, err
	}
	for i := range f.Connections {
		m := chat.SpaceMember{
			Space: space, Account: chat.AccountID(f.FirstSender + int64(i)),
			Grants: chat.EntEveryone, JoinedAt: f.StartedAt,
		}
		if err := tx.InsertSpaceMember(ctx, m, nil); err != nil {
			return 0, err
		}
	}
	return space, nil
}

// fixtureFile is written last: a folder that has it is complete.
const fixtureFile = "bench.json"

func (f *fixture) save(folder string) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, fixtureFile), text, 0o600) // it holds keys
}

// loadFixture returns what a folder was kept with, nil if there is nothing, and
// an error if it was made for other options.
func loadFixture(folder string, o *Options) (*fixture, error) {
	text, err := os.ReadFile(filepath.Join(folder, fixtureFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := new(fixture)
	if err := json.Unmarshal(text, f); err != nil {
		return nil, fmt.Errorf("read %s: %w", fixtureFile, err)
	}
	want := newFixture(o)
	if f.Engine != want.Engine || f.Work != want.Work || f.Rows != want.Rows || f.Connections != want.Connections ||
		f.Channels != want.Channels || f.Directs != want.Directs || f.AI != want.AI {
		return nil, fmt.Errorf("%s was made with other options: engine %s, work %s, %d rows, %d connections, %d conversations, ai %t",
			folder, f.Engine, f.Work, f.Rows, f.Connections, f.conversations(), f.AI)
	}
	return f, nil
}
