// Package control lets a command reach the process that is at work on a data
// directory: over HTTP on the loopback address, with a token that only who may
// read the directory knows. Where no process is at work, the command takes the
// directory itself.
//
// What can be asked are named actions, which app registers: a request and a
// response that become JSON, by POST /v1/NAME. It leaves to them what they do,
// and to package store who owns the directory.
package control

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// FileName is the file in the data directory that says where the process at
// work listens.
const FileName = "control.json"

// ErrNotRunning is returned by Dial when no process listens there.
var ErrNotRunning = errors.New("no rookery is running on this data directory")

// The codes of errors that this package makes itself.
const (
	CodeUnknown  = "unknown_action" // the running process is of another version
	CodeRequest  = "bad_request"
	CodeRefused  = "refused"  // token, Host or origin
	CodeBusy     = "busy"     // too much at once
	CodeStopping = "stopping" // the action was not begun
	CodeInternal = "internal" // see the log of the running process
	CodeFailed   = "failed"   // an error without a code of its own
)

// Error is an action's failure, as it crossed the wire.
type Error struct {
	Code string `json:"code"` // for the program
	Text string `json:"text"` // for a person
}

// Error is the text.
func (e *Error) Error() string { return e.Text }

// Coded gives an error a code that its caller can tell with CodeOf, on this
// side of the wire and on the other.
func Coded(code string, err error) error { return &coded{code, err} }

type coded struct {
	code string
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// CodeOf is the code of an action's error: that of Coded, else CodeFailed; ""
// for nil.
func CodeOf(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*coded](err); ok {
		return e.code
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeFailed
}

const (
	maxRequest  = 1 << 20
	maxResponse = 16 << 20
	maxFile     = 4 << 10

	// Nonces of a hello; long enough that none comes twice.
	minNonce = 16
	maxNonce = 100
)

// reply is what every answer holds: a result or an error.
type reply struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *Error          `json:"error,omitempty"`
}

// hello is the answer to GET /v1/hello?nonce=…: whoever knows the token proves
// it without telling it. The port of a process that was killed may be
// anybody's by now.
type hello struct {
	PID   int    `json:"pid"`
	Proof string `json:"proof"`
}

func proof(token, nonce string) string {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte("rookery control hello " + nonce))
	return hex.EncodeToString(m.Sum(nil))
}

// contact is what the file says.
type contact struct {
	Address string `json:"address"` // host:port
	PID     int    `json:"pid"`
	Token   string `json:"token"`
	Started string `json:"started"` // for a person to read
}

// read returns fs.ErrNotExist if there is no file, or none that can be
// understood: nobody writes it but by renaming, so that is the work of a full
// disk or a hand.
func read(dir string) (c contact, err error) {
	path := filepath.Join(dir, FileName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return c, fmt.Errorf("%w: use the account of the system that rookery runs as", err)
	}
	if err != nil {
		return c, err
	}
	defer f.Close()
	b := make([]byte, maxFile)
	n, err := f.Read(b)
	if err != nil && n == 0 {
		return c, fs.ErrNotExist
	}
	if err := json.Unmarshal(b[:n], &c); err != nil {
		return c, fs.ErrNotExist
	}
	// The token goes nowhere but to this machine.
	host, _, err := net.SplitHostPort(c.Address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() || c.Token == "" {
		return c, fs.ErrNotExist
	}
	return c, nil
}

// write makes the file, for its owner alone, at one stroke.
func (c contact) write(dir string) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, FileName+".*.partial") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, FileName))
}

// remove takes the file away if it is still c's.
func (c contact) remove(dir string) error {
	now, err := read(dir)
	if err != nil || now.Token != c.Token {
		return nil //nolint:nilerr // it is gone, or another's
	}
	return os.Remove(filepath.Join(dir, FileName))
}

// sweep removes what a killed process left half written. Whoever calls it has
// the directory.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, FileName+".*.partial")) // at worst they stay
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
