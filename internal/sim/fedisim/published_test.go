package fedisim_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"rookery/internal/sim/apicheck"
	"rookery/internal/sim/fedisim"
)

// tour asks a Mastodon for everything it offers.
func tour(w *world) {
	ada, ben := w.s.AddAccount("ada"), w.s.AddRemote("ben@other.example", fedisim.Named("Ben"))
	ask := ben.Post("@elelem@mastodon.example what is https://example.org/a/very/long/address/indeed #tag :blob:", fedisim.Emojis("blob"))
	img := w.bot.AddMedia("image", "a cat")
	own := w.post(url.Values{"status": {"@ben@other.example it is so"}, "in_reply_to_id": {ask.ID}, "media_ids[]": {img}, "visibility": {"unlisted"}, "language": {"en"}})
	ada.Favourite(own.ID)
	ada.Boost(own.ID)
	ada.Follow(w.bot)
	w.bot.Follow(ada)
	ada.Post("@elelem psst", fedisim.As("direct"), fedisim.CW("secret"))
	ben.Post("@elelem@mastodon.example filtered", fedisim.As("direct"))
	note := w.s.Notifications(w.bot.ID)[0].ID
	for _, path := range []string{
		"/api/v1/accounts/verify_credentials", "/api/v1/accounts/" + ben.ID, "/api/v1/accounts/" + w.bot.ID + "/statuses?limit=5",
		"/api/v1/accounts/" + ada.ID + "/statuses", "/api/v2/instance", "/api/v1/instance", "/api/v1/notifications?limit=30&include_filtered=true",
		"/api/v1/notifications/" + note, "/api/v2/notifications/policy", "/api/v1/statuses/" + ask.ID, "/api/v1/statuses/" + ask.ID + "/context",
		"/api/v1/statuses/" + own.ID + "/context", "/api/v1/statuses/" + own.ID + "/source", "/api/v1/timelines/home", "/api/v1/timelines/public",
		"/api/v1/preferences", "/api/v1/markers", "/api/v2/filters", "/api/v1/lists", "/api/v1/custom_emojis", "/api/v1/announcements",
	} {
		w.get(path, nil)
	}
	tourOfStrangers(w, ada.ID, ben.ID)
	tourOfMedia(w)
	w.clock.add(1)
	w.ok(w.try("PUT", "/api/v1/statuses/"+own.ID, w.bot.Token, url.Values{"status": {"@ben@other.example edited"}}, ""), nil)
	w.ok(w.try("POST", "/api/v1/notifications/"+note+"/dismiss", w.bot.Token, nil, ""), nil)
	w.ok(w.try("DELETE", "/api/v1/statuses/"+own.ID, w.bot.Token, nil, ""), nil)
	for _, r := range []reply{
		w.try("GET", "/api/v1/statuses/"+own.ID, w.bot.Token, nil, ""),
		w.try("POST", statusesPath, w.bot.Token, url.Values{}, ""),
		w.try("GET", "/api/v1/notifications", "wrong", nil, ""),
	} {
		if r.status < 400 {
			w.Errorf("an error is a %d", r.status)
		}
	}
}

// tourOfMedia uploads what is taken at once, what is processed later, and what is refused.
func tourOfMedia(w *world) {
	img := w.upload("/api/v2/media", "cat.png", fedisim.ImageFile(w, "png", 30, 20), "description", "a cat", "focus", "-0.5,0.3")
	w.get("/api/v1/media/"+img.ID, nil)
	w.ok(w.try("PUT", "/api/v1/media/"+img.ID, w.bot.Token, url.Values{"description": {"two cats"}}, ""), nil)
	w.upload("/api/v1/media", "film.mp4", fedisim.MP4File(fedisim.Film{Width: 64, Height: 36}))
	gif := w.upload("/api/v2/media", "cat.gif", fedisim.GIFFile(w, 30, 20, 2))
	for range 2 {
		w.try("GET", "/api/v1/media/"+gif.ID, w.bot.Token, nil, "")
	}
	p := w.post(url.Values{"status": {"a moving cat"}, "media_ids[]": {gif.ID}})
	w.ok(w.try("DELETE", "/api/v1/media/"+img.ID, w.bot.Token, nil, ""), nil)
	for _, r := range []reply{
		w.send("/api/v2/media", "cat.txt", []byte("meow")), w.try("POST", "/api/v2/media", w.bot.Token, url.Values{}, ""),
		w.try("GET", "/api/v1/media/"+gif.ID, w.bot.Token, nil, ""),
	} {
		if r.status < 400 {
			w.Errorf("an error is a %d", r.status)
		}
	}
	w.ok(w.try("DELETE", "/api/v1/statuses/"+p.ID, w.bot.Token, nil, ""), nil)
}

// tourOfStrangers is what a client asks before and around its work: logging in,
// the rules, and who is who.
func tourOfStrangers(w *world, who ...string) {
	w.s.SetRules(fedisim.Rule{Text: "Be kind.", Hint: "Really."})
	w.bot.Edit(fedisim.Note("<p>A bot.</p>"), fedisim.Fields(fedisim.Field{Name: "Operator", Value: "@op"}))
	app := w.register("read write follow push")
	code, err := w.s.Approve(w.bot, fedisim.Authorization{ClientID: app.ClientID, RedirectURI: oob, Scope: "read write"})
	if err != nil {
		w.Fatal(err)
	}
	var tok token
	w.ok(w.redeem(app, code), &tok)
	w.ok(w.try("GET", "/api/v1/apps/verify_credentials", tok.AccessToken, nil, ""), nil)
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/api/v1/instance/rules", "/api/v1/instance", "/api/v2/instance",
		"/api/v1/accounts/verify_credentials", "/api/v1/accounts/relationships?id[]=" + strings.Join(who, "&id[]=")} {
		w.get(path, nil)
	}
	w.ok(w.try("PATCH", "/api/v2/notifications/policy", w.bot.Token, url.Values{"for_bots": {"filter"}}, ""), nil)
	for _, r := range []reply{w.redeem(app, code), w.redeem(app, code, "client_secret", "x"), w.try("POST", "/api/v1/apps", "", url.Values{}, "")} {
		if r.status < 400 {
			w.Errorf("an error is a %d", r.status)
		}
	}
	w.ok(w.try("POST", "/oauth/revoke", "", url.Values{"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}, "token": {tok.AccessToken}}, ""), nil)
}

// A streamed notification and post are those of the API.
func TestStreamIsAsPublished(t *testing.T) {
	t.Parallel()
	api := apicheck.FromEnv(t).Mastodon(t)
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	w.bot.Follow(ada)
	c := w.stream("user", w.bot.Token)
	ada.Post("@elelem hello")
	for range 2 {
		e := w.next(c)
		path := map[string]string{"update": "/api/v1/statuses/1", "notification": "/api/v1/notifications/1"}[e.Event]
		if err := api.CheckResponse("GET", path, 200, []byte(e.Payload)); err != nil {
			t.Errorf("%s: %v", e.Event, err)
		}
	}
}

func TestAnswersAreAsPublished(t *testing.T) {
	t.Parallel()
	api := apicheck.FromEnv(t).Mastodon(t)
	var mu sync.Mutex
	checked := 0
	w := newWorld(t, fedisim.Options{Observe: func(x fedisim.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		err := api.CheckResponse(x.Method, x.Path, x.Status, x.RespBody)
		if err != nil && !errors.Is(err, apicheck.ErrUnknownPath) {
			t.Errorf("%s %s: %v\n%.600s", x.Method, x.Path, err, x.RespBody)
		}
		checked++
	}})
	tour(w)
	if checked < 25 {
		t.Errorf("only %d exchanges were seen", checked)
	}
}

// The fields of accounts, posts and notifications must be those that were
// recorded from a real Mastodon, no fewer and no others.
func TestFieldsAreAsRecorded(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(apicheck.Variable)
	if dir == "" {
		t.Skip(apicheck.Variable + " is not set: nothing to compare with")
	}
	f, err := os.Open(filepath.Join(dir, "captures", "mastodon-exchanges.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	recorded, ours := fields{}, fields{}
	for d := json.NewDecoder(z); ; {
		var x struct {
			Method, Path string
			Status       int
			Body         any
		}
		if err := d.Decode(&x); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		recorded.add(x.Method, x.Path, x.Status, x.Body)
	}
	w := newWorld(t, fedisim.Options{Observe: func(x fedisim.Exchange) {
		var body any
		if json.Unmarshal(x.RespBody, &body) == nil {
			ours.add(x.Method, x.Path, x.Status, body)
		}
	}})
	tour(w)
	compared := 0
	for name, got := range ours {
		want := recorded[name]
		if want == nil {
			continue
		}
		compared++
		for field, always := range want {
			if _, ok := got[field]; !ok && always {
				t.Errorf("%s has no %q", name, field)
			}
		}
		for field := range got {
			if _, ok := want[field]; !ok && !slices.Contains([]string{"filtered", "category"}, field) {
				t.Errorf("%s has %q, which a real one has not", name, field)
			}
		}
	}
	if compared < 12 {
		t.Errorf("only %d kinds of document were compared: %v", compared, slices.Collect(maps.Keys(ours)))
	}
}

// fields maps a kind of document to its fields, and says whether every
// document of the kind has the field.
type fields map[string]map[string]bool

var longID = regexp.MustCompile(`/\d+`)

func (f fields) add(method, path string, status int, body any) {
	if status != 200 {
		return
	}
	path = strings.TrimSuffix(longID.ReplaceAllString(path, "/:id"), "/")
	switch path {
	case "/api/v1/instance", "/api/v2/instance", "/api/v2/notifications/policy", "/api/v1/preferences", "/api/v1/statuses/:id/source", "/api/v1/statuses/:id/context",
		"/api/v1/apps", "/api/v1/apps/verify_credentials", "/oauth/token", "/.well-known/oauth-authorization-server":
		f.note(path, body)
	case "/api/v1/accounts/relationships", "/api/v1/instance/rules":
		list, _ := body.([]any)
		for _, v := range list {
			f.note(path, v)
		}
	case "/api/v1/accounts/verify_credentials":
		f.note("credentials", body)
		return
	}
	f.walk(method == "DELETE", body)
}

func (f fields) walk(deleted bool, v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			f.walk(deleted, e)
		}
	case map[string]any:
		_, isStatus := v["reblogs_count"]
		_, isAccount := v["followers_count"]
		_, isNote := v["group_key"]
		_, isMedia := v["preview_remote_url"]
		switch {
		case isStatus && deleted:
			f.note("deleted status", v)
		case isStatus:
			f.note("status", v)
		case isNote && v["status"] != nil:
			f.note("notification", v)
		case isMedia:
			f.note("attachment", v)
		case isAccount && v["source"] == nil:
			f.note("account", v)
		}
		for _, e := range v {
			f.walk(false, e)
		}
	}
}

func (f fields) note(kind string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	was := f[kind]
	if was == nil {
		f[kind] = map[string]bool{}
		for k := range m {
			f[kind][k] = true
		}
		return
	}
	for k := range was {
		if _, ok := m[k]; !ok {
			was[k] = false
		}
	}
	for k := range m {
		if _, ok := was[k]; !ok {
			was[k] = false
		}
	}
}
