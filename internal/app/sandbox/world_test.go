package sandbox

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
)

// The bot's configuration is an ordinary one, without a warning, and nobody
// else can read what it names.
func TestWorldConfig(t *testing.T) {
	t.Parallel()
	for _, story := range append(stories(), story{name: "none"}, story{name: "stays up", settings: staying()}, story{name: "gif, NSFW turned on", settings: showing(true)}) {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			w, err := newWorld(fedisim.Mastodon, t.TempDir(), story.settings)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = w.close() })
			c, err := config.Load(w.config(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range c.Warnings {
				t.Errorf("warning: %v", p)
			}
			if c.Accounts[0].Token.Reveal() != w.elelem.Token || c.Accounts[0].Server != w.fedi.URL() || c.LLM.BaseURL != w.model.URL() {
				t.Errorf("the configuration leads elsewhere: %+v", c)
			}
			if filepath.Dir(c.DataDir) != w.dir || filepath.Dir(w.database()) != c.DataDir {
				t.Errorf("the data is kept in %s", c.DataDir)
			}
			files, err := os.ReadDir(w.dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if st, err := f.Info(); err != nil || os.PathSeparator == '/' && st.Mode().Perm()&0o077 != 0 {
					t.Errorf("%s can be read by others: %v %v", f.Name(), st.Mode(), err)
				}
			}
		})
	}
}

// What a story sets stands in the section where it belongs.
func TestWorldSettings(t *testing.T) {
	t.Parallel()
	set := settings{llm: []string{"retries = 0"}, persona: []string{"parallel = 3"},
		budget: []string{"replies_per_member = 4", "tokens_per_day = 5"}, operator: []string{`fediverse = "@olga@social.example"`}}
	w, err := newWorld(fedisim.Mastodon, t.TempDir(), set)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	c, err := config.Load(w.config(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.LLM.Retries != 0 || c.Persona.Parallel != 3 || c.Budget.RepliesPerMember != 4 || c.Budget.TokensPerDay != 5 || c.Operator.Fediverse != "olga@social.example" {
		t.Errorf("%+v %+v %+v %+v", c.LLM, c.Persona, c.Budget, c.Operator)
	}
}

func TestOwl(t *testing.T) {
	t.Parallel()
	said := func(texts ...string) llmsim.Request {
		r := llmsim.Request{Messages: []llmsim.Message{{Role: "system", Text: character}}}
		for _, text := range texts {
			r.Messages = append(r.Messages, llmsim.Message{Role: "user", Text: text})
		}
		return r
	}
	for _, c := range []struct {
		name  string
		asked llmsim.Request
		want  string
	}{
		{"a question", said("<post by=\"@ada@social.example\">\n@elelem do you ever sleep?\n</post>"), "Hoo. “do you ever sleep?” "},
		{"in a thread", said("<post by=\"@ben@other.example\">\nOne two three four five six seven.\n</post>",
			"<post by=\"@ada@social.example\">\n@elelem really?\n</post>"), "Hoo. Up there it says “One two three four five six…”, and you ask “really?” "},
		{"behind a warning", said("<post by=\"@ada@social.example\">\n(content warning: owls)\nHow many?\n</post>"), "Hoo. “How many?” "},
		{"nothing", said(), "Hoo. Nobody has asked me anything yet."},
	} {
		if got := owl(c.asked).Text; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s\nwant %s…", c.name, got, c.want)
		}
	}
}

// A bot that does not hear is killed, and the error says so.
func TestStopKillsWhoDoesNotHear(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := &child{program: thisProgram(t), args: []string{"run", l.Addr().String(), "--deaf"}, logFile: filepath.Join(t.TempDir(), "log")}
	if c.running() {
		t.Error("it runs before it was started")
	}
	if err := c.stop(time.Minute); err != nil {
		t.Errorf("stop before the start: %v", err)
	}
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept() // it is deaf by now
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if !c.running() {
		t.Error("it does not run")
	}
	err = c.stop(50 * time.Millisecond)
	if err == nil {
		t.Fatal("no error")
	}
	wantIn(t, err.Error(), "had not ended after 50ms and was killed")
	if c.running() {
		t.Error("it still runs")
	}
	if err := c.kill(); err != nil {
		t.Errorf("kill after the end: %v", err)
	}
	if got := c.lastWords(); got != "Its log is empty." {
		t.Errorf("last words: %s", got)
	}
}
