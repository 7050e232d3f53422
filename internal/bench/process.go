package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// child is a child process as the generator sees it.
type child struct {
	work    string
	address string
	process *exec.Cmd
	orders  io.WriteCloser
	lines   *json.Encoder
	replies *json.Decoder
}

// childPatience is how long a child may take to end before it is killed.
const childPatience = 30 * time.Second

// startChild starts a child and waits until it is ready. The end of ctx kills it.
func startChild(ctx context.Context, command []string, b *brief, log io.Writer) (*child, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own executable
	cmd.Stderr = log
	cmd.WaitDelay = childPatience
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", b.Work, err)
	}
	c := &child{
		work: b.Work, process: cmd, orders: orders, lines: json.NewEncoder(orders), replies: json.NewDecoder(out),
	}
	r, err := c.tell(b)
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	c.address = r.Address
	return c, nil
}

// tell sends one line and waits for the answer to it.
func (c *child) tell(line any) (reply, error) {
	var r reply
	if err := c.lines.Encode(line); err != nil {
		return r, fmt.Errorf("%s: give an order: %w", c.work, err)
	}
	if err := c.replies.Decode(&r); err != nil {
		return r, fmt.Errorf("%s: wait for an answer: %w", c.work, err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", c.work, r.Error)
	}
	return r, nil
}

// stop lets the child end and waits for it.
func (c *child) stop() error {
	_ = c.orders.Close() // the child may be gone already
	late := time.AfterFunc(childPatience, func() { _ = c.process.Process.Kill() })
	defer late.Stop()
	if err := c.process.Wait(); err != nil {
		return fmt.Errorf("%s: %w", c.work, err)
	}
	return nil
}
