package fedisim

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	uploadCap = 128 << 20 // of a request that uploads
	fieldCap  = 1 << 20   // of a field of its form that is not the file
	rawCap    = 1 << 20   // of such a request as Exchange shows it
	fileCap   = 24 << 20  // of a file that is kept, if Options.KeepFile says nothing
	keptCap   = 128 << 20 // of all files; the oldest go first
)

// upload is the file of a request, read while it came.
type upload struct {
	name  string // as the client says
	ctype string // as the client says
	size  int64
	sum   string // SHA-256, hexadecimal
	data  []byte // the first bytes, which may be all
}

// uploads says whether a request is one of
// https://docs.joinmastodon.org/methods/media/#v2 or #v1.
func (q *request) uploads() bool {
	return q.method == http.MethodPost && (q.route == "/api/v1/media" || q.route == "/api/v2/media")
}

// readBody reads and understands the body: whole, but for the file of an
// upload. The error is that of the connection, or of a body that is too long.
func (q *request) readBody(w http.ResponseWriter, keep int) error {
	if q.uploads() {
		kind, attrs, err := mime.ParseMediaType(q.ctype)
		if err == nil && kind == "multipart/form-data" {
			return q.readUpload(http.MaxBytesReader(w, q.r.Body, uploadCap), attrs["boundary"], keep)
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.r.Body, bodyCap))
	if err != nil {
		return err
	}
	q.parse(body)
	return nil
}

// readUpload reads a form that has a file in it, and holds no more of it than
// is to be kept.
func (q *request) readUpload(body io.Reader, boundary string, keep int) error {
	raw := &head{most: rawCap}
	told := &watched{r: io.TeeReader(body, raw)}
	err := q.readParts(multipart.NewReader(told, boundary), keep)
	if told.err != nil { // the client left, or sends too much
		return told.err
	}
	q.badBody = err != nil
	if _, err := io.Copy(io.Discard, told); err != nil {
		return err
	}
	if !raw.cut {
		q.body = raw.b
	}
	return nil
}

func (q *request) readParts(mr *multipart.Reader, keep int) error {
	for {
		p, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case p.FileName() == "":
			v, err := io.ReadAll(io.LimitReader(p, fieldCap+1))
			if err != nil {
				return err
			}
			if len(v) > fieldCap {
				return errors.New("a field is too long")
			}
			q.params.Add(p.FormName(), string(v))
		case p.FormName() == "file":
			if q.file, err = readFile(p, keep); err != nil {
				return err
			}
		default: // such as a thumbnail, which changes nothing here
			if _, err := io.Copy(io.Discard, p); err != nil {
				return err
			}
		}
	}
}

func readFile(p *multipart.Part, keep int) (*upload, error) {
	u := &upload{name: p.FileName(), ctype: p.Header.Get("Content-Type")}
	sum, data := sha256.New(), &head{most: keep}
	n, err := io.Copy(io.MultiWriter(sum, data), p)
	u.size, u.sum, u.data = n, hex.EncodeToString(sum.Sum(nil)), data.b
	return u, err
}

// formOfUpload is an upload for the log: a form, with the file as its name,
// type and size.
func (q *request) formOfUpload() []byte {
	form := url.Values{}
	for k, v := range q.params {
		form[k] = v
	}
	if f := q.file; f != nil {
		form.Set("file", strings.Join([]string{f.name, f.ctype, strconv.FormatInt(f.size, 10)}, " "))
	}
	return []byte(form.Encode())
}

// head keeps the beginning of what is written to it.
type head struct {
	b    []byte
	most int
	cut  bool // there was more
}

func (h *head) Write(p []byte) (int, error) {
	keep := p[:min(len(p), h.most-len(h.b))]
	h.b = append(h.b, keep...)
	h.cut = h.cut || len(keep) < len(p)
	return len(p), nil
}

// watched remembers the error of a reader that was not its end.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
