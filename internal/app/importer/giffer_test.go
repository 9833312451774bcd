package importer

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/community"
	"rookery/internal/words"
)

// example is giffer's own, filled in, with every variable that its program
// reads.
const example = `MASTODON_BASE_URL=https://Social.example/
MASTODON_ACCESS_TOKEN=` + aToken + `

FURBOORU_BASE_URL=https://furbooru.org
FURBOORU_API_KEY=` + aKey + `
SAFE_FILTER_ID = 1
NSFW_FILTER_ID=2
USER_AGENT=letmein/1.0

# Optional runtime tuning:
; as it likes them too
CHECK_INTERVAL=30   # seconds
USER_COOLDOWN_SEC="45"
GLOBAL_RATE_PER_SEC=0.5
GLOBAL_BURST=4
LOG_LEVEL=WARNING
LOG_FILE=giffer.log
STATE_FILE=giffer_state.json
PROCESSED_CACHE_MAX=800
CONNECT_TIMEOUT=5
READ_TIMEOUT=20
DOWNLOAD_TIMEOUT=40
SOCKET_DEFAULT_TIMEOUT=25
MASTO_CALL_TIMEOUT=25
MEDIA_PROCESS_MAX_WAIT=60
MAX_GIF_BYTES=26214401
NSFW_VISIBILITY=private
MAX_GIF_BYTES=letmein
this line is none
`

// gifferWorld is a folder with giffer's files.
type gifferWorld struct {
	t   *testing.T
	dir string
	out bytes.Buffer
	Config
}

func newGiffer(t *testing.T) *gifferWorld {
	w := &gifferWorld{t: t, dir: t.TempDir()}
	w.Config = Config{Dir: filepath.Join(w.dir, "bot"), Out: &w.out}
	return w
}

func (w *gifferWorld) file(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// write takes settings over. No secret may be shown on the way.
func (w *gifferWorld) write(text string) (Result, error) {
	w.t.Helper()
	g, err := ReadGiffer(w.file("config.env", text))
	var r Result
	if err == nil {
		r, err = g.Write(w.t.Context(), w.Config)
	}
	shown := w.out.String() + strings.Join(r.Unknown, " ")
	if err != nil {
		shown += err.Error()
	}
	for _, secret := range []string{aToken, aKey, "letmein"} {
		if strings.Contains(shown, secret) {
			w.t.Errorf("a secret is shown: %s", shown)
		}
	}
	return r, err
}

func (w *gifferWorld) load(r Result) *config.Config {
	w.t.Helper()
	c, err := config.Load(r.Config, nothing)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestGiffersSettings(t *testing.T) {
	t.Parallel()
	w := newGiffer(t)
	r, err := w.write(example)
	if err != nil {
		t.Fatal(err)
	}
	c := w.load(r)
	a, g := c.Accounts[0], c.GIFs
	if a.Server != "https://social.example" || a.Token.Reveal() != aToken || !a.Doing(config.FeatureGIFs) || a.NSFW || a.Poll != 30*time.Second || a.Backlog {
		t.Errorf("the account is %+v", a)
	}
	want := config.GIFSource{Kind: config.Philomena, URL: "https://furbooru.org", FilterID: "1", NSFWFilterID: "2", Key: g.Sources[0].Key}
	if len(g.Sources) != 1 || g.Sources[0] != want || g.Sources[0].Key.Reveal() != aKey {
		t.Errorf("the board is %+v", g.Sources)
	}
	if g.Cooldown != 45*time.Second || g.Rate != 0.5 || g.Burst != 4 || g.MaxDownload != 26<<20 || g.NSFWVisibility != community.Followers || c.Log.Level.String() != "WARN" {
		t.Errorf("the pictures are %+v, the log %+v", g, c.Log)
	}
	text, err := os.ReadFile(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), aToken) || strings.Contains(string(text), aKey) || strings.ContainsAny(string(text), "{}") {
		t.Errorf("the configuration holds a secret or a gap:\n%s", text)
	}
	// Nothing of giffer's is passed over in silence.
	for name := range gifferVariables(example) {
		if !strings.Contains(w.out.String(), name) {
			t.Errorf("nothing is said of %s:\n%s", name, w.out.String())
		}
	}
	if len(r.Unknown) > 0 || strings.Contains(w.out.String(), "cannot stay") {
		t.Errorf("unknown: %v\n%s", r.Unknown, w.out.String())
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{r.Config, r.Env, filepath.Join(w.Dir, furbooruKey)} {
			if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, st, err)
			}
		}
	}
	// What is switched off in it can be switched on.
	for from, to := range map[string]string{"#nsfw = true": "nsfw = true", `#language = "ru"`: `language = "ru"`} {
		text = bytes.Replace(text, []byte(from), []byte(to), 1)
	}
	if err := os.WriteFile(r.Config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if c := w.load(r); !c.Accounts[0].NSFW || c.Accounts[0].Language != "ru" || len(c.Warnings) > 0 {
		t.Errorf("switched on: %+v, %v", c.Accounts[0], c.Warnings)
	}
	if _, err := w.write(example); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
}

func TestGiffersSettingsWithoutMuch(t *testing.T) {
	t.Parallel()
	w := newGiffer(t)
	w.Language = words.Russian
	r, err := w.write("\ufeffMASTODON_ACCESS_TOKEN='" + aToken + "'\r\nFURBOORU_API_KEY=OPTIONAL\r\nNSFW_FILTER_ID=\r\nNSFW_VISIBILITY=public\r\n" +
		"GLOBAL_BURST=0\r\nCHECK_INTERVAL=1\r\nMY_OWN=letmein\r\nLOG_LEVEL=verbose\r\n")
	if err != nil {
		t.Fatal(err)
	}
	c := w.load(r)
	if a := c.Accounts[0]; a.Server != gifferServer || a.Poll != 5*time.Second {
		t.Errorf("the account is %+v", a)
	}
	if g := c.GIFs; g.NSFWVisibility != community.Unlisted || g.Burst != 1 || g.Sources[0] != (config.GIFSource{Kind: config.Philomena, URL: gifferBoard}) {
		t.Errorf("the pictures are %+v", g)
	}
	for _, want := range []string{`nsfw_visibility = "unlisted"`, "burst = 1", `poll = "5s"`, "MY_OWN", "остановите giffer"} {
		if !strings.Contains(w.out.String(), want) {
			t.Errorf("%q is not said:\n%s", want, w.out.String())
		}
	}
}

func TestGiffersFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	token := "MASTODON_ACCESS_TOKEN=" + aToken + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":               {" \r\n", "is empty"},
		"a picture":           {"\x89PNG\x00\x01", "no text"},
		"a page":              {"<!DOCTYPE html><html>", "web page"},
		"huge":                {strings.Repeat("A=1\n", maxState/4+1), "MiB"},
		"prose":               {"what is this\n", "no NAME=value lines"},
		"no token":            {"MASTODON_BASE_URL=https://social.example\n", "MASTODON_ACCESS_TOKEN is missing"},
		"the example's":       {"MASTODON_ACCESS_TOKEN=YOUR_TOKEN_HERE\n", "MASTODON_ACCESS_TOKEN is missing"},
		"a token in two":      {"MASTODON_ACCESS_TOKEN=" + aToken + " letmein\n", "copied again"},
		"no address":          {token + "MASTODON_BASE_URL=letmein\n", "MASTODON_BASE_URL is not the address"},
		"password in it":      {token + "FURBOORU_BASE_URL=https://me:letmein@furbooru.org\n", "FURBOORU_BASE_URL is not the address"},
		"plain http":          {token + "MASTODON_BASE_URL=http://social.example\n", "https://"},
		"no filter":           {token + "NSFW_FILTER_ID=letmein\n", "NSFW_FILTER_ID is not the number"},
		"no number":           {token + "USER_COOLDOWN_SEC=letmein\n", "USER_COOLDOWN_SEC is not a number"},
		"not any number":      {token + "GLOBAL_RATE_PER_SEC=nan\n", "GLOBAL_RATE_PER_SEC is not a number"},
		"half a state":        {`{"last_seen_notif_id": 1, "processed_status`, "not whole"},
		"another list":        {`[1, 2]`, "not whole"},
		"other JSON":          {`{"a": 1}`, "not giffer's state"},
		"nothing seen":        {`{"last_seen_notif_id": null, "processed_status_ids": []}`, "nothing to take over"},
		"nothing, as 0":       {`{"last_seen_notif_id": 0}`, "nothing to take over"},
		"a fraction":          {`{"last_seen_notif_id": 1e9}`, "last_seen_notif_id is not an id"},
		"a negative one":      {`{"last_seen_notif_id": -1}`, "last_seen_notif_id is not an id"},
		"a list for an id":    {`{"last_seen_notif_id": [1]}`, "last_seen_notif_id is not an id"},
		"a path for an id":    {`{"processed_status_ids": ["1", "../2"]}`, "processed_status_ids, entry 2, is not an id"},
		"a text for the list": {`{"processed_status_ids": "123"}`, "not a list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newGiffer(t)
			if _, err := w.write(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
			if _, err := os.Stat(w.Dir); !errors.Is(err, fs.ErrNotExist) && c.want != "https://" {
				t.Errorf("something was written: %v", err)
			}
		})
	}
	t.Run("files of one kind", func(t *testing.T) {
		t.Parallel()
		w := newGiffer(t)
		one, two := w.file("a", token), w.file("b", token)
		if _, err := ReadGiffer(one, two); err == nil || !strings.Contains(err.Error(), "of one kind") {
			t.Errorf("error %v", err)
		}
		if _, err := ReadGiffer(w.file("c", `{"last_seen_notif_id": 1}`), filepath.Join(w.dir, "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
		if _, err := ReadGiffer(); err == nil {
			t.Error("no file at all will do")
		}
	})
}

func TestGiffersStateIsReadAsItStands(t *testing.T) {
	t.Parallel()
	w := newGiffer(t)
	state := w.file("state", `{"last_seen_notif_id": 115000000000000000001, "processed_status_ids":
		[113999999999999999999, "113999999999999999999", "01JABCDEF", 0, null, 7], "version\u001b": 2}`)
	g, err := ReadGiffer(state, w.file("env", example))
	if err != nil {
		t.Fatal(err)
	}
	if !g.HasState() || !g.HasSettings() || g.state.lastSeen != "115000000000000000001" {
		t.Errorf("%+v", g)
	}
	if got := g.state.posts; len(got) != 3 || got[0] != "113999999999999999999" || got[1] != "01JABCDEF" || got[2] != "7" {
		t.Errorf("the posts are %q", got)
	}
	if got := g.state.unknown; len(got) != 1 || got[0] != "version?" {
		t.Errorf("unknown: %q", got)
	}
}

// FuzzGiffer: whatever is in a file of giffer's, it is read or refused, and
// what is taken over makes a configuration that holds the secrets unchanged.
func FuzzGiffer(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"last_seen_notif_id": "12", "processed_status_ids": [1, "2", null]}`))
	f.Add([]byte("export MASTODON_ACCESS_TOKEN='a\" # b\nCHECK_INTERVAL=1e300\nGLOBAL_RATE_PER_SEC=1e-300\nMAX_GIF_BYTES=-inf\nFURBOORU_API_KEY=x\nSAFE_FILTER_ID=0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := ReadGiffer(name)
		if err != nil {
			return
		}
		for _, id := range g.state.posts {
			if id == "" || len(id) > maxID || strings.ContainsAny(string(id), "/?#% \x00") {
				t.Fatalf("%q is an id", id)
			}
		}
		if !g.HasSettings() {
			return
		}
		dir := t.TempDir()
		r, err := g.Write(t.Context(), Config{Dir: dir})
		if err != nil {
			return // an address that is not fit for a token
		}
		c, err := config.Load(r.Config, nothing)
		if err != nil {
			t.Fatalf("%v from %q", err, data)
		}
		if c.Accounts[0].Token.Reveal() != g.settings.token || c.GIFs.Sources[0].Key.Reveal() != g.settings.key {
			t.Fatalf("the secrets changed: %q", data)
		}
	})
}
