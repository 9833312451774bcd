package discord

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/disgoorg/disgo/rest"
)

// refusals are answers on which disgo's own client goes wrong, or that come
// from elsewhere.
func TestRefusalsAreUnderstood(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		class  Class
		code   int
		edge   bool
	}{
		"forbidden":       {403, `{"code":50013,"message":"Missing Permissions"}`, Forbidden, 50013, false},
		"gone":            {404, `{"code":10003,"message":"Unknown Channel"}`, Gone, 10003, false},
		"invalid":         {400, `{"code":50035,"message":"Invalid","errors":{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH","message":"too long"}]}}}`, Invalid, 50035, false},
		"errors are odd":  {400, `{"code":50035,"message":"Invalid","errors":{"content":17,"_errors":[1]}}`, Invalid, 50035, false},
		"errors are null": {400, `{"code":50035,"message":"Invalid","errors":{"_errors":[null]}}`, Invalid, 50035, false},
		"too large":       {413, `{"code":40005,"message":"Request entity too large"}`, TooLarge, 40005, false},
		"token":           {401, `{"code":0,"message":"401: Unauthorized"}`, Auth, 0, false},
		"null":            {404, `null`, Transient, 0, true},
		"a page":          {403, `<html>no</html>`, Transient, 0, true},
		"nothing":         {500, ``, Unknown, 0, true},
		"500":             {500, `{"code":0,"message":"500: Internal Server Error"}`, Unknown, 0, false},
		"502":             {502, `<html>bad gateway</html>`, Unknown, 0, true},
		"a number":        {400, `{"code":1e300,"message":"odd"}`, Invalid, 0, false},
		"redirect":        {302, ``, Transient, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t)
			b.set("POST /channels/5/typing", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			r := newRig(t, b, sqlite(t))
			err := r.fault(r.rest.SendTyping(5, rest.WithCtx(t.Context())))
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Class != c.class || e.Edge != c.edge || e.Error() == "" {
				t.Fatalf("%v (%+v)", err, e)
			}
			if e.Code != c.code && name != "a number" {
				t.Errorf("code %d", e.Code)
			}
			if n := b.count("POST /channels/5/typing"); n != 1 {
				t.Errorf("a write was sent %d times", n)
			}
		})
	}
}

func TestReadsAreRepeatedAndWritesNot(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	var n int
	b.set("GET /users/@me", func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			w.WriteHeader(503)
			return
		}
		fmt.Fprintf(w, `{"id":%q,"username":"rook"}`, testBot)
	})
	r := newRig(t, b, sqlite(t))
	if err := r.login(t.Context()); err != nil {
		t.Errorf("after %d tries: %v", n, err)
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	b.set("GET /users/@me", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"username":"`)
		for chunk := strings.Repeat("a", 1<<20); ; {
			if _, err := fmt.Fprint(w, chunk); err != nil {
				return
			}
		}
	})
	r := newRig(t, b, sqlite(t))
	if err := r.login(t.Context()); !errors.Is(err, errTooLong) {
		t.Errorf("%v", err)
	}
}

func TestDiscordsClockIsLearnt(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	b.set("GET /users/@me", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Wed, 01 Jan 2031 00:00:00 GMT")
		w.WriteHeader(404)
	})
	r := newRig(t, b, sqlite(t))
	_ = r.login(t.Context())
	if y := r.Now("").Year(); y != 2031 {
		t.Errorf("the year is %d", y)
	}
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/v10/channels/123/messages":                      "GET /channels/{id}/messages",
		"/api/v10/webhooks/1/secret-token/messages/@original": "GET /webhooks/{id}/{token}/messages/@original",
		"/api/v10/interactions/1/aW50ZXI/callback":            "GET /interactions/{id}/{token}/callback",
		"/api/v10/channels/1/messages/2/reactions/%F0%9F/@me": "GET /channels/{id}/messages/{id}/reactions/{emoji}/@me",
		"/api/v10/users/@me":                                  "GET /users/@me",
	} {
		if got := family("GET", path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
