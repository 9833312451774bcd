package sandbox

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
)

// looker is a person before a window.
type looker struct {
	*testing.T
	url string
}

// look is the page as somebody sees it.
func (l looker) look(as string) string {
	l.Helper()
	status, page := l.do(http.MethodGet, "/?as="+as, "", nil, nil)
	if status != http.StatusOK {
		l.Fatalf("the page: %d %s", status, page)
	}
	return page
}

// send sends a form, and returns the page that follows.
func (l looker) send(path string, form url.Values) (status int, page string) {
	l.Helper()
	return l.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), nil)
}

func (l looker) do(method, path, contentType string, body io.Reader, header http.Header) (int, string) {
	l.Helper()
	req, err := http.NewRequestWithContext(l.Context(), method, l.url+path, body)
	if err != nil {
		l.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Host = header.Get("Host")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		l.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		l.Fatal(err)
	}
	return resp.StatusCode, string(page)
}

// button waits until somebody sees a button, and returns what pressing it sends.
func (l looker) button(as, label string) url.Values {
	l.Helper()
	form := regexp.MustCompile(`name="message" value="([^"]+)"><input type="hidden" name="id" value="([^"]+)">\s*<button>` + regexp.QuoteMeta(label) + `</button>`)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for give := time.After(time.Minute); ; { // it is no measure of anything
		page := l.look(as)
		if m := form.FindStringSubmatch(page); m != nil {
			return url.Values{"as": {as}, "message": {m[1]}, "id": {m[2]}}
		}
		select {
		case <-tick.C:
		case <-give:
			l.Fatalf("no button %q in:\n%s", label, page)
		}
	}
}

// landed sends a form, and returns where the page is led to, and the page.
func (l looker) landed(path string, form url.Values) (at, page string) {
	l.Helper()
	req, err := http.NewRequestWithContext(l.Context(), http.MethodPost, l.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		l.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		l.Fatal(err)
	}
	defer resp.Body.Close()
	where, err := resp.Location()
	if err != nil {
		l.Fatal(resp.Status, err)
	}
	return where.Fragment, l.look(where.Query().Get("as"))
}

// newWindow is a window to a world whose bot does not run, and for which nobody
// waits.
func newWindow(t *testing.T) (looker, *stage) {
	t.Helper()
	return windowThatWaits(t, time.Millisecond)
}

// windowThatWaits is newWindow, where each page waits for somebody that long.
func windowThatWaits(t *testing.T, patience time.Duration) (looker, *stage) {
	t.Helper()
	w, err := newWorld(fedisim.Mastodon, t.TempDir(), staying())
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{world: w, ctx: t.Context(), bot: &child{}, out: t.Output()}
	s.found()
	s.hangForum()
	win, err := openWindow(w, s.guild, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := win.close(); err != nil {
			t.Error(err)
		}
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return looker{t, win.url}, s
}

// A thread is opened as whoever looks, with the files that they give.
func TestWindowOpensThreads(t *testing.T) {
	t.Parallel()
	l, s := newWindow(t)
	if status, page := l.send("/thread", url.Values{"title": {"Wheels"}, "text": {"Mine <b>& yours</b>."}, "spoiler1": {"1"}}); status != http.StatusOK || !strings.Contains(page, "Wheels") {
		t.Fatalf("%d %s", status, page)
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k, v := range map[string]string{"as": "ben", "title": "Two", "description2": "The second."} {
		if err := m.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, field := range []string{"file1", "file2"} {
		part, err := m.CreateFormFile(field, field+".png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(drawing(len(field), "x.png").Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if status, page := l.do(http.MethodPost, "/thread", m.FormDataContentType(), &body, nil); status != http.StatusOK {
		t.Fatalf("%d %s", status, page)
	}
	var threads []discordsim.ChannelView
	for _, c := range s.discord.View(s.guild.olga).Channels {
		if c.Kind == discordsim.PublicThread {
			threads = append(threads, c)
		}
	}
	if len(threads) != 2 {
		t.Fatalf("%d threads", len(threads))
	}
	first, second := threads[0].Messages[0], threads[1].Messages[0]
	if first.Author != s.guild.ada || len(first.Attachments) != 1 || !first.Attachments[0].Spoiler || first.Attachments[0].Width == 0 {
		t.Errorf("the first is %+v", first)
	}
	if second.Author != s.guild.ben || len(second.Attachments) != 2 || second.Attachments[1].Description != "The second." || second.Attachments[0].Spoiler {
		t.Errorf("the second is %+v", second)
	}
	page := l.look("ben")
	wantIn(t, page, "as Ben sees it", "Mine &lt;b&gt;&amp; yours&lt;/b&gt;.", `alt="The second."`, `alt="file1.png, not described"`)
}

// What cannot be done is said, and no page of the web does anything here.
func TestWindowRefuses(t *testing.T) {
	t.Parallel()
	l, s := newWindow(t)
	for path, form := range map[string]url.Values{
		"/press": {"message": {"1"}, "id": {"gallery:post:x"}}, "/form": {}, "/delete": {"post": {"x"}},
	} {
		if status, page := l.send(path, form); status != http.StatusBadRequest || !strings.Contains(page, "not possible") {
			t.Errorf("%s: %d %s", path, status, page)
		}
	}
	if status, _ := l.do(http.MethodPost, "/thread", "multipart/form-data; boundary=x", strings.NewReader("--y"), nil); status != http.StatusBadRequest {
		t.Errorf("a broken form: %d", status)
	}
	elsewhere := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://elsewhere.example"}}
	if status, _ := l.do(http.MethodPost, "/thread", "application/x-www-form-urlencoded", strings.NewReader("title=Mine"), elsewhere); status != http.StatusForbidden {
		t.Errorf("another site can write here: %d", status)
	}
	// A page whose host name leads here is of the same origin as what it asks.
	port := l.url[strings.LastIndex(l.url, ":"):]
	for _, host := range []string{"elsewhere.example", "elsewhere.example" + port, "127.0.0.1", "127.0.0.1" + port + ".elsewhere.example"} {
		same := http.Header{"Host": {host}, "Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://" + host}}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			path := map[string]string{http.MethodGet: "/", http.MethodPost: "/thread"}[method]
			if status, page := l.do(method, path, "application/x-www-form-urlencoded", strings.NewReader("title=Mine"), same); status != http.StatusMisdirectedRequest || strings.Contains(page, "Look again") {
				t.Errorf("%s as %s: %d", method, host, status)
			}
		}
	}
	for _, c := range s.discord.View(s.guild.olga).Channels {
		if c.Kind == discordsim.PublicThread {
			t.Errorf("there is a thread: %s", c.Name)
		}
	}
}
