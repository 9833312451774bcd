package importer

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"rookery/internal/app/config"
	"rookery/internal/community"
	"rookery/internal/words"
)

// aBotToken has the shape of one of Discord's; its first part is a number.
const aBotToken = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.letmein-letmein-letmein"

// botINI is like the bot's own, filled in.
const botINI = `# General config options.
[General]
log_file_location = ${data_directory}/FediverseBot.log
# See table for explanations
log_level = WARNING
; Appended to the end of a post description.
post_tail = Shared by "its" artist.
    Terms: https://art.example/terms, 100$$

data_directory = data
database_location = ${data_directory}/db.sqlite

[Discord]
token: ` + aBotToken + `
guild_id = 123456789012345678
accepted_content_types = image, video

[OpenAI]
api_key = ` + aKey + `
message_prompt = Describe this for ${name}.
name = blind people
max_tokens = 300

[Akkoma]
instance_url = Art.example/
client_id_file = ${General:data_directory}/clientcred.secret
access_token_file = ${General:data_directory}/usercred.secret
password = letmein
`

// botWorld is a folder with the bot's files.
type botWorld struct {
	*gifferWorld
}

func newBot(t *testing.T) *botWorld {
	t.Helper()
	w := &botWorld{newGiffer(t)}
	if err := os.Mkdir(filepath.Join(w.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.file("data/usercred.secret", aToken+"\nhttps://art.example\n")
	return w
}

// write takes settings over. No secret may be shown on the way.
func (w *botWorld) write(text string) (Result, error) {
	w.t.Helper()
	b, err := ReadFediverseBot(w.file("config.ini", text))
	var r Result
	if err == nil {
		r, err = b.Write(w.t.Context(), w.Config)
	}
	shown := w.out.String() + strings.Join(r.Unknown, " ")
	if err != nil {
		shown += err.Error()
	}
	for _, secret := range []string{aToken, aKey, aBotToken, "letmein"} {
		if strings.Contains(shown, secret) {
			w.t.Errorf("a secret is shown: %s", shown)
		}
	}
	return r, err
}

func TestFediverseBotsSettings(t *testing.T) {
	t.Parallel()
	w := newBot(t)
	r, err := w.write(botINI)
	if err != nil {
		t.Fatal(err)
	}
	c := w.load(r)
	a, g := c.Accounts[0], c.Gallery
	if a.Name != "gallery" || a.Server != "https://art.example" || a.Token.Reveal() != aToken || !a.Doing(config.FeatureGallery) || a.Visibility != community.Public ||
		a.PostTail != "Shared by \"its\" artist.\nTerms: https://art.example/terms, 100$" || !slices.Equal(a.Guilds, []string{"123456789012345678"}) {
		t.Errorf("the account is %+v", a)
	}
	if !c.Discord.Doing(config.FeatureGallery) || c.Discord.Token.Reveal() != aBotToken {
		t.Errorf("Discord is %+v", c.Discord)
	}
	if v := c.Vision(); g.Prompt != "Describe this for blind people." || g.MaxTokens != 300 || v.Model != "gpt-4o" || v.APIKey.Reveal() != aKey || v.Processor() != "OpenAI (USA)" {
		t.Errorf("the gallery is %+v", g)
	}
	if c.Log.Level.String() != "WARN" || len(c.Warnings) > 0 {
		t.Errorf("the log is %+v, warnings %v", c.Log, c.Warnings)
	}
	text, err := os.ReadFile(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), aToken) || strings.Contains(string(text), aKey) || strings.Contains(string(text), "letmein") || strings.ContainsAny(string(text), "{}") {
		t.Errorf("the configuration holds a secret or a gap:\n%s", text)
	}
	// Nothing of the bot's is passed over in silence.
	for _, name := range []string{"log_file_location", "log_level", "post_tail", "data_directory", "database_location", "[Discord] token", "guild_id", "accepted_content_types",
		"api_key", "message_prompt", "max_tokens", "instance_url", "client_id_file", "access_token_file", "password", "[OpenAI] name", "data/db.sqlite"} {
		if !strings.Contains(w.out.String(), name) {
			t.Errorf("nothing is said of %s:\n%s", name, w.out.String())
		}
	}
	if !slices.Equal(r.Unknown, []string{"[OpenAI] name"}) {
		t.Errorf("unknown: %v", r.Unknown)
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{"rookery.toml", botDiscord, botFediKey, botModelKey} {
			if st, err := os.Stat(filepath.Join(w.Dir, name)); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, st, err)
			}
		}
	}
	if _, err := w.write(botINI); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
}

func TestFediverseBotsSettingsWithoutMuch(t *testing.T) {
	t.Parallel()
	w := newBot(t)
	w.Language = words.Russian
	r, err := w.write("\ufeff[DEFAULT]\r\nFEDI_SERVER = https://art.example\r\nfedi_user = bot@art.example\r\naccess_token_location = none/usercred.txt\r\n" +
		"[fedi]\r\naccess_token_location = none/usercred.txt\r\n[x]\r\nmine = letmein\r\nopenai_model = gpt-4o-mini\r\nvisibility = Unlisted\r\nlog_level = loud\r\npost_tail =\r\n")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadForLogin(r.Config, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if a := c.Accounts[0]; a.Server != "https://art.example" || a.PostTail != "" || a.Visibility != community.Unlisted || c.Vision().Model != "" || c.Log.Level.String() != "INFO" {
		t.Errorf("the account is %+v, the model %+v", a, c.Vision())
	}
	for _, want := range []string{filepath.Join(w.Dir, botDiscord), "rookery login gallery", "[x] mine", "fedi_user", "остановите бота", "db.sqlite"} {
		if !strings.Contains(w.out.String(), want) {
			t.Errorf("%q is not said:\n%s", want, w.out.String())
		}
	}
	// With the # taken away, pictures are described by the model that was named.
	text, err := os.ReadFile(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"[gallery.vision]", "base_url", "model", "api_key_file"} {
		text = bytes.Replace(text, []byte("#"+line), []byte(line), 1)
	}
	for name, data := range map[string]string{"rookery.toml": string(text), botDiscord: aBotToken, botFediKey: aToken, botModelKey: aKey} {
		if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if v := w.load(r).Vision(); v.Model != "gpt-4o-mini" || v.APIKey.Reveal() != aKey {
		t.Errorf("the model is %+v", v)
	}
}

func TestTheTokenMayStandInTheFileItself(t *testing.T) {
	t.Parallel()
	w := newBot(t)
	r, err := w.write("[Fediverse]\nurl = http://127.0.0.1:4000\naccess_token = " + aToken + "\n[ds]\ntoken = " + aBotToken + "\n[gpt]\nbase_url = http://127.0.0.1:11434/v1/\nmodel = llava\n")
	if err != nil {
		t.Fatal(err)
	}
	c := w.load(r)
	if a, v := c.Accounts[0], c.Vision(); a.Token.Reveal() != aToken || v.BaseURL != "http://127.0.0.1:11434/v1" || v.Model != "llava" || v.Processor() != "" {
		t.Errorf("%+v, %+v", a, v)
	}
}

func TestFediverseBotsFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	server := "[Akkoma]\nserver = https://art.example\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {" \r\n", "is empty"},
		"a picture":         {"\x89PNG\x00\x01", "neither a SQLite database nor text"},
		"a page":            {"<!DOCTYPE html><html>", "web page"},
		"JSON":              {`{"a": 1}`, "neither a database nor an INI file"},
		"huge":              {strings.Repeat("a = 1\n", maxFile/6+1), "KiB"},
		"prose":             {"what is this\n", "line 1: expected [section] or key = value"},
		"no key":            {"= letmein\n", "line 1"},
		"much prose":        {strings.Repeat("letmein\n", 20), "and so on"},
		"comments alone":    {"# letmein\n", "no settings"},
		"another's":         {"[db]\nhost = letmein\n", "nothing in it is a setting of the bot's"},
		"no server":         {"post_tail = letmein\n", "address of the instance is missing"},
		"a poor server":     {"[Akkoma]\nserver = https://me:letmein@art.example\n", "[Akkoma] server is not the address"},
		"twice":             {server + "a = letmein\nserver = letmein\n", "line 4: server is here twice, first on line 2"},
		"nothing named":     {server + "post_tail = letmein ${a:b}\n", "line 3: post_tail names ${a:b}, which is not there"},
		"itself":            {server + "post_tail = letmein ${post_tail}\n", "line 3: post_tail names ${post_tail}, which names others without end"},
		"a circle":          {server + "a = letmein ${b}\nb = ${a}\n", "line 3: a names ${b}, which names others"},
		"a bomb":            {server + bomb(), "grows beyond any value"},
		"a broken token":    {server + "[Discord]\ntoken = letmein letmein\n", "[Discord] token holds a space"},
		"no bot's token":    {server + "[Discord]\ntoken = letmein\n", "is not that of a bot"},
		"a broken guild":    {server + "[Discord]\nguild_id = letmein\n", "[Discord] guild_id is not the id"},
		"a long tail":       {server + "post_tail = letmein" + strings.Repeat("x", 500) + "\n", "post_tail has 507 characters"},
		"few tokens":        {server + "[OpenAI]\nmax_tokens = 19\n", "max_tokens is not a number of tokens"},
		"another audience":  {server + "visibility = letmein\n", "visibility is not an audience"},
		"plain http":        {"[Akkoma]\nserver = http://art.example\n", "https://"},
		"another server":    {"[Akkoma]\nserver = https://other.example\naccess_token_file = data/usercred.secret\n", "another server"},
		"an own API's name": {server + "[OpenAI]\nbase_url = letmein\n", "base_url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBot(t)
			if _, err := w.write(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
			if entries, err := os.ReadDir(w.Dir); len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("something was written: %v, %v", entries, err)
			}
		})
	}
	t.Run("files of one kind", func(t *testing.T) {
		t.Parallel()
		w := newBot(t)
		if _, err := ReadFediverseBot(w.file("a", server), w.file("b", server)); err == nil || !strings.Contains(err.Error(), "of one kind") {
			t.Errorf("error %v", err)
		}
		if _, err := ReadFediverseBot(filepath.Join(w.dir, "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
		if _, err := ReadFediverseBot(); err == nil {
			t.Error("no file at all will do")
		}
		if _, err := ReadFediverseBot(w.dir); err == nil {
			t.Error("a folder will do")
		}
	})
}

// bomb is a file that grows tenfold with every line.
func bomb() string {
	var b strings.Builder
	b.WriteString("a = " + strings.Repeat("letmein", 10) + "\n")
	for c := byte('b'); c < 'j'; c++ {
		b.WriteString(string(c) + " = " + strings.Repeat("${"+string(c-1)+"}", 10) + "\n")
	}
	return b.String()
}

func TestINI(t *testing.T) {
	t.Parallel()
	f, err := parseINI("before = 1\n[DEFAULT]\nDir = d\npath = ${dir}/x\n[A b]\ndir : a\n  two\n\n  # not this\n  three\n\nempty =\nboth = ${path} ${C:KEY} $$ $ ${\n[C]\nkey = v = w:x ; y\n")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range f.options {
		got[o.section+"."+o.key] = o.value
	}
	for key, want := range map[string]string{
		"DEFAULT.before": "1", "DEFAULT.path": "d/x", "A b.dir": "a\ntwo\n\nthree", "A b.empty": "",
		"A b.both": "a\ntwo\n\nthree/x v = w:x ; y $ $ ${", "C.key": "v = w:x ; y",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

// FuzzINI: whatever is in a file of the bot's, it is read or refused, and what
// is taken over stands in the configuration unchanged.
func FuzzINI(f *testing.F) {
	f.Add(botINI)
	f.Add("[Akkoma]\nserver = art.example\npost_tail = a\\b\"{log}'''\n  \x7f${token}\ntoken = $$\n")
	f.Add("[gpt]\nprompt = x\n y\nkey = k\nmodel = m\nds_guild_id = 123456789012345678\nfedi_url : art.example\n")
	f.Add(bomb())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseFediverseBot([]byte(text), "no-such-folder")
		if err != nil || !utf8.ValidString(text) {
			return
		}
		var c struct {
			Gallery struct {
				Prompt string
				Vision struct{ Model string }
			}
			Account []struct {
				Server string
				Tail   string `toml:"post_tail"`
				Guilds []string
			}
		}
		if err := toml.Unmarshal([]byte(s.config()), &c); err != nil || len(c.Account) != 1 {
			t.Fatalf("%v from %q", err, text)
		}
		a := c.Account[0]
		if a.Tail != s.tail || a.Server != s.server || !slices.Equal(a.Guilds, s.guilds) || c.Gallery.Prompt != s.prompt || s.key != "" && s.model != "" && c.Gallery.Vision.Model != s.model {
			t.Fatalf("the values changed: %q became %+v", text, c)
		}
		if s.key != "" && strings.Contains(s.config(), s.key) && len(s.key) > 40 {
			t.Fatalf("the configuration holds a key: %s", s.config())
		}
	})
}
