package login

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"rookery/internal/app/config"
	"rookery/internal/sim/fedisim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is an operator at a terminal, with a browser.
type desk struct {
	t    *testing.T
	fedi *fedisim.Server
	bot  *fedisim.Account
	dir  string
	out  bytes.Buffer
	Config
}

func newDesk(t *testing.T, profile fedisim.Profile, account string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), fedi: fedisim.New(fedisim.Options{Profile: profile})}
	if err := d.fedi.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.fedi.Close)
	d.bot = d.fedi.AddAccount("elelem", fedisim.Bot())
	file := filepath.Join(d.dir, "rookery.toml")
	d.write("rookery.toml", fmt.Sprintf("data_dir = \"data\"\nenv_file = \"rookery.env\"\n[llm]\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\n"+
		"[persona]\ncharacter = \"c\"\n[[account]]\nname = \"elelem\"\nserver = %q\n%s\ndoes = [\"persona\"]\n", d.fedi.URL(), account))
	d.write("rookery.env", "OTHER=1\n")
	cfg, err := config.LoadForLogin(file, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	d.Config = Config{Config: cfg, Account: "elelem", Out: &d.out, Version: "1", Env: func(string) (string, bool) { return "", false }}
	return d
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read(name string) string {
	d.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// names are the files that the desk has.
func (d *desk) names() string {
	d.t.Helper()
	var names []string
	err := filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(d.dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// run logs in; type is given the address that was shown, and returns what the
// operator types.
func (d *desk) run(ctx context.Context, typed func(address string) string) error {
	d.t.Helper()
	in, out := io.Pipe()
	shown, show := io.Pipe()
	d.In, d.Out = in, io.MultiWriter(&d.out, show)
	typing := make(chan struct{})
	go func() {
		defer close(typing)
		defer out.Close()
		r := bufio.NewReader(shown)
		for {
			line, err := r.ReadString('\n')
			if strings.Contains(line, "oauth/authorize") {
				go func() { _, _ = io.Copy(io.Discard, r) }() // it ends with the pipe
				_, _ = io.WriteString(out, typed(strings.TrimSpace(line)))
				return
			}
			if err != nil {
				return
			}
		}
	}()
	err := Run(ctx, d.Config)
	_ = in.Close()
	_ = show.Close()
	<-typing
	for token := range d.fedi.TokensOf(d.bot) {
		if strings.Contains(d.out.String(), token) || err != nil && strings.Contains(err.Error(), token) {
			d.t.Errorf("the token is shown:\n%s\n%v", d.out.String(), err)
		}
	}
	return err
}

// approve is what the operator does in the browser, as who.
func (d *desk) approve(who *fedisim.Account, address string) string {
	d.t.Helper()
	ask, err := fedisim.AuthorizationFrom(address)
	if err != nil {
		d.t.Error(err)
	}
	code, err := d.fedi.Approve(who, ask)
	if err != nil {
		d.t.Error(err)
	}
	return code
}

func (d *desk) asBot(address string) string { return d.approve(d.bot, address) + "\n" }

// isToken reports whether text is a token of who.
func (d *desk) isToken(who *fedisim.Account, text string) bool {
	_, ok := d.fedi.TokensOf(who)[text]
	return ok && text != who.Token
}

func (d *desk) private(name string) {
	d.t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	st, err := os.Stat(filepath.Join(d.dir, name))
	if err != nil || st.Mode().Perm()&0o077 != 0 {
		d.t.Errorf("%s: %v, %v", name, st.Mode(), err)
	}
}

const inFile = `token_file = "secrets/elelem.token"`

func TestTheTokenGoesIntoItsFile(t *testing.T) {
	t.Parallel()
	for _, p := range []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial, fedisim.Snac} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, p, inFile)
			if err := d.run(t.Context(), d.asBot); err != nil {
				t.Fatal(err)
			}
			if got := d.read("secrets/elelem.token"); !d.isToken(d.bot, strings.TrimSuffix(got, "\n")) {
				t.Errorf("the file holds %q", got)
			}
			d.private("secrets")
			d.private("secrets/elelem.token")
			if got := d.names(); got != "rookery.env rookery.toml secrets/elelem.token" {
				t.Errorf("the files are %s", got)
			}
			if !strings.Contains(d.out.String(), "@elelem@"+d.fedi.Domain()) {
				t.Errorf("whose it is was not said:\n%s", d.out.String())
			}
			if _, err := config.Load(d.Config.Config.File, d.Env); err != nil {
				t.Errorf("the configuration cannot use it: %v", err)
			}
		})
	}
}

func TestAnOldTokenIsKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t, fedisim.Mastodon, inFile)
	d.write("secrets/elelem.token", "before\n")
	d.write("secrets/elelem.token.old", "long before\n")
	if err := d.run(t.Context(), d.asBot); err != nil {
		t.Fatal(err)
	}
	if got := d.read("secrets/elelem.token.old"); got != "before\n" {
		t.Errorf("the old file holds %q", got)
	}
	d.private("secrets/elelem.token.old")
	if got := d.names(); got != "rookery.env rookery.toml secrets/elelem.token secrets/elelem.token.old" {
		t.Errorf("the files are %s", got)
	}
}

func TestTheTokenGoesIntoTheFileOfVariables(t *testing.T) {
	t.Parallel()
	d := newDesk(t, fedisim.Mastodon, `token_env = "ELELEM_TOKEN"`)
	d.write("rookery.env", "# mine\r\nexport  ELELEM_TOKEN = 'old'  # comment\nA=\"b c\"\r\nLAST=1")
	d.Env = func(name string) (string, bool) { return "elsewhere", name == "ELELEM_TOKEN" }
	if err := d.run(t.Context(), d.asBot); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^# mine\r\nexport  ELELEM_TOKEN=(\S+)\nA="b c"\r\nLAST=1$`).FindStringSubmatch(d.read("rookery.env"))
	if m == nil || !d.isToken(d.bot, m[1]) {
		t.Errorf("the file holds %q", d.read("rookery.env"))
	}
	d.private("rookery.env")
	if !strings.Contains(d.out.String(), "another ELELEM_TOKEN") {
		t.Errorf("that the environment goes first was not said:\n%s", d.out.String())
	}
	if got := d.names(); got != "rookery.env rookery.toml" {
		t.Errorf("the files are %s", got)
	}
}

func TestWhereNothingCanBeKeptNothingIsAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*desk)
		want   string
	}{
		{"no file is named", func(d *desk) { d.Config.Config.EnvFile = "" }, "add env_file"},
		{"another account", func(d *desk) { d.Account = "owl" }, `no account "owl"; it has elelem`},
		{"a folder", func(d *desk) { d.Config.Config.EnvFile = d.dir }, "is a folder"},
		{"no configuration", func(d *desk) { d.Config.Config = nil }, "--server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, fedisim.Mastodon, `token_env = "ELELEM_TOKEN"`)
			c.change(d)
			err := d.run(t.Context(), d.asBot)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %s", err, c.want)
			}
			if d.fedi.RequestCount() > 0 {
				t.Error("the server was asked")
			}
		})
	}
}

// Discord's token is not for logging in: whoever tries is told where it is from.
func TestDiscordNeedsNoLogin(t *testing.T) {
	t.Parallel()
	const portal = "Discord needs no login: its token comes from the developer portal (under Bot, Reset Token) and goes into "
	inFile := config.Discord{On: true, TokenFile: "/bot/discord.token"}
	for _, c := range []struct {
		name, account string
		cfg           config.Config
		want          string
	}{
		{"alone", "", config.Config{Discord: inFile}, portal + "the file that token_file in [discord] names, /bot/discord.token; see docs/discord.md"},
		{"in a variable", "", config.Config{Discord: config.Discord{On: true}}, portal + "the environment variable that token_env in [discord] names; see docs/discord.md"},
		{"by its name", "Discord", config.Config{Discord: inFile}, portal + "the file that token_file in [discord] names, /bot/discord.token; see docs/discord.md"},
		{"another name", "owl", config.Config{Discord: inFile}, `the configuration has no account "owl", nor any other. For a new one give its server: rookery login --server https://social.example. ` + portal},
		{"beside an account", "discord", config.Config{Discord: inFile, Accounts: []config.Account{{Name: "elelem"}}}, portal},
		{"not configured", "discord", config.Config{Accounts: []config.Account{{Name: "elelem"}}}, portal + "the file that token_file in [discord] names; see docs/discord.md"},
		{"of two accounts", "", config.Config{Discord: inFile, Accounts: []config.Account{{Name: "elelem"}, {Name: "owl"}}}, "say which account: one of elelem, owl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Run(t.Context(), Config{Config: &c.cfg, Account: c.account, Out: io.Discard})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAWrongCodeMayBeTypedAgain(t *testing.T) {
	t.Parallel()
	t.Run("and then right", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		if err := d.run(t.Context(), func(a string) string { return "nonsense\n\n" + d.asBot(a) }); err != nil {
			t.Error(err)
		}
		if !strings.Contains(d.out.String(), "2 tries are left") || !strings.Contains(d.out.String(), "1 try is left") {
			t.Errorf("it was said:\n%s", d.out.String())
		}
	})
	t.Run("but not for ever", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		err := d.run(t.Context(), func(a string) string { return "one\ntwo\nthree\n" + d.asBot(a) })
		if err == nil || !strings.Contains(err.Error(), "does not take the code") {
			t.Errorf("error %v", err)
		}
		if got := d.names(); got != "rookery.env rookery.toml" {
			t.Errorf("the files are %s", got)
		}
	})
	t.Run("and none at all is an error", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		if err := d.run(t.Context(), func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "no code came") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a line without an end will do", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		if err := d.run(t.Context(), func(a string) string { return strings.TrimSpace(d.asBot(a)) }); err != nil {
			t.Error(err)
		}
	})
}

func TestAnotherAccountThanBefore(t *testing.T) {
	t.Parallel()
	known := func(_ context.Context, name string) (string, error) {
		return "elelem@" + string(fedisim.Mastodon) + ".example", nil
	}
	for _, c := range []struct {
		name   string
		answer string
		kept   bool
	}{{"no", "n\n", false}, {"nothing", "", false}, {"yes", "y\n", true}, {"in Russian", "да\n", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, fedisim.Mastodon, inFile)
			d.write("secrets/elelem.token", "before\n")
			d.Known = known
			other := d.fedi.AddAccount("owl")
			err := d.run(t.Context(), func(a string) string { return d.approve(other, a) + "\n" + c.answer })
			if c.kept != (err == nil) || !c.kept && !errors.Is(err, ErrDeclined) {
				t.Fatalf("error %v", err)
			}
			if got := strings.TrimSpace(d.read("secrets/elelem.token")); c.kept != d.isToken(other, got) || !c.kept && got != "before" {
				t.Errorf("the file holds %q", got)
			}
			if !strings.Contains(d.out.String(), "until now") {
				t.Errorf("it was said:\n%s", d.out.String())
			}
		})
	}
	t.Run("the caller decides", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		d.Known = known
		d.Switch = func(was, is string) (bool, error) {
			return was == "elelem@mastodon.example" && is == "owl@mastodon.example", nil
		}
		other := d.fedi.AddAccount("owl")
		if err := d.run(t.Context(), func(a string) string { return d.approve(other, a) + "\n" }); err != nil {
			t.Error(err)
		}
	})
	t.Run("the same is not asked about", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		d.Known = known
		if err := d.run(t.Context(), d.asBot); err != nil {
			t.Error(err)
		}
	})
}

func TestAServerWithoutAnAccountYet(t *testing.T) {
	t.Parallel()
	d := newDesk(t, fedisim.Mastodon, inFile)
	d.Config.Config, d.Account, d.Server, d.Dir = nil, "", d.fedi.URL()+"/", filepath.Join(d.dir, "new")
	owl := d.fedi.AddAccount("Old_Owl")
	if err := d.run(t.Context(), func(a string) string { return d.approve(owl, a) + "\n" }); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(d.read("new/old_owl.token")); !d.isToken(owl, got) {
		t.Errorf("the file holds %q", got)
	}
	_, section, _ := strings.Cut(d.out.String(), "[[account]]")
	d.write("second.toml", "data_dir = \"data\"\n[llm]\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\n[persona]\ncharacter = \"c\"\n[[account]]"+section)
	c, err := config.Load(filepath.Join(d.dir, "second.toml"), d.Env)
	if err != nil {
		t.Fatalf("%v in\n%s", err, section)
	}
	if a := c.Accounts[0]; a.Name != "old_owl" || a.Server != d.fedi.URL() || !d.isToken(owl, a.Token.Reveal()) {
		t.Errorf("the section means %+v", a)
	}
}

func TestAServerInTrouble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault fedisim.Fault
		want  string
	}{
		{"no registration", fedisim.Fail(403).On("POST", "/api/v1/apps").Always(), "make a token in the account's own settings"},
		{"a web page", fedisim.WebPage(200).Always(), "give the address of the instance itself"},
		{"silent about whose it is", fedisim.Fail(500).On("GET", "/api/v1/accounts/verify_credentials").Always(), "run this again"},
		{"trouble with the code", fedisim.Fail(500).On("POST", "/oauth/token").Always(), "begin again later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, fedisim.Mastodon, inFile)
			d.fedi.Inject(c.fault)
			if err := d.run(t.Context(), d.asBot); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %s", err, c.want)
			}
			if got := d.names(); got != "rookery.env rookery.toml" {
				t.Errorf("the files are %s", got)
			}
		})
	}
}

func TestCtrlCLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	t.Run("while the code is awaited", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		ctx, cancel := context.WithCancel(t.Context())
		if err := d.run(ctx, func(string) string { cancel(); return "" }); !errors.Is(err, context.Canceled) && !strings.Contains(fmt.Sprint(err), "no code came") {
			t.Errorf("error %v", err)
		}
		if got := d.names(); got != "rookery.env rookery.toml" {
			t.Errorf("the files are %s", got)
		}
	})
	t.Run("while the server is asked", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, fedisim.Mastodon, inFile)
		d.write("secrets/elelem.token", "before\n")
		ctx, cancel := context.WithCancel(t.Context())
		d.fedi.Inject(fedisim.First(cancel).On("GET", "/api/v1/accounts/verify_credentials"))
		if err := d.run(ctx, d.asBot); err == nil {
			t.Error("no error")
		}
		if got := d.names(); got != "rookery.env rookery.toml secrets/elelem.token" || d.read("secrets/elelem.token") != "before\n" {
			t.Errorf("the files are %s", got)
		}
	})
}
