package media

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"rookery/internal/publicnet"
)

// longestWait is the most a server may ask us to stay away.
const longestWait = 24 * time.Hour

// Download streams an address to a temporary file of at most most bytes (and
// never more than Options.MaxDownload; most of 0 means that) and looks at it.
// The caller removes the file.
//
// Failures are of the kinds TooLarge, NotFound, NotPublic, Transient, NotMedia,
// Broken, NoSpace; if ctx ended, its error. What is announced as too large, or
// is no media by its first bytes, is not read to its end.
func (k *Kit) Download(ctx context.Context, address string, most int64) (File, error) {
	if most <= 0 || most > k.opt.MaxDownload {
		most = k.opt.MaxDownload
	}
	f, err := k.download(ctx, address, most)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return File{}, fmt.Errorf("download from %s: %w", host(address), err)
	}
	k.log.Debug("downloaded", "host", host(address), "file", f.Info.String())
	return f, nil
}

// host is as much of an address as a log may hold.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an address that cannot be read"
	}
	return quote(u.Host, 100)
}

func (k *Kit) download(ctx context.Context, address string, most int64) (File, error) {
	ctx, cancel := context.WithTimeout(ctx, k.opt.DownloadTimeout)
	defer cancel()
	resp, err := k.opt.Fetch.Get(ctx, address)
	if err != nil {
		return File{}, unreached(err)
	}
	defer resp.Body.Close()
	if err := k.answered(resp); err != nil {
		return File{}, err
	}
	if resp.ContentLength > most {
		return File{}, failure(TooLarge, "the file has %d bytes, more than the %d allowed", resp.ContentLength, most)
	}
	body := bufio.NewReaderSize(&named{publicnet.Limit(resp.Body, most)}, sniffed)
	head, err := body.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return File{}, cut(err)
	}
	if _, _, err := sniff(head); err != nil {
		return File{}, err
	}
	f, err := k.temp("")
	if err != nil {
		return File{}, err
	}
	if err := fill(f, body); err != nil {
		k.discard(f.Name())
		return File{}, err
	}
	info, err := Inspect(f.Name())
	if err != nil {
		k.discard(f.Name())
		return File{}, err
	}
	return File{Path: f.Name(), Info: info, kit: k}, nil
}

// fill copies what comes into a file and closes it.
func fill(f *os.File, from io.Reader) error {
	_, err := io.Copy(f, from)
	closing := f.Close()
	if from, ok := errors.AsType[*readError](err); ok {
		return cut(from.err)
	}
	if err = errors.Join(err, closing); err != nil {
		return writing(err)
	}
	return nil
}

// named marks what reading did wrong, so that it is told from writing.
type named struct{ r io.Reader }

type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

func (n *named) Read(p []byte) (int, error) {
	got, err := n.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{err}
	}
	return got, err
}

// cut is the error for a body that did not come to its end.
func cut(err error) error {
	if errors.Is(err, publicnet.ErrTooLarge) {
		return &Error{Kind: TooLarge, err: err, text: "the file goes on after the bytes allowed: " + err.Error()}
	}
	return &Error{Kind: Transient, err: err, text: "the file did not come whole: " + quote(err.Error(), 200)}
}

// unreached is the error for a request without an answer.
func unreached(err error) error {
	e := &Error{Kind: Transient, err: err, text: "no answer: " + quote(err.Error(), 200)}
	for _, never := range []error{publicnet.ErrPrivate, publicnet.ErrURL, publicnet.ErrPort, publicnet.ErrDowngrade} {
		if errors.Is(err, never) {
			e.Kind, e.text = NotPublic, "it may not be fetched: "+quote(err.Error(), 200)
		}
	}
	if errors.Is(err, publicnet.ErrTooManyRedirects) || errors.Is(err, publicnet.ErrEncoding) {
		e.Kind = NotFound
	}
	return e
}

// answered turns every status but those with the file into an error.
func (k *Kit) answered(resp *http.Response) error {
	status := resp.StatusCode
	if status == http.StatusOK || status == http.StatusNonAuthoritativeInfo {
		return nil
	}
	e := failure(NotFound, "the server answered %d %s in the file's place", status, http.StatusText(status))
	e.Status = status
	switch {
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout,
		status == http.StatusTooEarly, status == http.StatusMisdirectedRequest:
		e.Kind, e.RetryAt = Transient, k.retryAt(resp.Header.Get("Retry-After"))
	}
	return e
}

// retryAt reads Retry-After: seconds or a date, RFC 9110, section 10.2.3.
func (k *Kit) retryAt(value string) time.Time {
	now := k.now()
	value = strings.TrimSpace(value)
	at := time.Time{}
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		at = now.Add(time.Duration(n) * time.Second)
	} else if t, err := http.ParseTime(value); err == nil {
		at = t
	}
	switch {
	case !at.After(now):
		return time.Time{}
	case at.After(now.Add(longestWait)):
		return now.Add(longestWait)
	}
	return at
}
