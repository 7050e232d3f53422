package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const answerBytes = 4 << 10 // of a response body that are read

// outcome is what came of one delivery of a run; without a run it is the end of a
// wake.
type outcome struct {
	run      *run
	delivery *chat.Delivery
	hook     chat.Hook // as the attempt found it
	err      error     // nil: the receiver took it
	at       time.Time
	buried   bool // it is given up
}

// carry makes an attempt at a delivery of a run and says what came of it. Unless the
// hook was read just now, it is read again: it may have been moved or removed.
func (w *Worker) carry(o *outcome, fresh bool) {
	defer func() { o.at = w.Now() }()
	if !fresh && !w.stands(&o.hook) {
		o.err = errOver
		return
	}
	var secret []byte
	if secret, o.err = w.core.HookSecret(&o.hook); o.err == nil {
		o.err = w.attempt(&o.hook, o.delivery, secret)
	}
}

// stands tells whether a run is to go on: the worker is not about to stop, and the
// hook, which becomes what it is now, is there and its account may be told.
func (w *Worker) stands(h *chat.Hook) bool {
	select {
	case <-w.stopping:
		return false
	default:
	}
	told := false
	err := w.Store.View(w.attempts, func(ctx context.Context, rd store.Reader) error {
		now, err := rd.Hook(ctx, h.ID)
		if err != nil {
			return err
		}
		*h = *now
		a, err := rd.Account(ctx, h.Account)
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
	form, ok := w.Forms[h.Surface]
	if !ok {
		return errNoSurface(h)
	}
	ctx, cancel := context.WithTimeout(w.attempts, w.Timeout)
	defer cancel()
	shook := new(handshake)
	r, err := http.NewRequestWithContext(shook.watched(ctx), http.MethodPost, h.URL, bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	r.Header = form.Header(d, secret, w.Now())
	answer, err := w.Client.Do(r)
	if err != nil {
		return unanswered(err, shook)
	}
	defer answer.Body.Close()
	// What it says does not matter, but a receiver that is cut off while it answers
	// may take that for a failure.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, answerBytes))
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return answered(answer.StatusCode)
	}
	return nil
}

// body words a delivery in the form of the surface that the hook was made through.
func (w *Worker) body(h *chat.Hook, d *chat.Delivery) ([]byte, error) {
	form, ok := w.Forms[h.Surface]
	if !ok {
		return nil, errNoSurface(h)
	}
	return form.Body(d)
}

func errNoSurface(h *chat.Hook) error { return fmt.Errorf("%s is switched off", h.Surface) }
