package fedisim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func FuzzUpload(f *testing.F) {
	part := func(head, body string) string {
		return "--b\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + body + "\r\n"
	}
	f.Add(part(`name="file"; filename="x.gif"`, string(testGIF(f, 3, 2, 2))) + part(`name="focus"`, "1,NaN") + "--b--\r\n")
	f.Add(part(`name="file"; filename="x.mp4"`, string(testMP4(film{width: 64, height: 36}))) + part(`name="description"`, "\xff\"") + "--b--\r\n")
	f.Add(part(`name="file"`, "no name") + part(`name="thumbnail"; filename="y"`, "z") + "--b--")
	f.Add(part(`name="file"; filename="../\"x"`, "junk"))
	f.Fuzz(func(t *testing.T, body string) {
		for _, p := range Profiles() {
			s := New(Options{Profile: p, Clock: func() time.Time { return time.Unix(1795168800, 0) }})
			bot := s.AddAccount("ada")
			ask := func(method, path, body string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
				r.Header.Set("Authorization", "Bearer "+bot.Token)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code >= 500 {
					t.Errorf("%s: %d %s", p, w.Code, w.Body)
				}
				if strings.Contains(w.Header().Get("Content-Type"), "json") && !json.Valid(w.Body.Bytes()) {
					t.Errorf("%s answers %q", p, w.Body)
				}
				return w
			}
			var a struct{ ID string }
			w := ask("POST", "/api/v2/media", body)
			taken := w.Code == http.StatusOK || w.Code == http.StatusAccepted
			if err := json.Unmarshal(w.Body.Bytes(), &a); taken && err != nil {
				t.Errorf("%s: %v", p, err)
			}
			if _, ok := s.Media(a.ID); ok != taken || len(s.Uploads()) == 1 != taken {
				t.Errorf("%s: %d, but the attachment is there: %v", p, w.Code, ok)
			}
			s.Close()
		}
	})
}

// Only the beginning is held, but all of it is taken.
func TestHeadKeepsTheBeginning(t *testing.T) {
	t.Parallel()
	h := &head{most: 5}
	for _, s := range []string{"abc", "defg", "", "h"} {
		if n, err := h.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if string(h.b) != "abcde" || !h.cut {
		t.Errorf("%q, cut %v", h.b, h.cut)
	}
}

// The oldest files go when there are too many.
func TestKeptFilesAreBounded(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	s.mu.Lock()
	one := make([]byte, fileCap)
	for range keptCap/fileCap + 2 {
		s.keep(&media{owner: &Account{}, file: &upload{data: one, size: fileCap}})
	}
	if s.kept > keptCap {
		t.Errorf("%d bytes are kept", s.kept)
	}
	s.mu.Unlock()
	got := s.Uploads()
	if first, last := got[0], got[len(got)-1]; first.Bytes != nil || first.Size != fileCap || last.Bytes == nil {
		t.Error("the wrong files were let go")
	}
}
