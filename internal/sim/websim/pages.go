package websim

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
)

const (
	redirects = "/redirect/"
	htmlType  = "text/html; charset=utf-8"

	// PlainTitle is the title of /plain.
	PlainTitle = "A plain page"
	// RussianTitle is the title of the pages in other charsets, but for /latin1-undeclared.
	RussianTitle = "Привет, мир"
	// LatinTitle is the title of /latin1-undeclared.
	LatinTitle = "Café crème"
)

func writePage(w http.ResponseWriter, status int, title, text string) {
	w.Header().Set("Content-Type", htmlType)
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>%s</title><meta name=\"description\" content=\"About: %[1]s\"></head><body><h1>%[1]s</h1><p>%s</p></body></html>\n",
		html.EscapeString(title), html.EscapeString(text))
}

// HTML is a page with a title and a paragraph.
func HTML(title, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writePage(w, http.StatusOK, title, text) }
}

// Status is an error page, whose title is the status.
func Status(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writePage(w, status, strconv.Itoa(status)+" "+http.StatusText(status), "This did not work.")
	}
}

// Redirect sends the reader elsewhere, wherever that is.
func Redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

// Raw is a body as it is, with a content type; without one nothing is said of it.
func Raw(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{contentType}
		if contentType == "" {
			w.Header()["Content-Type"] = nil
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	}
}

// Big is a page of so many bytes, made while it is sent. Its title comes first.
func Big(size int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", htmlType)
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		sent, err := io.WriteString(w, "<!DOCTYPE html><title>A big page</title><p>")
		for left := size - int64(sent); left > 0 && err == nil; left -= int64(sent) {
			sent, err = w.Write(filler()[:min(left, fillerSize)])
		}
	}
}

// Endless is a page that goes on until the reader leaves or the server closes.
// The title comes only when title is true.
func (s *Server) Endless(title bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", htmlType)
		if title {
			io.WriteString(w, "<!DOCTYPE html><title>An endless page</title>")
		}
		for {
			select {
			case <-s.done:
				return
			default:
			}
			if _, err := w.Write(filler()); err != nil {
				return
			}
		}
	}
}

const fillerSize = 64 << 10

func filler() []byte { return bytes.Repeat([]byte("lorem ip"), fillerSize/8) }

// Bomb is a page that is compressed a thousandfold and so many MiB long when it
// is not. It is one small piece of gzip, repeated: that is a whole one.
func Bomb(mib int) http.HandlerFunc {
	var piece bytes.Buffer
	z := gzip.NewWriter(&piece)
	_, err := z.Write(make([]byte, 1<<20))
	if err == nil {
		err = z.Close()
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", htmlType)
		w.Header().Set("Content-Encoding", "gzip")
		for i := 0; i < mib && err == nil; i++ {
			if _, failed := w.Write(piece.Bytes()); failed != nil {
				return
			}
		}
	}
}

// Stuck sends a beginning, or with none not even headers, and then nothing
// until the reader leaves or the server closes.
func (s *Server) Stuck(beginning string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if beginning != "" {
			w.Header().Set("Content-Type", htmlType)
			io.WriteString(w, beginning)
			if http.NewResponseController(w).Flush() != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler)
	}
}

// countdown redirects from /redirect/N to /redirect/N-1, and at last to /plain.
func (s *Server) countdown(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, redirects))
	switch {
	case err != nil || n < 0:
		Status(http.StatusNotFound)(w, r)
	case n <= 1:
		Redirect("/plain")(w, r)
	default:
		Redirect(redirects+strconv.Itoa(n-1))(w, r)
	}
}

// in encodes a page; the charset is declared within it when meta is true.
func in(cm *charmap.Charmap, title, charset string, meta bool) []byte {
	head := ""
	if meta {
		head = `<meta charset="` + charset + `">`
	}
	page := "<!DOCTYPE html><html><head>" + head + "<title>" + title + "</title></head><body>" + title + "</body></html>"
	b, err := cm.NewEncoder().String(page)
	if err != nil {
		panic("websim: " + err.Error()) // the titles here can be written in the charsets here
	}
	return []byte(b)
}

func utf16Page(title string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune("<!DOCTYPE html><title>" + title + "</title>")) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// standing are the pages that the package's comment lists.
func (s *Server) standing() map[string]http.HandlerFunc {
	noise := make([]byte, 4096)
	for i := range noise {
		noise[i] = byte(i*i>>3 ^ i)
	}
	plain := "<!DOCTYPE html><title>" + PlainTitle + "</title>"
	return map[string]http.HandlerFunc{
		"/plain":      HTML(PlainTitle, "Some text & more of it."),
		"/no-title":   Raw(htmlType, []byte("<!DOCTYPE html><html><body><h1>A heading</h1></body></html>")),
		"/empty":      Raw(htmlType, nil),
		"/long-title": HTML(strings.Repeat("long ", 1<<20/5), ""),
		"/entities":   Raw(htmlType, []byte("<!DOCTYPE html><script>document.title='<title>wrong</title>'</script><!-- <title>wrong</title> --><title>\n  Ham &amp;\n\teggs &#8211; &lt;b&gt;now&lt;/b&gt; </title><svg><title>wrong</title></svg>")),

		"/loop":        Redirect("/loop"),
		"/to-private":  Redirect("http://10.0.0.1/"),
		"/to-metadata": Redirect("http://169.254.169.254/latest/meta-data/"),
		"/to-file":     Redirect("file:///etc/passwd"),
		"/to-inside":   func(w http.ResponseWriter, r *http.Request) { Redirect(s.Inside())(w, r) },

		"/bomb":         Bomb(10 << 10),
		"/endless":      s.Endless(false),
		"/huge":         Big(1 << 30),
		"/lying-length": lying(plain),
		"/silent":       s.Stuck(""),
		"/stuck":        s.Stuck("<!DOCTYPE html><title>Half a ti"),

		"/image":      Raw("image/png", append([]byte("\x89PNG\r\n\x1a\n"), noise...)),
		"/pdf":        Raw("application/pdf", append([]byte("%PDF-1.7\n"), noise...)),
		"/json":       Raw("application/json", []byte(`{"title":"not a title"}`)),
		"/text":       Raw("text/plain; charset=utf-8", []byte("<title>not a title</title>")),
		"/binary":     Raw(htmlType, noise),
		"/unlabelled": Raw("", []byte(plain)),

		"/cp1251-header":     Raw("text/html; charset=windows-1251", in(charmap.Windows1251, RussianTitle, "", false)),
		"/cp1251-meta":       Raw("text/html", in(charmap.Windows1251, RussianTitle, "windows-1251", true)),
		"/koi8r-meta":        Raw("text/html", in(charmap.KOI8R, RussianTitle, "koi8-r", true)),
		"/utf16":             Raw("text/html; charset=utf-16", utf16Page(RussianTitle)),
		"/latin1-undeclared": Raw("text/html", in(charmap.Windows1252, LatinTitle, "", false)),

		"/404": Status(http.StatusNotFound),
		"/500": Status(http.StatusInternalServerError),
	}
}

// lying says that there is more than there is, and ends the connection.
func lying(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", htmlType)
		w.Header().Set("Content-Length", strconv.Itoa(2*len(body)))
		io.WriteString(w, body)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
