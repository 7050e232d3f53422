package crash_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"parley/client"
)

// The world: agents who share a server with two channels, and each two of them a
// conversation. Every agent writes to all places that it has.
const (
	memberCount = 3
	writers     = 2 // of each member
)

// place is a channel or a conversation, in one shape.
type place struct {
	name    string
	channel client.ChannelID // or
	dm      client.DMID
	members []int // agents
}

// world is what was made before the first kill, and what became of each message.
type world struct {
	keys   []string
	users  []client.UserID
	places []*place

	clients []*client.Client // for the server that runs now
	next    int              // number of the next message

	mu       sync.Mutex
	answered map[string]sent   // by content
	unknown  map[string]*place // by content: the server was killed before it answered
	count    int               // of answers in this round

	unanswered int // of unknown: stored all the same, as the last check saw it
}

// members is the scene of the members of a server.
func members(t *testing.T, url string, _ *rand.Rand) scene {
	t.Helper()
	return newWorld(t, url)
}

// sent is a message that was answered with 201.
type sent struct {
	id    client.MessageID
	place *place
}

// newWorld makes accounts, a server, channels and conversations.
func newWorld(t *testing.T, url string) *world {
	t.Helper()
	w := &world{answered: make(map[string]sent), unknown: make(map[string]*place)}
	var ours *client.Server
	everybody := make([]int, memberCount)
	for i := range memberCount {
		everybody[i] = i
		c, err := client.New(url)
		must(t, err)
		r := client.Registration{
			Email: fmt.Sprintf("agent%d@example.com", i), Username: fmt.Sprintf("agent%d", i), Password: "correct horse battery", IsAgent: true,
		}
		u, err := c.Register(t.Context(), r)
		must(t, err)
		session, err := c.Login(t.Context(), r.Email, r.Password)
		must(t, err)
		key, err := c.WithToken(session.Token).CreateKey(t.Context(), "crash")
		must(t, err)
		w.keys, w.users = append(w.keys, key.Secret), append(w.users, u.ID)
		w.clients = append(w.clients, c.WithToken(key.Secret))
		if i == 0 {
			ours, err = w.clients[0].CreateServer(t.Context(), "Lab", "")
		} else {
			_, err = w.clients[i].JoinServer(t.Context(), ours.ID, ours.InviteCode)
		}
		must(t, err)
	}
	_, err := w.clients[0].CreateChannel(t.Context(), ours.ID, "second", "")
	must(t, err)
	channels, err := w.clients[0].Channels(t.Context(), ours.ID)
	must(t, err)
	for _, ch := range channels {
		w.places = append(w.places, &place{name: "#" + ch.Name, channel: ch.ID, members: everybody})
	}
	for i := range memberCount {
		for j := i + 1; j < memberCount; j++ {
			dm, _, err := w.clients[i].OpenDM(t.Context(), w.users[j])
			must(t, err)
			w.places = append(w.places, &place{name: fmt.Sprintf("DM %d-%d", i, j), dm: dm.ID, members: []int{i, j}})
		}
	}
	return w
}

// move turns to the server that was started now.
func (w *world) move(t *testing.T, url string) {
	t.Helper()
	w.clients = nil
	for _, key := range w.keys {
		c, err := client.New(url, client.WithToken(key))
		must(t, err)
		w.clients = append(w.clients, c)
	}
}

// writeUntil lets all writers write until the server has answered the number of
// messages, then calls then, which may kill the server, and returns when every
// request has ended in one way or the other.
func (w *world) writeUntil(t *testing.T, answers int, then func()) {
	t.Helper()
	w.count = 0
	enough, over := make(chan struct{}), make(chan struct{})
	var reached sync.Once
	var writing sync.WaitGroup
	for a := range memberCount * writers {
		agent, first := a%memberCount, w.next+a
		writing.Go(func() {
			for n := first; ; n += memberCount * writers {
				select {
				case <-over:
					return
				default:
				}
				p := w.places[n%len(w.places)]
				if !p.has(agent) {
					continue
				}
				if !w.write(t, agent, p, fmt.Sprintf("message %d of agent %d", n, agent)) {
					reached.Do(func() { close(enough) }) // nobody would be left to reach it
					return
				}
				w.mu.Lock()
				if w.count >= answers {
					reached.Do(func() { close(enough) })
				}
				w.mu.Unlock()
			}
		})
	}
	<-enough
	then()
	close(over)
	writing.Wait()
	w.next += 1_000_000 // contents are never used again
}

// finish has nothing to do: nobody keeps track of what they have fetched.
func (w *world) finish(*testing.T) {}

func (w *world) result() string {
	return fmt.Sprintf("%d messages were answered, %d more were stored without an answer, %d lost before they were stored",
		len(w.answered), w.unanswered, len(w.unknown)-w.unanswered)
}

// write sends one message, notes what came of it and tells whether the server is
// still there.
func (w *world) write(t *testing.T, agent int, p *place, content string) bool {
	var m *client.Message
	var err error
	if p.dm != "" {
		m, err = w.clients[agent].SendDM(t.Context(), p.dm, content)
	} else {
		m, err = w.clients[agent].Send(t.Context(), p.channel, content)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.answered[content] = sent{m.ID, p}
		w.count++
	case client.StatusOf(err) != 0:
		t.Errorf("%s in %s: got %v, want 201 or no answer at all", content, p.name, err)
	default:
		w.unknown[content] = p
	}
	return err == nil
}

func (p *place) has(agent int) bool {
	for _, m := range p.members {
		if m == agent {
			return true
		}
	}
	return false
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
