// Package webpage reads what a web page says: its title and the beginning of
// its text, for someone who is told what a link in a post leads to.
//
// A page is a stranger's text. It is fetched from public addresses only (see
// publicnet), read with a tokenizer up to a limit, never executed, and nothing
// it refers to is fetched. What comes out is bounded plain text without
// anything invisible that could turn or hide other text. It is still a
// stranger's text: to fence it off is left to who shows it to a model, and
// which links to read at all to who knows whose they are.
package webpage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"rookery/internal/publicnet"
)

// Defaults of a Reader.
const (
	DefaultMaxBytes = 512 << 10
	DefaultMaxText  = 2_000
	DefaultTimeout  = 5 * time.Second
)

// Longest results beside the text, in characters.
const (
	maxTitle       = 300
	maxSiteName    = 100
	maxDescription = 500
)

// sniffed is how much of a body may be looked at to tell what it is.
const sniffed = 512

// Page is what a page says of itself. Every field but URL may be empty; all
// are valid UTF-8 without control characters, direction controls and invisible
// characters, and of bounded length. All but Text are one line.
type Page struct {
	URL         string // where redirects led
	Title       string // at most 300 characters
	Text        string // at most Reader.MaxText; paragraphs are lines
	SiteName    string // at most 100
	Description string // at most 500
}

// ErrNotPage says that what is there is neither HTML nor plain text.
var ErrNotPage = errors.New("not a page")

// StatusError says that the server answered without the page.
type StatusError struct {
	Code int // an HTTP status outside of 200 to 299
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answered %d %s", e.Code, http.StatusText(e.Code))
}

// Reader reads pages, and keeps what it read for a while. The fields are set
// before the first Read and not changed after it; the zero value is usable. A
// Reader is safe for concurrent use and must not be copied.
type Reader struct {
	Client   *publicnet.Client // nil means one with no options
	MaxBytes int64             // of a page that are read, decompressed; 0 means DefaultMaxBytes
	MaxText  int               // characters; 0 means DefaultMaxText
	Timeout  time.Duration     // of one page with all its redirects; 0 means DefaultTimeout
	Now      func() time.Time  // for how long results are kept; nil means the machine's clock

	once  sync.Once
	cache cache
}

func (r *Reader) defaults() {
	if r.Client == nil {
		r.Client = publicnet.New(publicnet.Options{})
	}
	if r.MaxBytes <= 0 {
		r.MaxBytes = DefaultMaxBytes
	}
	if r.MaxText <= 0 {
		r.MaxText = DefaultMaxText
	}
	if r.Timeout <= 0 {
		r.Timeout = DefaultTimeout
	}
	if r.Now == nil {
		r.Now = time.Now //nolint:forbidigo // the default for a caller without a clock of its own
	}
}

// Read returns the page at an http or https address. A page is kept for ten
// minutes and an error for one, so that the links of a thread are not fetched
// for each reply in it; who asks for a page that is being read waits for it.
//
// Of a page larger than MaxBytes the beginning counts. Errors that a caller
// may tell apart: ErrNotPage, *StatusError, those of publicnet, and of ctx.
func (r *Reader) Read(ctx context.Context, address string) (Page, error) {
	r.once.Do(r.defaults)
	u, err := url.Parse(address)
	if err != nil {
		return Page{}, fmt.Errorf("read a page: %w", publicnet.ErrURL)
	}
	u.Fragment, u.RawFragment = "", "" // the same page
	return r.cache.get(ctx, u.String(), r.Now, func() (Page, error) {
		page, err := r.fetch(ctx, u.String())
		if err != nil {
			return Page{}, fmt.Errorf("read a page: %w", err)
		}
		return page, nil
	})
}

func (r *Reader) fetch(ctx context.Context, address string) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Page{}, publicnet.ErrURL
	}
	req.Header.Set("Accept", "text/html, application/xhtml+xml, text/plain;q=0.8")
	resp, err := r.Client.Do(req)
	if err != nil {
		return Page{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return Page{}, &StatusError{Code: resp.StatusCode}
	}
	body := bufio.NewReaderSize(resp.Body, 4<<10)
	kind, err := kindOf(resp.Header.Get("Content-Type"), body)
	if err != nil {
		return Page{}, err
	}
	data, err := publicnet.ReadAll(body, r.MaxBytes)
	if err != nil && !errors.Is(err, publicnet.ErrTooLarge) {
		return Page{}, err
	}
	page := parse(data, kind, r.MaxText)
	page.URL = resp.Request.URL.String()
	return page, nil
}

// kind is what a body is.
type kind struct {
	plain       bool   // text without markup
	contentType string // as the server gave it, for its charset
}

// kindOf tells what a body is by what the server says. Where it says nothing,
// or that it is plain text, which many say of everything, the first bytes are
// looked at: https://mimesniff.spec.whatwg.org/
func kindOf(contentType string, body *bufio.Reader) (kind, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	switch media {
	case "text/html", "application/xhtml+xml":
		return kind{contentType: contentType}, nil
	case "", "text/plain":
	default:
		return kind{}, fmt.Errorf("%w but %.60q", ErrNotPage, media)
	}
	begin, err := body.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return kind{}, fmt.Errorf("read the body: %w", err)
	}
	looks := http.DetectContentType(begin)
	switch {
	case strings.HasPrefix(looks, "text/html") && media == "":
		return kind{contentType: contentType}, nil
	case strings.HasPrefix(looks, "text/"):
		return kind{plain: true, contentType: contentType}, nil
	}
	return kind{}, fmt.Errorf("%w but %q", ErrNotPage, looks)
}
