package fedi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/textproto"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Upload is one medium to be attached to a post of ours.
type Upload struct {
	// Open returns the file's bytes, from the start each time it is called.
	Open        func() (io.ReadCloser, error)
	Size        int64  // bytes; exactly what Open's reader gives
	Name        string // file name told to the server; its folders are left out
	Type        string // MIME type
	Description string // alt text; the caller cuts it to Instance.MaxAlt
	Focus       *Focus // nil for none
}

// Focus is the point that a preview keeps in view: from -1 (left, bottom) to
// 1 (right, top), 0 being the middle
// (https://docs.joinmastodon.org/api/guidelines/#focal-points).
type Focus struct{ X, Y float64 }

// longer is what a body of that many bytes may take beyond a time-out.
func longer(size int64) time.Duration {
	return time.Duration(float64(size) / slowLine * float64(time.Second))
}

// uploadBody is the form of an upload, written while it is read. It may be
// closed while somebody reads, and the file is closed when Close returns.
type uploadBody struct {
	contentType string
	length      int64

	mu     sync.Mutex
	form   io.Reader
	file   *sizedFile
	closed bool
}

// body makes the form: the words first, for servers that read as it comes.
func (u Upload) body() (*uploadBody, error) {
	if u.Open == nil || u.Size <= 0 {
		return nil, errors.New("it is empty")
	}
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	if u.Description != "" {
		if err := w.WriteField("description", storable(u.Description)); err != nil {
			return nil, err
		}
	}
	if f := u.Focus; f != nil {
		if !(math.Abs(f.X) <= 1 && math.Abs(f.Y) <= 1) {
			return nil, fmt.Errorf("its focus %v is not between -1 and 1", *f)
		}
		if err := w.WriteField("focus", decimal(f.X)+","+decimal(f.Y)); err != nil {
			return nil, err
		}
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", multipart.FileContentDisposition("file", fileName(u.Name)))
	h.Set("Content-Type", "application/octet-stream")
	if kind, _, err := mime.ParseMediaType(u.Type); err == nil {
		h.Set("Content-Type", kind)
	}
	if _, err := w.CreatePart(h); err != nil {
		return nil, err
	}
	before := head.Len()
	if err := w.Close(); err != nil {
		return nil, err
	}
	form := head.Bytes()
	opened, err := u.Open()
	if err != nil {
		return nil, err
	}
	file := &sizedFile{from: opened, left: u.Size}
	return &uploadBody{
		contentType: w.FormDataContentType(), length: int64(len(form)) + u.Size, file: file,
		form: io.MultiReader(bytes.NewReader(form[:before]), file, bytes.NewReader(form[before:])),
	}, nil
}

// Read implements io.Reader.
func (b *uploadBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, errors.New("the upload has ended")
	}
	return b.form.Read(p)
}

// Close implements io.Closer.
func (b *uploadBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	return b.file.from.Close()
}

// failure is what was wrong with the file, nil if nothing was.
func (b *uploadBody) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.file.bad
}

// sizedFile reads exactly as many bytes as it was said to have; a file that
// has fewer or more was changed meanwhile.
type sizedFile struct {
	from io.ReadCloser
	left int64
	bad  error
}

// Read implements io.Reader.
func (f *sizedFile) Read(p []byte) (int, error) {
	if f.bad != nil {
		return 0, f.bad
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.left == 0 {
		var more [1]byte
		switch n, err := io.ReadFull(f.from, more[:]); {
		case n > 0:
			f.bad = errors.New("it is longer than it was said to be")
		case err != io.EOF:
			f.bad = err
		default:
			return 0, io.EOF
		}
		return 0, f.bad
	}
	n, err := f.from.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	switch {
	case err == nil || err == io.EOF && f.left == 0:
	case err == io.EOF:
		f.bad = errors.New("it is shorter than it was said to be")
	default:
		f.bad = err
	}
	return n, f.bad
}

// fileName is a name without folders and without what could end a header; a
// server goes by its ending at most.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(storable(name), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '"' {
			return '_'
		}
		return r
	}, name)
	if name == "." || name == ".." || name == "/" {
		return "file"
	}
	const most = 100
	if r := []rune(name); len(r) > most {
		name = string(r[len(r)-most:])
	}
	return name
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
