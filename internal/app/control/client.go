package control

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"

	"rookery/internal/store"
)

// Client speaks to the process that is at work on a data directory. Close it.
type Client struct {
	contact contact
	http    *http.Client
	// PID is the process.
	PID int
}

const (
	helloTimeout = 5 * time.Second
	// callTimeout bounds a call whose context has no deadline: a backup of a
	// large database takes minutes.
	callTimeout = time.Hour
)

// Dial finds the process at work on dataDir and makes sure that it is the one
// that wrote the file there. The error is ErrNotRunning if there is none; a
// file that a killed process left does not count.
func Dial(ctx context.Context, dataDir string) (*Client, error) {
	c, err := read(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%s)", ErrNotRunning, dataDir)
	}
	if err != nil {
		return nil, fmt.Errorf("find the running rookery: %w", err)
	}
	client := &Client{contact: c, PID: c.PID, http: &http.Client{
		// No proxy, whatever the environment says: it is this machine.
		Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: helloTimeout}).DialContext, MaxIdleConns: 2, IdleConnTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if err := client.greet(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// Close lets go of the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// greet asks for the proof that whoever listens knows the token.
func (c *Client) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	nonce := rand.Text()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.contact.Address+"/v1/hello?nonce="+url.QueryEscape(nonce), nil)
	if err != nil {
		return fmt.Errorf("greet the running rookery: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if unreached(err) {
			return fmt.Errorf("%w: process %d, which %s names, is gone", ErrNotRunning, c.PID, FileName)
		}
		// It may be there and stuck, or somebody else may sit on its port.
		// Who has the directory's lock is the answer to that.
		return fmt.Errorf("%w, or process %d does not answer (%w)", ErrNotRunning, c.PID, err)
	}
	defer resp.Body.Close()
	var r reply
	var h hello
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxFile))
	if err == nil {
		if err = json.Unmarshal(b, &r); err == nil {
			err = json.Unmarshal(r.Result, &h)
		}
	}
	if err != nil || !hmac.Equal([]byte(h.Proof), []byte(proof(c.contact.Token, nonce))) {
		return fmt.Errorf("%w: another program has the port of process %d", ErrNotRunning, c.PID)
	}
	return nil
}

// unreached tells whether the request never got there.
func unreached(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// errGone says that the request never reached the process.
var errGone = errors.New("the running rookery has just ended")

// Call asks for an action and waits for its answer, an hour at most if ctx has
// no deadline. The action's own error is an *Error; see CodeOf.
func Call[Req, Resp any](ctx context.Context, c *Client, name string, req Req) (resp Resp, err error) {
	body, err := json.Marshal(req)
	if err != nil {
		return resp, fmt.Errorf("ask for %s: %w", name, err)
	}
	result, err := c.call(ctx, name, body)
	if err != nil {
		return resp, err
	}
	if err := json.Unmarshal(result, &resp); err != nil {
		return resp, fmt.Errorf("%s was done, but its answer is not understood; the running rookery may be of another version: %w", name, err)
	}
	return resp, nil
}

func (c *Client) call(ctx context.Context, name string, body []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.contact.Address+"/v1/"+url.PathEscape(name), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", name, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.contact.Token)
	req.GetBody = nil // an action is asked for once, whatever becomes of the connection
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("ask for %s: %w", name, context.Cause(ctx))
		}
		if unreached(err) {
			return nil, fmt.Errorf("ask for %s: %w", name, errGone)
		}
		return nil, fmt.Errorf("ask for %s: process %d ended before it answered; look whether it was done before you ask again: %w", name, c.PID, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err == nil && len(b) > maxResponse {
		err = fmt.Errorf("the answer is larger than %d bytes", maxResponse)
	}
	var r reply
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer to %s: %w", name, err)
	case r.Error != nil:
		return nil, r.Error
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("ask for %s: HTTP status %d", name, resp.StatusCode)
	}
	return r.Result, nil
}

const (
	// settle is how long Do waits for a process that is just starting or
	// stopping: it has the directory and does not listen.
	settle = 5 * time.Second
	again  = 50 * time.Millisecond
)

// Do has the process at work on dataDir do something, or, if there is none,
// calls direct, which takes the directory itself (as app.Open does; see
// Locked). While neither is possible, because a process is just starting or
// stopping, it tries both again, for some seconds: direct is called again
// after it has returned store.ErrInUse, and then must have done nothing. What
// it returns in the end says who has the directory (rookery once takes no
// commands).
func Do[Req, Resp any](ctx context.Context, dataDir, name string, req Req, direct func(context.Context, Req) (Resp, error)) (Resp, error) {
	patience, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for {
		resp, err := ask[Req, Resp](ctx, dataDir, name, req)
		if err == nil || !errors.Is(err, ErrNotRunning) && !errors.Is(err, errGone) && CodeOf(err) != CodeStopping {
			return resp, err
		}
		if resp, err = direct(ctx, req); !errors.Is(err, store.ErrInUse) {
			return resp, err
		}
		if pause(patience, again) != nil {
			return resp, err
		}
	}
}

// ask is one try at the process at work.
func ask[Req, Resp any](ctx context.Context, dataDir, name string, req Req) (resp Resp, err error) {
	c, err := Dial(ctx, dataDir)
	if err != nil {
		return resp, err
	}
	defer c.Close()
	return Call[Req, Resp](ctx, c, name, req)
}

// Locked makes a direct of what needs the directory and does not take it:
// while fn runs, no other process does. who is shown to whoever comes
// meanwhile.
func Locked[Req, Resp any](dataDir, who string, fn func(context.Context, Req) (Resp, error)) func(context.Context, Req) (Resp, error) {
	return func(ctx context.Context, req Req) (resp Resp, err error) {
		lock, err := store.LockDir(dataDir, who)
		if err != nil {
			return resp, err
		}
		defer func() { err = errors.Join(err, lock.Release()) }()
		return fn(ctx, req)
	}
}
