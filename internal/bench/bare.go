package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// bareRow is one message as the bare writer stores it.
type bareRow struct {
	id, conversation, seq, author int64
	recipient                     int64 // of the envelope; 0: none
	at                            int64 // Unix milliseconds
}

// bareStore writes batches of rows, durably. One goroutine uses it.
type bareStore interface {
	// last returns the last id drawn and the last sequence number and time of
	// every conversation.
	last(ctx context.Context, f *fixture) (id int64, places []barePlace, err error)
	// write stores the rows of a batch, moves their conversations and records
	// the last id drawn, in one transaction.
	write(ctx context.Context, rows []bareRow) error
	close() error
}

// readPlaces asks either engine how far the conversations from $1 on have come.
const readPlaces = `SELECT last_seq, last_at FROM conversations WHERE id >= $1 AND id < $1 + $2 ORDER BY id`

// barePlace is how far a conversation has come.
type barePlace struct{ seq, at int64 }

// bareBatch is the most messages that are stored together.
const bareBatch = 512

// bareSend is a send that waits for the writer.
type bareSend struct {
	sender, conversation int
	answer               chan error
}

// bareWriter is the floor below the server: it stores the same rows as a server
// would and knows everything else by heart.
type bareWriter struct {
	f      *fixture
	store  bareStore
	sends  chan *bareSend
	done   chan struct{}
	lastID int64
	places []barePlace
}

func beginBare(ctx context.Context, b *brief) (subject, error) {
	open := openBareSQLite
	if b.Place.Database.Postgres() {
		open = openBarePostgres
	}
	st, err := open(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("open the database of the bare writer: %w", err)
	}
	w := &bareWriter{f: b.Fixture, store: st, sends: make(chan *bareSend, bareBatch), done: make(chan struct{})}
	if w.lastID, w.places, err = st.last(ctx, w.f); err != nil {
		return nil, errors.Join(fmt.Errorf("read the state of the bare writer: %w", err), st.close())
	}
	if len(w.places) != w.f.conversations() {
		return nil, errors.Join(fmt.Errorf("%d conversations are stored, want %d", len(w.places), w.f.conversations()), st.close())
	}
	go w.run(context.WithoutCancel(ctx))
	return w, nil
}

func (w *bareWriter) address() string { return "" }

// stop waits for the writer. No slice may run.
func (w *bareWriter) stop() error {
	close(w.sends)
	<-w.done
	return w.store.close()
}

// drive drives one slice with senders in this process.
func (w *bareWriter) drive(ctx context.Context, p pace) (*slice, error) {
	senders := make([]func() error, p.Connections)
	for i := range senders {
		senders[i] = w.sender(i)
	}
	used := func() (usage, error) {
		cpu, err := processTime()
		return usage{Child: cpu}, err
	}
	return drive(ctx, p, used, func(i int) error { return senders[i]() }, nil)
}

// sender returns what makes one send as sender i.
func (w *bareWriter) sender(i int) func() error {
	s := &bareSend{sender: i, answer: make(chan error, 1)}
	random := rand.New(rand.NewPCG(uint64(i), 2)) //nolint:gosec // chooses conversations, guards nothing
	own := w.f.own(i)
	return func() error {
		if w.f.Channels == 0 || len(own) > 0 && random.IntN(2) == 0 {
			s.conversation = own[random.IntN(len(own))]
		} else {
			s.conversation = random.IntN(w.f.Channels)
		}
		w.sends <- s
		return <-s.answer
	}
}

// run stores what waits, batch by batch, until sends is closed. As in the server
// there is no linger: a batch grows while another is written.
func (w *bareWriter) run(ctx context.Context) {
	defer close(w.done)
	batch := make([]*bareSend, 0, bareBatch)
	rows := make([]bareRow, 0, bareBatch)
	for first := range w.sends {
		batch, rows = append(batch[:0], first), rows[:0]
		for len(batch) < bareBatch && len(w.sends) > 0 {
			batch = append(batch, <-w.sends)
		}
		now := time.Now().UnixMilli()
		for _, s := range batch {
			rows = append(rows, w.row(s, now))
		}
		err := w.store.write(ctx, rows)
		for _, s := range batch {
			s.answer <- err
		}
	}
}

func (w *bareWriter) row(s *bareSend, now int64) bareRow {
	w.lastID++
	place := &w.places[s.conversation]
	place.seq++
	place.at = max(now, place.at+1)
	return bareRow{
		id: w.lastID, conversation: w.f.FirstConversation + int64(s.conversation), seq: place.seq,
		author: w.f.FirstSender + int64(s.sender), recipient: w.f.peerOf(s.conversation), at: place.at,
	}
}

// movesAgain tells whether a later row of the batch moves the conversation on:
// only its last place is stored.
func movesAgain(later []bareRow, conversation int64) bool {
	for i := range later {
		if later[i].conversation == conversation {
			return true
		}
	}
	return false
}
