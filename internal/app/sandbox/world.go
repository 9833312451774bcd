// Package sandbox lets the real bot run, as a process of its own and on an
// ordinary configuration, in a small world on this machine: a simulated server
// of the Fediverse with a few members, and a simulated language model. It
// needs no token and no network.
//
// Without a story the world stays up for a person and a client to try things
// in. A story is a list of steps that is played without anybody; it holds only
// if every one of its steps does.
//
// How the servers behave it leaves to the packages in sim, and what the bot
// does to the bot: nothing here reaches into that process.
package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
)

// domain is the server's name in handles and links. It is reserved for
// examples, so nothing here can lead to somebody's server.
const domain = "social.example"

// character is what the bot is told to be.
const character = "You are Elelem, a witty old clockwork owl. You answer in two sentences, kindly and to the point."

// modelKey is what the simulated model asks for.
const modelKey = "sandbox-model-key"

// world is everything around the bot.
type world struct {
	dir   string // of the bot's configuration, data and log
	fedi  *fedisim.Server
	model *llmsim.Server

	elelem *fedisim.Account // the bot under test
	ada    *fedisim.Account // a member of its server
	cleo   *fedisim.Account // another, who only reads
	ben    *fedisim.Account // a member of another server
	ticker *fedisim.Account // another bot
}

// newWorld starts the servers, invites the members and writes the bot's
// configuration into dir, which must exist. Close it at the end.
func newWorld(profile fedisim.Profile, dir string) (*world, error) {
	w := &world{dir: dir}
	w.fedi = fedisim.New(fedisim.Options{Profile: profile, Domain: domain, KeepRequests: 20_000})
	w.model = llmsim.New(llmsim.Options{Key: modelKey, Models: []string{"clockwork"}, Answer: owl})
	if err := w.fedi.Start(); err != nil {
		return nil, fmt.Errorf("start the simulated server: %w", err)
	}
	if err := w.model.Start(); err != nil {
		w.fedi.Close()
		return nil, fmt.Errorf("start the simulated model: %w", err)
	}
	w.elelem = w.fedi.AddAccount("elelem", fedisim.Named("Elelem"), fedisim.Bot(), fedisim.WithToken("elelem-token"))
	w.ada = w.fedi.AddAccount("ada", fedisim.Named("Ada"), fedisim.WithToken("ada-token"))
	w.cleo = w.fedi.AddAccount("cleo", fedisim.Named("Cleo"), fedisim.WithToken("cleo-token"))
	w.ticker = w.fedi.AddAccount("ticker", fedisim.Named("Ticker"), fedisim.Bot(), fedisim.WithToken("ticker-token"))
	w.ben = w.fedi.AddRemote("ben@other.example", fedisim.Named("Ben"))
	// Ada's client then shows the others in its home timeline.
	for _, other := range []*fedisim.Account{w.elelem, w.ben, w.cleo} {
		w.ada.Follow(other)
	}
	if err := w.writeConfig(); err != nil {
		_ = w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() error {
	w.fedi.Close()
	return w.model.Close()
}

func (w *world) config() string { return filepath.Join(w.dir, "rookery.toml") }
func (w *world) log() string    { return filepath.Join(w.dir, "rookery.log") }

// writeConfig writes the configuration that an operator would write, with
// waits that are short because server and bot share a machine.
func (w *world) writeConfig() error {
	text := "# The configuration that the sandbox runs the bot on.\n" +
		"data_dir = \"data\"\n\n" +
		"[llm]\n" +
		"base_url = " + strconv.Quote(w.model.URL()) + "\n" +
		"model = \"clockwork\"\n" +
		"api_key_file = \"model-key.txt\"\n" +
		"timeout = \"20s\"\n\n" +
		"[persona]\n" +
		"character = " + strconv.Quote(character) + "\n\n" +
		"[outbox]\n" +
		"settle_after_error = \"1s\"\n" +
		"settle_after_silence = \"3s\"\n" +
		"request_timeout = \"2s\"\n\n" +
		"[[account]]\n" +
		"name = \"elelem\"\n" +
		"server = " + strconv.Quote(w.fedi.URL()) + "\n" +
		"token_file = \"elelem-token.txt\"\n" +
		"does = [\"persona\"]\n" +
		"poll = \"250ms\"\n" +
		"rate_limits = \"off\"\n"
	for name, content := range map[string]string{
		"rookery.toml": text, "model-key.txt": modelKey + "\n", "elelem-token.txt": w.elelem.Token + "\n",
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			return fmt.Errorf("write the bot's configuration: %w", err)
		}
	}
	return nil
}

// members maps account ids to how the members are shown.
func (w *world) members() map[string]member {
	m := map[string]member{}
	for _, a := range []*fedisim.Account{w.elelem, w.ada, w.cleo, w.ben, w.ticker} {
		m[a.ID] = member{name: a.Name, acct: a.Acct, bot: a.IsBot}
	}
	return m
}

// requests lists what the bot has asked of its server since the log had the
// length mark; of one method and one path, "" meaning any, if answered well.
func (w *world) requests(mark int, method, path string) int {
	n := 0
	all := w.fedi.Requests()
	for _, r := range all[min(mark, len(all)):] {
		if r.Acct == w.elelem.Acct && r.Status == 200 && r.Method == method && r.Path == path {
			n++
		}
	}
	return n
}

// looks counts the times the bot read its notifications since mark.
func (w *world) looks(mark int) int { return w.requests(mark, "GET", "/api/v1/notifications") }

// searches counts the times the bot read its own posts since mark, which it
// does to find out whether a reply of unknown fate is there.
func (w *world) searches(mark int) int {
	return w.requests(mark, "GET", "/api/v1/accounts/"+w.elelem.ID+"/statuses")
}

// mark is the present length of the request log.
func (w *world) mark() int { return len(w.fedi.Requests()) }

// dismisses tells whether the bot can tidy its notifications away there, which
// is how it shows that it is done with one.
func (w *world) dismisses() bool {
	return w.fedi.Profile() != fedisim.GoToSocial && w.fedi.Profile() != fedisim.Snac
}
