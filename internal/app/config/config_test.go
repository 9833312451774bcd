package config

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
)

// vars is an environment of its own.
func vars(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// write puts files into a new folder and returns the path of the first.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

func TestSmallestRunsWithItsDefaults(t *testing.T) {
	t.Parallel()
	path := write(t, "rookery.toml", Smallest(), "elelem.token", "s3cret\n")
	c, err := Load(path, vars())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
	want := &Config{
		File:    path,
		DataDir: filepath.Join(filepath.Dir(path), "data"),
		Log:     Log{Level: slog.LevelInfo, Format: "text", MaxSizeMB: 10, MaxFiles: 5},
		LLM: LLM{BaseURL: "http://127.0.0.1:11434/v1", Model: "llama3.2", Timeout: 3 * time.Minute,
			Retries: 2, MaxTokens: 500},
		Persona: Persona{Character: c.Persona.Character, Parallel: 1, MaxPromptChars: 24000, Audience: "anyone", MaxPosts: 4,
			ReadLinks: true, Notices: true, NoticeAfter: 15 * time.Minute},
		GIFs: GIFs{Word: "gif", Cooldown: 20 * time.Second, Rate: 1, Burst: 3, Queue: 5, NoRepeat: 24 * time.Hour, NSFWVisibility: community.Unlisted,
			MaxDownload: 40 << 20, FFmpeg: "ffmpeg", FFmpegTimeout: 2 * time.Minute, NoticeAfter: 5 * time.Minute,
			Sources: []GIFSource{{Kind: "philomena", URL: "https://furbooru.org"}}},
		Gallery: Gallery{ExpireAfter: 72 * time.Hour, MaxTokens: 300,
			Vision: Vision{BaseURL: "http://127.0.0.1:11434/v1", Model: "llama3.2", Timeout: 3 * time.Minute}, VisionSection: "llm"},
		Outbox: Outbox{10 * time.Second, time.Minute, 30 * time.Second},
		Budget: Budget{TimeZone: time.UTC, RepliesPerMember: 20, TokensPerDay: 200_000, TokensPerAccount: Unlimited, TokensPerMember: Unlimited,
			TokensPerGuild: Unlimited, MoneyPerDay: Unlimited, MoneyPerAccount: Unlimited, MoneyPerMember: Unlimited, MoneyPerGuild: Unlimited, Currency: "USD"},
		Operator: Operator{Language: "en"},
		Backup:   Backup{Daily: true, At: "04:00", Keep: 7, Dir: filepath.Join(filepath.Dir(path), "data", "backups")},
		Accounts: []Account{{Name: "elelem", Server: "https://social.example", Token: NewSecret("s3cret"),
			Does: []string{"persona"}, MaxAge: 24 * time.Hour, Poll: 10 * time.Second, RateLimits: true, Streaming: true, TokenFile: filepath.Join(filepath.Dir(path), "elelem.token"),
			Visibility: community.Public, AI: AIAsk}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if c.Accounts[0].Token.Reveal() != "s3cret" || !c.Doing("persona") || c.Doing(FeatureGallery) {
		t.Error("the token or the features are not those of the file")
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	t.Parallel()
	path := write(t, "my.toml", `
data_dir = "/var/lib/rookery"
env_file = "secrets.env"
store.postgres_url_file = "pg"
[log]
level = "debug"
format = "json"
file = "log/rookery.log"
max_size_mb = 0x20
max_files = 1_0
[llm]
base_url = "https://llm.example/v1/"
model = "m"
api_key_env = "KEY"
timeout = "90s"
retries = 0
temperature = 1
top_p = 0.5
max_tokens = 10
frequency_penalty = -2.0
presence_penalty = 2
stop = ["a", "b"]
processor = "Somebody (USA)"
[persona]
character = 'c'
parallel = 64
max_prompt_chars = 1000
language = "pt-BR"
audience = "followers"
long_answers = "thread"
max_posts = 3
read_links = false
unavailable = "silence"
notice_after = "1m"
[gifs]
word = "ГИФ2"
cooldown = "0s"
rate = 0.5
burst = 100
queue = 1
no_repeat = "0s"
blocklist = ["spiders", "big cats"]
nsfw_visibility = "private"
max_download_mb = 500
ffmpeg = "bin/ffmpeg"
ffmpeg_timeout = "10s"
notice_after = "1h"
[[gifs.source]]
kind = "philomena"
url = "HTTPS://Derpibooru.org:443/"
filter_id = 100073
nsfw_filter_id = "56027"
key_env = "BOARD"
[[gifs.source]]
kind = "danbooru"
login = "ada"
key_file = "board"
[[gifs.source]]
kind = "e621"
url = "http://127.0.0.1:4000"
contact = "@me@social.example"
[gallery]
expire_after = "336h"
prompt = "What is it?"
max_tokens = 1000
texts = "my/texts.toml"
[gallery.vision]
base_url = "https://api.openai.com/v1/"
model = "sees"
api_key_env = "VISION"
timeout = "40s"
processor = "Somebody else (Norway)"
[budget]
replies_per_member = "unlimited"
tokens_per_day = 1_000
tokens_per_account = 2_000
tokens_per_member = 3_000
tokens_per_guild = 4
money_per_day = 0.1
money_per_account = 2
money_per_member = "unlimited"
money_per_guild = 1.000001
price_prompt = 0.15
price_completion = 0
currency = "€"
time_zone = "Europe/Berlin"
[operator]
fediverse = "@me@social.example"
language = "ru"
[backup]
daily = false
at = "23:59"
keep = 2
dir = "/backups"
[web]
listen = "127.0.0.1:9464"
[outbox]
settle_after_error = "1s"
settle_after_silence = "2s"
request_timeout = "3s"
[discord]
token_file = "bot"
does = ["gifs", "persona", "gallery"]
message_content = false
direct_messages = false
operator_channel = "123456789012345678"
language = "en"
first_run = "backlog"
max_age = "2h"
api = "http://127.0.0.1:4001/api/v10/"
cdn = "http://127.0.0.1:4002/"
[[account]]
name = "one"
server = "HTTPS://Social.Example:443/"
token_file = "tok"
does = ["persona"]
first_run = "backlog"
max_age = "1h30m"
poll = "5s"
rate_limits = "off"
streaming = "off"
streaming_url = "wss://streaming.social.example"
language = "ru"
nsfw = true
[[account]]
name = "two"
server = "http://127.0.0.1:3000"
token_env = "TWO"
does = ["persona", "gifs"]
poll = "50ms"
[[account]]
name = "three"
server = "https://art.example"
token_env = "THREE"
does = ["gallery"]
visibility = "private"
max_upload_mb = 8
posts_per_hour = 6
ai = "never"
contact = "art@example.org"
post_tail = "from us"
guilds = ["123456789012345678", "223456789012345678"]
`, "secrets.env", "export KEY='k'\nTWO=\"t\" # comment\nTHREE=x\n", "pg", "postgres://u:p@h/d\r\n", "board", "k2\n", "tok", "\ufefftoken1\r\n", "bot", "QUJD.x.y\n")
	c, err := Load(path, vars("TWO", "real", "BOARD", "k1", "VISION", "v"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	f := func(f float64) *float64 { return &f }
	n := func(n int64) *int64 { return &n }
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		File: path, DataDir: inDir(dir, "/var/lib/rookery"), EnvFile: filepath.Join(dir, "secrets.env"),
		Store: Store{NewSecret("postgres://u:p@h/d")},
		Log:   Log{slog.LevelDebug, "json", filepath.Join(dir, "log", "rookery.log"), 32, 10},
		LLM: LLM{"https://llm.example/v1", "m", NewSecret("k"), 90 * time.Second, 0, f(1), f(.5), 10, f(-2), f(2),
			[]string{"a", "b"}, "Somebody (USA)"},
		Persona: Persona{"c", 64, 1000, "pt-BR", "followers", true, 3, false, false, time.Minute},
		GIFs: GIFs{"гиф2", 0, .5, 100, 1, 0, []string{"spiders", "big cats"}, community.Followers, 500 << 20, filepath.Join(dir, "bin", "ffmpeg"),
			10 * time.Second, time.Hour, []GIFSource{
				{"philomena", "https://derpibooru.org", "100073", "56027", "", NewSecret("k1"), ""},
				{"danbooru", "https://danbooru.donmai.us", "", "", "ada", NewSecret("k2"), ""},
				{"e621", "http://127.0.0.1:4000", "", "", "", Secret{}, "@me@social.example"},
			}},
		Gallery: Gallery{14 * 24 * time.Hour, "What is it?", 1000, filepath.Join(dir, "my", "texts.toml"), "", "",
			Vision{"https://api.openai.com/v1", "sees", NewSecret("v"), 40 * time.Second, "Somebody else (Norway)"}, "gallery.vision", 66},
		Outbox:   Outbox{time.Second, 2 * time.Second, 3 * time.Second},
		Budget:   Budget{berlin, Unlimited, 1000, 2000, 3000, 4, 100_000, 2_000_000, Unlimited, 1_000_001, "€", n(150_000), n(0)},
		Operator: Operator{"me@social.example", "ru"},
		Backup:   Backup{false, "23:59", 2, inDir(dir, "/backups")},
		Web:      Web{"127.0.0.1:9464"},
		Discord: Discord{true, NewSecret("QUJD.x.y"), filepath.Join(dir, "bot"), []string{"gifs", "persona", "gallery"}, false, false, "123456789012345678", "en",
			true, 2 * time.Hour, "http://127.0.0.1:4001/api/v10", "http://127.0.0.1:4002"},
		Accounts: []Account{
			{"one", "https://social.example", NewSecret("token1"), []string{"persona"}, true, 90 * time.Minute, 5 * time.Second, false,
				false, "wss://streaming.social.example", "ru", filepath.Join(dir, "tok"), true, community.Public, 0, 0, AIAsk, "", "", nil},
			{"two", "http://127.0.0.1:3000", NewSecret("real"), []string{"persona", "gifs"}, false, 24 * time.Hour, 50 * time.Millisecond, true,
				true, "", "", "", false, community.Public, 0, 0, AIAsk, "", "", nil},
			{"three", "https://art.example", NewSecret("x"), []string{"gallery"}, false, 24 * time.Hour, 10 * time.Second, true,
				true, "", "", "", false, community.Followers, 8 << 20, 6, AINever, "art@example.org", "from us", []string{"123456789012345678", "223456789012345678"}},
		},
	}
	// The first account's nsfw is told to do nothing, as TestWarningsOfGIFs wants.
	c.Warnings = nil
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	// Every field that a key can set was set here, so none is left out of the
	// table of keys by mistake.
	seen := map[string]bool{}
	for _, k := range Keys() {
		seen[k.Path] = true
	}
	if len(seen) != len(Keys()) {
		t.Error("a key is twice in Keys")
	}
}

func TestExampleLoadsAndHasEveryKey(t *testing.T) {
	t.Parallel()
	if _, err := Load(write(t, "rookery.toml", Example(), "elelem.token", "x"), vars()); err != nil {
		t.Fatal(err)
	}
	inForce := regexp.MustCompile(`^#?([a-z_]+) = `)
	section := regexp.MustCompile(`^#?\[+([a-z.]+)\]+$`)
	shown, in := map[string]bool{}, ""
	for line := range strings.Lines(Example()) {
		line = strings.TrimSpace(line)
		if m := section.FindStringSubmatch(line); m != nil {
			in = m[1] + "."
		} else if m := inForce.FindStringSubmatch(line); m != nil {
			shown[in+m[1]] = true
		}
	}
	for _, k := range Keys() {
		if !shown[k.Path] {
			t.Errorf("the example does not show %s", k.Path)
		}
		delete(shown, k.Path)
		if k.Doc == "" || k.Type == "" {
			t.Errorf("%s has no type or no description", k.Path)
		}
	}
	for path := range shown {
		t.Errorf("the example shows %s, which is no key", path)
	}
}

// The keys that the example switches off are right as they stand, too.
func TestExampleWithEverythingSwitchedOn(t *testing.T) {
	t.Parallel()
	on := regexp.MustCompile(`(?m)^#(\[|[a-z_]+ = )`).ReplaceAllString(Example(), "$1")
	_, err := Load(write(t, "rookery.toml", on, "elelem.token", "x", "gallery.token", "y"), vars("ELELEM_TOKEN", "x"))
	var all Errors
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	for _, p := range all {
		if !strings.Contains(p.Message, "keep one of the two") && !strings.HasPrefix(p.Message, "env_file: ") {
			t.Error(p)
		}
	}
}

func TestNoFileShowsTheSmallest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "rookery.toml")} {
		_, err := Load(path, vars())
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%v is not fs.ErrNotExist", err)
		}
		for _, part := range []string{filepath.Join(dir, "rookery.toml"), "for the Fediverse is:\n\n" + Smallest(), "for Discord is:\n\n" + SmallestDiscord()} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in: %v", part, err)
			}
		}
	}
}

func TestTooLargeAFileIsRefused(t *testing.T) {
	t.Parallel()
	path := write(t, "rookery.toml", Smallest()+strings.Repeat("# filler\n", maxFile/9+1), "elelem.token", "x")
	if _, err := Load(path, vars()); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}

func TestLineEndsAndByteOrderMark(t *testing.T) {
	t.Parallel()
	crlf := "\ufeff" + strings.ReplaceAll(Smallest(), "\n", "\r\n")
	if _, err := Load(write(t, "rookery.toml", crlf, "elelem.token", "x"), vars()); err != nil {
		t.Error(err)
	}
	wrong := strings.Replace(crlf, "model =", "modle =", 1)
	wrong = strings.Replace(wrong, `token_file = "elelem.token"`, `token_env = "ELELEM_TOKEN"`, 1)
	_, err := parseText(wrong, vars("ELELEM_TOKEN", "x"))
	want := "rookery.toml:3: model is missing in [llm]: write model = \"llama3.2\"\n" +
		`rookery.toml:5: unknown key "modle" in [llm]: did you mean "model"?`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, "rookery.toml", Smallest(), "elelem.token", "hunter2"), vars())
	if err != nil {
		t.Fatal(err)
	}
	wrapped := struct{ inner any }{c.Accounts[0].Token}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%T"} {
		for _, val := range []any{c.Accounts[0].Token, c.Accounts, *c, wrapped, &c.Accounts[0]} {
			out.WriteString(sprintf(verb, val))
		}
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", c.Accounts[0].Token, "account", c.Accounts[0])
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", c.Accounts[0].Token, "account", c.Accounts[0])
	for _, leak := range []string{"hunter2", "68756e74657232", "104 117"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q is in %s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "[secret]") {
		t.Error("nothing says that there is a secret")
	}
}

func TestHostOfAModelOfOnesOwnIsNone(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{"https://api.llm.example/v1": "api.llm.example", "http://127.0.0.1:11434/v1": "",
		"http://192.168.1.5/v1": "", "http://box.local/v1": "", "http://ollama:11434/v1": "", "": ""} {
		if got := (LLM{BaseURL: url}).Host(); got != want {
			t.Errorf("%s: %q", url, got)
		}
		if got := (LLM{BaseURL: url, Processor: "Somebody"}).Host(); got != "Somebody" {
			t.Errorf("%s: %q", url, got)
		}
	}
}

// Whoever is about to fetch a token does not have it yet; all else is checked.
func TestLoadForLoginDoesNotNeedTheToken(t *testing.T) {
	t.Parallel()
	text := strings.Replace(Smallest(), `"elelem.token"`, `"secrets/elelem"`, 1)
	path := write(t, "rookery.toml", text)
	if _, err := Load(path, vars()); err == nil {
		t.Error("Load does without the token")
	}
	c, err := LoadForLogin(path, vars())
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(path), "secrets", "elelem"); c.Accounts[0].TokenFile != want {
		t.Errorf("the token shall be in %s, not %s", want, c.Accounts[0].TokenFile)
	}
	if _, err := LoadForLogin(write(t, "rookery.toml", text+"\nmax_age = 3"), vars()); err == nil {
		t.Error("a mistake passes")
	}
}

// What is there of the tokens is read, and what is wrong with them is for Load.
func TestLoadForLoginReadsTheTokensThatAreThere(t *testing.T) {
	t.Parallel()
	text := strings.Replace(shares, `token_env = "TOKEN"`, `token_file = "art.token"`, 1)
	for name, c := range map[string]struct{ discord, account, bot, art string }{
		"both":       {"QUJD.x.y", "secret\n", "QUJD.x.y", "secret"},
		"one":        {"QUJD.x.y", "", "QUJD.x.y", ""},
		"the other":  {"", "secret", "", "secret"},
		"no token":   {"nonsense", "two\nlines", "", ""},
		"none there": {},
	} {
		files := []string{"rookery.toml", text}
		if c.account != "" {
			files = append(files, "art.token", c.account)
		}
		env := vars()
		if c.discord != "" {
			env = vars("BOT", c.discord)
		}
		cfg, err := LoadForLogin(write(t, files...), env)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bot, art := cfg.Discord.Token.Reveal(), cfg.Accounts[0].Token.Reveal(); bot != c.bot || art != c.art {
			t.Errorf("%s: the tokens are %q and %q", name, bot, art)
		}
	}
}
