// Package sandbox lets the real bot run, as a process of its own and on an
// ordinary configuration, in a small world on this machine: a simulated server
// of the Fediverse with a few members, and a simulated language model and,
// where pictures are asked for, a simulated image board. It needs no token and
// no network.
//
// Without a story the world stays up for a person and a client to try things
// in. A story is a list of steps that is played without anybody; it holds only
// if every one of its steps does.
//
// How the servers behave it leaves to the packages in sim, and what the bot
// does to the bot: nothing here reaches into that process. A story may read
// what the bot keeps, as an operator can.
package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/sim/websim"
	"rookery/internal/store"
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
	dir     string // of the bot's configuration, data and log
	fedi    *fedisim.Server
	model   *llmsim.Server
	mind    *mind              // how the model answers
	board   *boorusim.Server   // nil in a world without pictures
	discord *discordsim.Server // nil in a world without Discord
	web     *websim.Server     // what members link to; nil in a world without a gallery
	hand    *hand              // moves the time; nil where it is the machine's own

	elelem *fedisim.Account // the bot under test
	rook   *fedisim.Account // its other account, which shows the gallery; nil in a world without one
	ada    *fedisim.Account // a member of its server
	cleo   *fedisim.Account // another, who only reads
	ben    *fedisim.Account // a member of another server
	ticker *fedisim.Account // another bot

	guests []*fedisim.Account // who came during a story
}

// settings are what the bot's configuration holds besides what every sandbox
// needs: whole lines of these sections. With pictures there is an image board
// that has them, and the bot shows them; with moves the story can move the
// time; with discord there is a simulated Discord too, and with gallery the members
// there share their art, as another account.
type settings struct {
	llm, persona, budget, operator, gifs, account []string

	pictures []boorusim.Image
	moves    bool
	discord  bool
	gallery  bool
}

// newWorld starts the servers, invites the members and writes the bot's
// configuration into dir, which must exist. Close it at the end.
func newWorld(profile fedisim.Profile, dir string, set settings) (*world, error) {
	w := &world{dir: dir, mind: &mind{}}
	if err := w.start(profile, set); err != nil {
		_ = w.close()
		return nil, err
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
	if set.gallery {
		if err := w.hang(); err != nil {
			_ = w.close()
			return nil, err
		}
	}
	if err := w.writeConfig(set); err != nil {
		_ = w.close()
		return nil, err
	}
	return w, nil
}

// start starts the servers. What runs after an error is ended by close.
func (w *world) start(profile fedisim.Profile, set settings) error {
	o := fedisim.Options{Profile: profile, Domain: domain, KeepRequests: 20_000}
	if set.moves {
		var err error
		if w.hand, err = newHand(); err != nil {
			return err
		}
		o.Clock = w.hand.now
	}
	fedi := fedisim.New(o)
	if err := fedi.Start(); err != nil {
		return fmt.Errorf("start the simulated server: %w", err)
	}
	w.fedi = fedi
	model := llmsim.New(llmsim.Options{Key: modelKey, Models: []string{"clockwork"}, Answer: w.mind.answer})
	if err := model.Start(); err != nil {
		return fmt.Errorf("start the simulated model: %w", err)
	}
	w.model = model
	if set.discord {
		var err error
		if w.discord, err = discordsim.New(discordsim.Options{Clock: o.Clock, BotName: "elelem", KeepRequests: 20_000}); err != nil {
			return fmt.Errorf("start the simulated Discord: %w", err)
		}
	}
	if len(set.pictures) == 0 {
		return nil
	}
	board, err := boorusim.Start(boorusim.Config{Now: o.Clock})
	if err != nil {
		return fmt.Errorf("start the simulated image board: %w", err)
	}
	board.Add(set.pictures...)
	w.board = board
	return nil
}

func (w *world) close() error {
	w.mind.release() // a question that is held would keep the model's server from ending
	var errs []error
	if w.fedi != nil {
		w.fedi.Close()
	}
	if w.model != nil {
		errs = append(errs, w.model.Close())
	}
	if w.board != nil {
		errs = append(errs, w.board.Close())
	}
	if w.discord != nil {
		w.discord.Close()
	}
	if w.web != nil {
		w.web.Close()
	}
	if w.hand != nil {
		errs = append(errs, w.hand.close())
	}
	return errors.Join(errs...)
}

// flags are those of the bot that this world asks for.
func (w *world) flags() []string {
	var all []string
	if w.board != nil || w.discord != nil {
		all = append(all, "--allow-loopback")
	}
	if w.hand != nil {
		all = append(all, "--clock-url", w.hand.url)
	}
	return all
}

func (w *world) config() string { return filepath.Join(w.dir, "rookery.toml") }
func (w *world) log() string    { return filepath.Join(w.dir, "rookery.log") }

// database is where the bot keeps what it knows.
func (w *world) database() string { return filepath.Join(w.dir, "data", store.FileName) }

// guest is a member of the bot's server who takes part in a story, and joins
// when first asked for.
func (w *world) guest(username string, opts ...fedisim.AccountOption) *fedisim.Account {
	for _, a := range w.guests {
		if a.Username == username {
			return a
		}
	}
	name := strings.ToUpper(username[:1]) + username[1:]
	a := w.fedi.AddAccount(username, append([]fedisim.AccountOption{fedisim.Named(name), fedisim.WithToken(username + "-token")}, opts...)...)
	w.guests = append(w.guests, a)
	return a
}

// writeConfig writes the configuration that an operator would write, with
// waits that are short because server and bot share a machine.
func (w *world) writeConfig(set settings) error {
	lines := func(all []string) string { return strings.Join(append(all[:len(all):len(all)], "\n"), "\n") }
	section := func(name string, all []string) string {
		if len(all) == 0 {
			return ""
		}
		return "[" + name + "]\n" + lines(all)
	}
	does := `["persona"]`
	if w.board != nil {
		does = `["persona", "gifs"]`
	}
	text := "# The configuration that the sandbox runs the bot on.\n" +
		"data_dir = \"data\"\n\n" +
		"[llm]\n" +
		"base_url = " + strconv.Quote(w.model.URL()) + "\n" +
		"model = \"clockwork\"\n" +
		"api_key_file = \"model-key.txt\"\n" +
		"timeout = \"20s\"\n" + lines(set.llm) +
		"[persona]\n" +
		"character = " + strconv.Quote(character) + "\n" + lines(set.persona) +
		section("budget", set.budget) +
		section("operator", set.operator) +
		w.pictures(set) +
		w.application() +
		"[outbox]\n" +
		"settle_after_error = \"1s\"\n" +
		"settle_after_silence = \"3s\"\n" +
		"request_timeout = \"2s\"\n\n" +
		"[[account]]\n" +
		"name = \"elelem\"\n" +
		"server = " + strconv.Quote(w.fedi.URL()) + "\n" +
		"token_file = \"elelem-token.txt\"\n" +
		"does = " + does + "\n" +
		"poll = \"250ms\"\n" +
		"rate_limits = \"off\"\n" + lines(set.account) +
		w.galleryAccount()
	files := map[string]string{"rookery.toml": text, "model-key.txt": modelKey + "\n", "elelem-token.txt": w.elelem.Token + "\n"}
	if w.discord != nil {
		files[discordToken] = w.discord.Token() + "\n"
	}
	if w.rook != nil {
		files[galleryToken] = w.rook.Token + "\n"
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			return fmt.Errorf("write the bot's configuration: %w", err)
		}
	}
	return nil
}

// pictures are the sections about pictures. The board's own filter is one that
// hides nothing, so that what is not safe is the bot's own business.
func (w *world) pictures(set settings) string {
	if w.board == nil {
		return ""
	}
	lines := append([]string{"[gifs]"}, set.gifs...)
	lines = append(lines, "", "[[gifs.source]]", `kind = "philomena"`, "url = "+strconv.Quote(w.board.URL()),
		`filter_id = "2"`, `nsfw_filter_id = "2"`, "", "")
	return strings.Join(lines, "\n")
}

// discordToken is the file that holds the token of the application on Discord.
const discordToken = "discord-token.txt"

// application is the section about Discord.
func (w *world) application() string {
	if w.discord == nil {
		return ""
	}
	does := `"persona"`
	if w.board != nil {
		does += `, "gifs"`
	}
	if w.rook != nil {
		does += `, "gallery"`
	}
	return "[discord]\ntoken_file = " + strconv.Quote(discordToken) + "\ndoes = [" + does + "]\napi = " + strconv.Quote(w.discord.URL()) +
		"\ncdn = " + strconv.Quote(w.discord.CDN()) + "\n\n"
}

// members maps account ids to how the members are shown.
func (w *world) members() map[string]member {
	m := map[string]member{}
	all := append([]*fedisim.Account{w.elelem, w.ada, w.cleo, w.ben, w.ticker}, w.guests...)
	if w.rook != nil {
		all = append(all, w.rook)
	}
	for _, a := range all {
		m[a.ID] = member{name: a.Name, acct: a.Acct, bot: a.IsBot}
	}
	return m
}

// since lists what the bot has asked of its server since the log had the
// length mark.
func (w *world) since(mark int) []fedisim.Request {
	var its []fedisim.Request
	all := w.fedi.Requests()
	for _, r := range all[min(mark, len(all)):] {
		if r.Acct == w.elelem.Acct {
			its = append(its, r)
		}
	}
	return its
}

// looks counts the times the bot has read its newest notifications since mark.
// Further pages of one reading are not counted.
func (w *world) looks(mark int) int {
	n := 0
	for _, r := range w.since(mark) {
		if r.Method == "GET" && r.Path == "/api/v1/notifications" && r.Status == 200 && !strings.Contains(r.Query, "max_id=") {
			n++
		}
	}
	return n
}

// posts counts the times the bot has tried to post since mark.
func (w *world) posts(mark int) int {
	n := 0
	for _, r := range w.since(mark) {
		if r.Method == "POST" && r.Path == postPath {
			n++
		}
	}
	return n
}

// searches counts the times the bot read its own posts since mark, which it
// does to find out whether a reply of unknown fate is there.
func (w *world) searches(mark int) int {
	n := 0
	for _, r := range w.since(mark) {
		if r.Method == "GET" && r.Path == "/api/v1/accounts/"+w.elelem.ID+"/statuses" && r.Status == 200 {
			n++
		}
	}
	return n
}

// lookedThrough tells whether the bot has, since mark, looked everywhere for a
// reply to a post: among its own posts, and then in the thread.
func (w *world) lookedThrough(mark int, post string) bool {
	posts := false
	for _, r := range w.since(mark) {
		switch {
		case r.Method != "GET" || r.Status != 200:
		case r.Path == "/api/v1/accounts/"+w.elelem.ID+"/statuses":
			posts = true
		case posts && r.Path == postPath+"/"+post+"/context":
			return true
		}
	}
	return false
}

// mark is the present length of the request log.
func (w *world) mark() int { return len(w.fedi.Requests()) }

// dismisses tells whether the bot can tidy its notifications away there, which
// is how it shows that it is done with one.
func (w *world) dismisses() bool {
	return w.fedi.Profile() != fedisim.GoToSocial && w.fedi.Profile() != fedisim.Snac
}
