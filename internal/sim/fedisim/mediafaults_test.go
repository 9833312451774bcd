package fedisim_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

func TestUploadsGoWrong(t *testing.T) {
	t.Parallel()
	gif := fedisim.GIFFile(t, 3, 2, 2)
	for name, c := range map[string]struct {
		fault  fedisim.Fault
		stored int
		check  func(reply) bool
	}{
		"500":          {fedisim.Fail(500), 0, func(r reply) bool { return r.status == 500 }},
		"stored, 500":  {fedisim.Fail(500).Stored(), 1, func(r reply) bool { return r.status == 500 }},
		"stored reset": {fedisim.Reset().Stored(), 1, func(r reply) bool { return r.err != nil }},
		"reset":        {fedisim.Reset(), 0, func(r reply) bool { return r.err != nil }},
		"slow":         {fedisim.Slow(time.Millisecond), 1, func(r reply) bool { return r.status == 202 }},
		"torn":         {fedisim.Torn(), 1, func(r reply) bool { return r.err != nil }},
		"too large":    {fedisim.TooLarge(), 0, func(r reply) bool { return r.status == 413 && html(r) }},
	} {
		w := newWorld(t, fedisim.Options{})
		w.s.Inject(c.fault.On("POST", mediaPath))
		if r := w.send(mediaPath, "x.gif", gif); !c.check(r) {
			t.Errorf("%s: %d %v", name, r.status, r.err)
		}
		if n := len(w.s.Uploads()); n != c.stored {
			t.Errorf("%s: %d are stored", name, n)
		}
		w.upload(mediaPath, "x.gif", gif)
	}
	w := newWorld(t, fedisim.Options{})
	in := w.s.Inject(fedisim.Late(-1, true).On("POST", mediaPath))
	if r := w.send(mediaPath, "x.gif", gif); r.err == nil {
		t.Errorf("late: %d", r.status)
	}
	w.wait(func(*fedisim.Server) bool { return in.Waiting() == 1 })
	in.Release()
	if got := w.s.Uploads(); len(got) != 1 || !bytes.Equal(got[0].Bytes, gif) {
		t.Errorf("late: %+v", got)
	}
}

// slowFile is a file that does not end before the test lets it.
type slowFile struct {
	head io.Reader
	more <-chan struct{}
}

func (f *slowFile) Read(p []byte) (int, error) {
	if n, err := f.head.Read(p); err == nil {
		return n, nil
	}
	<-f.more
	return 0, io.EOF
}

// The 413 of a proxy comes while the client is still sending.
func TestTooLargeComesEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	in := w.s.Inject(fedisim.TooLarge().On("POST", mediaPath))
	more := make(chan struct{})
	defer close(more)
	req, err := http.NewRequest("POST", w.s.URL()+mediaPath, &slowFile{strings.NewReader("--b\r\n"), more})
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 50 << 20
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 || !resp.Close || in.Hits() != 1 {
		t.Errorf("%d, closes: %v", resp.StatusCode, resp.Close)
	}
}

func TestUploadsInTheLog(t *testing.T) {
	t.Parallel()
	var seen fedisim.Exchange
	w := newWorld(t, fedisim.Options{Observe: func(x fedisim.Exchange) { seen = x }})
	data := fedisim.GIFFile(t, 3, 2, 1)
	w.upload(mediaPath, "x.gif", data, "description", "a cat")
	if !bytes.Contains(seen.ReqBody, data) {
		t.Errorf("the exchange has %d bytes of a body", len(seen.ReqBody))
	}
	body := w.s.Requests()[0].Body
	if want := fmt.Sprintf("description=a+cat&file=x.gif+application%%2Foctet-stream+%d", len(data)); body != want {
		t.Errorf("the log has %q, want %q", body, want)
	}
}

func TestUploadsThatAreNoForm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, body := range []string{"--b\r\n", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nGIF89a", ""} {
			req, err := http.NewRequest("POST", w.s.URL()+mediaPath, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
			req.Header.Set("Authorization", "Bearer "+w.bot.Token)
			resp, err := w.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode < 400 || resp.StatusCode >= 500 || len(w.s.Uploads()) != 0 {
				t.Errorf("%q: %d", body, resp.StatusCode)
			}
		}
	})
}
