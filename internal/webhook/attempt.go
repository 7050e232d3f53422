package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	answerBytes   = 4 << 10 // of a response body that are read
	sentenceBytes = 300     // of an error that are kept
)

// run is a claimed hook and what is to be sent there. The breaker is the loop's,
// each delivery whoever's turn it is: the loop gets it with its outcome.
type run struct {
	hook       chat.Hook
	breaker    chat.Breaker
	health     chat.HookHealth // since it was claimed
	deliveries []chat.Delivery
}

// outcome is what came of one delivery of a run, or, without one, the end of the
// run; without a run it is the end of a wake.
type outcome struct {
	run      *run
	delivery *chat.Delivery
	err      error // nil: the receiver took it
	at       time.Time
	buried   bool // it is given up
}

// work sends the deliveries of a run one after the other, up to the first failure,
// for as long as the claim is good and the hook is still to be told.
func (w *Worker) work(r *run) {
	secret, unreadable := w.core.HookSecret(&r.hook)
	began := w.Now()
	for i := range r.deliveries {
		d := &r.deliveries[i]
		if i > 0 && (w.Now().Sub(began) > runTime || !w.stands(r)) {
			break
		}
		err := unreadable
		if err == nil {
			err = w.attempt(&r.hook, d, secret)
		}
		w.outcomes <- outcome{run: r, delivery: d, err: err, at: w.Now()}
		if err != nil {
			break
		}
	}
	w.outcomes <- outcome{run: r}
}

// stands tells whether a run is to go on: the worker is not about to stop, and the
// hook is there and its account may be told.
func (w *Worker) stands(r *run) bool {
	select {
	case <-w.stopping:
		return false
	default:
	}
	told := false
	err := w.Store.View(w.attempts, func(ctx context.Context, rd store.Reader) error {
		if _, err := rd.Hook(ctx, r.hook.ID); err != nil {
			return err
		}
		a, err := rd.Account(ctx, r.hook.Account)
		told = err == nil && mayBeTold(a)
		return err
	})
	return err == nil && told
}

// attempt sends a delivery once.
func (w *Worker) attempt(h *chat.Hook, d *chat.Delivery, secret []byte) error {
	began := time.Now() // a duration of the world, not of the injected clock
	err := w.post(h, d, secret)
	if err != nil && w.attempts.Err() != nil {
		return errAborted
	}
	w.Observe(Attempt{Surface: h.Surface, Wake: d.Wake != nil, Err: err, Took: time.Since(began)})
	return err
}

func (w *Worker) post(h *chat.Hook, d *chat.Delivery, secret []byte) error {
	encoder := w.Encoders[h.Surface]
	if encoder == nil {
		return errNoSurface(h)
	}
	ctx, cancel := context.WithTimeout(w.attempts, w.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	r.Header = encoder.Header(d, secret, w.Now())
	answer, err := w.Client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	// What it says does not matter, but a receiver that is cut off while it answers
	// may take that for a failure.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, answerBytes))
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the receiver answered %d", answer.StatusCode)
	}
	return nil
}

// sentence is what is kept of an error: without the URL, which may hold a secret of
// its owner, and without what a database would not take.
func sentence(err error) string {
	var call *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the receiver did not answer in time"
	case errors.As(err, &call):
		err = call.Err
	}
	text := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "")
	if len(text) > sentenceBytes {
		text = strings.ToValidUTF8(text[:sentenceBytes], "")
	}
	return text
}
