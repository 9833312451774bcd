package importer

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"rookery/internal/app/config"
	"rookery/internal/words"
)

const (
	aToken = "Xq3-token_of.the~bot"
	aKey   = "sk-proj-Zk93secret"
)

func nothing(string) (string, bool) { return "", false }

type world struct {
	t   *testing.T
	dir string
	out bytes.Buffer
	Config
}

func newWorld(t *testing.T, text string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	in := filepath.Join(w.dir, "secrets.env")
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Config = Config{File: in, Dir: filepath.Join(w.dir, "bot"), Program: "/opt/rookery", Out: &w.out}
	return w
}

func (w *world) take() (Result, error) {
	w.t.Helper()
	r, err := Elelem(w.t.Context(), w.Config)
	shown := w.out.String() + strings.Join(r.Unknown, " ") + r.Crontab
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

// left are the files in the folder of the bot.
func (w *world) left() []string {
	w.t.Helper()
	entries, err := os.ReadDir(filepath.Join(w.dir, "bot"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestTheFormsOfTheFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"as its page shows": "export OPENAI_API_KEY=" + aKey + "\nexport MASTODON_BASE_URL=https://social.example\nexport MASTODON_ACCESS_TOKEN=" + aToken + "\n",
		"without export":    "OPENAI_API_KEY=" + aKey + "\nMASTODON_BASE_URL=https://social.example\nMASTODON_ACCESS_TOKEN=" + aToken,
		"from Windows":      "\ufeffOPENAI_API_KEY=" + aKey + "\r\nMASTODON_BASE_URL=https://Social.example/\r\nMASTODON_ACCESS_TOKEN=" + aToken + "\r\n",
		"quotes":            "export OPENAI_API_KEY=\"" + aKey + "\" # mine\n\n# comment\nMASTODON_BASE_URL='https://social.example'\nMASTODON_ACCESS_TOKEN='" + aToken[:4] + "'\"" + aToken[4:] + "\"\n",
		"for a shell":       "set -a\nOPENAI_API_KEY=old\nOPENAI_API_KEY=" + aKey + ";\nMASTODON_BASE_URL=https://social.example\nMASTODON_ACCESS_TOKEN=" + aToken + "\nexport OPENAI_API_KEY MASTODON_ACCESS_TOKEN\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, text)
			r, err := w.take()
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(r.Config, nothing)
			if err != nil {
				t.Fatal(err)
			}
			a := c.Accounts[0]
			if a.Server != "https://social.example" || a.Token.Reveal() != aToken || a.Backlog || !a.Doing(config.FeaturePersona) || c.LLM.APIKey.Reveal() != aKey {
				t.Errorf("the configuration means %+v, %+v", a, c.LLM)
			}
			if got := w.left(); !slices.Equal(got, []string{"rookery.env", "rookery.toml"}) {
				t.Errorf("the files are %v", got)
			}
			if len(r.Unknown) > 0 || len(c.Warnings) > 0 {
				t.Errorf("unknown %v, warnings %v", r.Unknown, c.Warnings)
			}
		})
	}
}

const whole = "export OPENAI_API_KEY=" + aKey + "\nexport MASTODON_BASE_URL=https://botsin.space\nexport MASTODON_ACCESS_TOKEN=" + aToken + "\n"

func TestWhatIsTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, whole+"NODE_ENV=letmein\nBOT_EXTRA='letmein'\n")
	r, err := w.take()
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(r.Config, nothing)
	if err != nil {
		t.Fatal(err)
	}
	l := c.LLM
	if l.Temperature != nil || l.TopP != nil || l.MaxTokens != 2000 || len(l.Stop) != 0 || l.Model != newModel {
		t.Errorf("the model's parameters are %+v", l)
	}
	if !strings.Contains(c.Persona.Character, "dry wit") {
		t.Errorf("the character is %q", c.Persona.Character)
	}
	b, err := os.ReadFile(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"text-davinci-003", "was MASTODON_ACCESS_TOKEN", "was OPENAI_API_KEY", "was MASTODON_BASE_URL", r.Crontab, "This server was closed"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the configuration does not say %q", want)
		}
	}
	// For a model that takes elelem's parameters they are switched on by hand.
	older := regexp.MustCompile(`(?m)^#(\w+ = )`).ReplaceAll(b, []byte("$1"))
	if err := os.WriteFile(r.Config, older, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = config.Load(r.Config, nothing); err != nil {
		t.Fatal(err)
	}
	if l := c.LLM; *l.Temperature != 0.9 || *l.TopP != 1 || *l.FrequencyPenalty != 0 || *l.PresencePenalty != 0.6 {
		t.Errorf("the parameters are %+v", l)
	}
	if strings.Contains(string(b), aToken) || strings.Contains(string(b), aKey) || strings.ContainsAny(string(b), "{}") {
		t.Errorf("the configuration holds a secret or a gap:\n%s", b)
	}
	if got := strings.Join(r.Unknown, " "); got != "BOT_EXTRA NODE_ENV" {
		t.Errorf("unknown: %s", got)
	}
	for _, want := range []string{r.Config, r.Env, "BOT_EXTRA, NODE_ENV", "botsin.space is closed", r.Crontab, newModel} {
		if !strings.Contains(w.out.String(), want) {
			t.Errorf("%q was not said:\n%s", want, w.out.String())
		}
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{r.Env, r.Config} {
			if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v", name, st.Mode())
			}
		}
	}
}

func TestInRussian(t *testing.T) {
	t.Parallel()
	w := newWorld(t, whole)
	w.Language = words.Russian
	if _, err := w.take(); err != nil || !strings.Contains(w.out.String(), "закрыт") {
		t.Errorf("%v\n%s", err, w.out.String())
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rookery.toml", "rookery.env"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, whole)
			if err := os.Mkdir(w.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(w.Dir, name), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := w.take()
			if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v", err)
			}
			if b, err := os.ReadFile(filepath.Join(w.Dir, name)); string(b) != "mine" || !slices.Equal(w.left(), []string{name}) {
				t.Errorf("%q, %v, left %v", b, err, w.left())
			}
		})
	}
	t.Run("not even what appears meanwhile", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		for _, name := range []string{"draft", "there"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := place(filepath.Join(dir, "draft"), filepath.Join(dir, "there")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("error %v", err)
		}
		if b, _ := os.ReadFile(filepath.Join(dir, "there")); string(b) != "there" {
			t.Errorf("it holds %q", b)
		}
	})
	t.Run("nor is anything left of what was broken off", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, whole)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Elelem(ctx, w.Config); !errors.Is(err, context.Canceled) || len(w.left()) > 0 {
			t.Errorf("error %v, left %v", err, w.left())
		}
	})
}

func TestWhatIsNoFileOfVariables(t *testing.T) {
	t.Parallel()
	without := func(name string) string {
		var kept []string
		for line := range strings.Lines(whole) {
			if !strings.Contains(line, name) {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "")
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"\n \r\n", "empty"},
		"web page":         {"\n<!DOCTYPE html><html><body>" + whole, "web page"},
		"JSON":             {`{"OPENAI_API_KEY": "` + aKey + `"}`, "NAME=value"},
		"a picture":        {"\x89PNG\x00\x01" + whole, "no text"},
		"huge":             {strings.Repeat("A=1\n", 20_000), "KiB"},
		"a program":        {whole + "node index.js\n", "line 4"},
		"many wrong lines": {strings.Repeat("what is this "+aKey+"\n", 50), "and so on"},
		"spaces around =":  {strings.Replace(whole, "_URL=", "_URL = ", 1), "without a space"},
		"space in a value": {strings.Replace(whole, aToken, "letmein "+aToken, 1), "something after the value"},
		"open quote":       {strings.Replace(whole, aToken, "'"+aToken, 1), "closing quote"},
		"open quotes":      {strings.Replace(whole, aToken, `"`+aToken, 1), "closing quote"},
		"a reference":      {strings.Replace(whole, aToken, "$(cat token)", 1), "write the value itself"},
		"no token":         {without("TOKEN"), "MASTODON_ACCESS_TOKEN is missing"},
		"empty token":      {strings.Replace(whole, aToken, "", 1), "MASTODON_ACCESS_TOKEN is missing"},
		"no key":           {without("OPENAI"), "OPENAI_API_KEY is missing"},
		"no server":        {without("BASE_URL"), "MASTODON_BASE_URL is missing"},
		"nothing at all":   {"A=1\n", "MASTODON_ACCESS_TOKEN is missing"},
		"no address":       {strings.Replace(whole, "https://botsin.space", "botsin.space", 1), "like https://social.example"},
		"password in it":   {strings.Replace(whole, "https://", "https://me:letmein@", 1), "like https://social.example"},
		"plain http":       {strings.Replace(whole, "https://", "http://", 1), "https://"},
		"a key of letters": {strings.Replace(whole, aKey, "ключ", 1), "OPENAI_API_KEY holds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.text)
			if _, err := w.take(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
			if got := w.left(); len(got) > 0 || w.out.Len() > 0 {
				t.Errorf("left %v, said %s", got, w.out.String())
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, whole)
		w.File += "x"
		if _, err := w.take(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
}

func TestTheCrontab(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is none")
	}
	for _, c := range []struct{ dir, program, want string }{
		{"/home/eve/bot", "/opt/rookery", "*/5 * * * * cd /home/eve/bot && /opt/rookery once >>once.log 2>&1"},
		{"/home/eve's own/100%", "rookery", `*/5 * * * * cd '/home/eve'\''s own/100\%' && rookery once >>once.log 2>&1`},
	} {
		if got := crontab(c.dir, c.program); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

// FuzzParse: whatever is in the file, it is read or refused, no line of it is
// repeated, and what is taken over makes a configuration.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("export A=\"b\\\"c\" # d\r\nB='x'y\\ z;\nC=$A\n=\n\xff"))
	f.Add([]byte("A=\"\nB='"))
	f.Fuzz(func(t *testing.T, data []byte) {
		vars, err := parse(data)
		if err != nil {
			return
		}
		s, err := take(vars)
		if err != nil {
			return
		}
		dir := t.TempDir()
		err = write(t.Context(), dir, []file{{filepath.Join(dir, envFile), s.env()}, {filepath.Join(dir, configFile), s.config("x")}})
		if err != nil {
			if strings.Contains(err.Error(), s.token) && len(s.token) > 8 {
				t.Fatalf("the error holds the token: %v", err)
			}
			return // an address that is not fit for a token
		}
		c, err := config.Load(dir, nothing)
		if err != nil {
			t.Fatalf("%v from %q", err, data)
		}
		if c.Accounts[0].Token.Reveal() != s.token || c.LLM.APIKey.Reveal() != s.key {
			t.Fatalf("the secrets changed: %q", data)
		}
	})
}
