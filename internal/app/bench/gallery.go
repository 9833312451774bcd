package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/words"
)

// artWorld is a guild whose members share what they have made, an instance with
// the account that shows it, and where it is wanted a model that describes
// pictures.
type artWorld struct {
	*world
	sim     *discordsim.Server
	guild   string
	forum   string // whose threads are offered to be shared
	artists []string

	mu      sync.Mutex
	others  []span // what Discord and the model worked on
	acts    int    // requests to Discord and to the instance, but for those that only look whether there is something new
	refused [2]int // of those, how many had a rate limit for an answer: by Discord, by the instance
	edits   int    // of the bot's messages
}

// artSetup is what such worlds differ in.
type artSetup struct {
	artists   int
	limited   bool   // Discord and the instance, a Mastodon, hold the program to their rate limits
	described bool   // there is a model that describes pictures
	gifs      string // lines of that section, where ffmpeg is named
}

const artMay = discordsim.ViewChannel | discordsim.SendMessages | discordsim.SendMessagesInThreads |
	discordsim.EmbedLinks | discordsim.AttachFiles | discordsim.ReadMessageHistory

// newArtWorld starts the servers and writes the configuration. The guild has
// not turned its gallery on yet: running does. close it.
func newArtWorld(ctx context.Context, l *lab, s artSetup) (w *artWorld, err error) {
	w = &artWorld{world: &world{binary: l.binary}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = l.folder(); err != nil {
		return w, err
	}
	w.fedi = fedisim.New(fedisim.Options{KeepRequests: 2, Clock: w.hand.now, RateLimits: s.limited, Observe: w.sawInstance})
	if err := w.listen(ctx); err != nil {
		return w, err
	}
	w.bot = w.fedi.AddAccount("gallery", fedisim.Bot())
	w.sim, err = discordsim.New(discordsim.Options{Clock: w.hand.now, NoRateLimits: !s.limited, KeepRequests: 2, HeartbeatInterval: time.Hour, Observe: w.sawDiscord})
	if err != nil {
		return w, err
	}
	w.guild = w.sim.AddGuild("Owls")
	w.forum = w.sim.AddForum(w.guild, "art")
	for i := range s.artists {
		a := w.sim.AddUser(fmt.Sprintf("artist%d", i))
		w.sim.Join(w.guild, a)
		w.artists = append(w.artists, a)
	}
	w.sim.BotJoins(w.guild, artMay)
	w.variables = []string{discordTokenVariable + "=" + w.sim.Token()}
	vision := ""
	if s.described {
		if err := w.startModel(); err != nil {
			return w, err
		}
		vision = fmt.Sprintf("%s[gallery.vision]\nbase_url = %q\nmodel = \"sim-1\"\nprocessor = \"Sim (Moon)\"\n", unbounded, w.model.URL())
	}
	if s.gifs != "" {
		vision += "[gifs]\n" + s.gifs
	}
	return w, w.write(fmt.Sprintf(`data_dir = "data"
[log]
format = "json"
%s[discord]
token_env = %q
does = ["gallery"]
api = %q
cdn = %q
%s`, vision, discordTokenVariable, w.sim.URL(), w.sim.CDN(), w.account("gallery", setup{public: s.limited, poll: longPoll})))
}

// startModel starts the model, which notes when it worked.
func (w *artWorld) startModel() error {
	began := make(chan time.Time, 16) // one picture is shown after the other
	m := &model{Server: llmsim.New(llmsim.Options{Keep: 1, Answer: func(r llmsim.Request) llmsim.Answer {
		began <- time.Now()
		return llmsim.Witty(r)
	}, Observe: func(llmsim.Exchange) {
		select {
		case from := <-began:
			w.note(span{from, time.Now()})
		default: // it only said which models there are
		}
	}})}
	w.model = m
	return m.Start()
}

func (w *artWorld) note(s span) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.others = append(w.others, s)
}

// sawDiscord is told of each request before its answer leaves. A time that was
// moved is that of both its moments.
func (w *artWorld) sawDiscord(e discordsim.Exchange) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acts++
	w.others = append(w.others, span{now.Add(-w.hand.now().Sub(e.At)), now})
	if e.Status == http.StatusTooManyRequests {
		w.refused[0]++
	}
	if e.Method == http.MethodPatch && e.Route == "/channels/{channel_id}/messages/{message_id}" {
		w.edits++
	}
}

// sawInstance is told likewise.
func (w *artWorld) sawInstance(e fedisim.Exchange) {
	if e.Method == http.MethodGet && (strings.HasSuffix(e.Path, "/notifications") || strings.Contains(e.Path, "/instance")) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acts++
	if e.Status == http.StatusTooManyRequests {
		w.refused[1]++
	}
}

// worked are the times that Discord and the model have worked since the last
// call.
func (w *artWorld) worked() []span {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.others
	w.others = nil
	return all
}

// close ends the servers and removes the data.
func (w *artWorld) close() error {
	if w.sim != nil {
		w.sim.Close()
	}
	return w.world.close()
}

// until waits until something holds on Discord.
func (w *artWorld) until(ctx context.Context, p *process, what string, cond func(*discordsim.Server) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	held := make(chan struct{})
	var failed error
	go func() {
		defer close(held)
		failed = w.sim.WaitFor(ctx, cond)
	}()
	err := p.await(ctx, what, held, patience(0))
	cancel()
	<-held
	if err == nil {
		err = failed
	}
	return err
}

// running starts the program, and returns when the guild has turned its gallery
// on. Nobody is held up by what a guild allows: what is measured is the program.
func (w *artWorld) running(ctx context.Context, args ...string) (*process, error) {
	p, err := w.start(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	if err := w.turnOn(ctx, p); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

func (w *artWorld) turnOn(ctx context.Context, p *process) error {
	err := w.until(ctx, p, "the command /settings", func(s *discordsim.Server) bool {
		return slices.ContainsFunc(append(s.Commands(w.guild), s.Commands("")...), func(c discordsim.Command) bool { return c.Name == "settings" })
	})
	if err != nil {
		return err
	}
	in, err := w.sim.Slash(w.sim.Owner(w.guild), w.forum, "settings gallery",
		discordsim.Args{"enabled": true, "channels": w.forum, "per_day": 500, "per_hour": 1000})
	if _, err = w.answered(ctx, p, in, err); err != nil {
		return fmt.Errorf("turn the gallery on: %w", err)
	}
	return nil
}

// answered waits for the answer to what a member did.
func (w *artWorld) answered(ctx context.Context, p *process, in *discordsim.Interaction, err error) (o discordsim.Outcome, _ error) {
	if err != nil {
		return o, fmt.Errorf("act as a member: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	var failed error
	go func() {
		defer close(done)
		o, failed = in.WaitDone(ctx)
	}()
	err = p.await(ctx, "an answer on Discord", done, patience(0))
	cancel()
	<-done
	switch {
	case err != nil:
		return o, err
	case failed != nil:
		return o, failed
	case o.Failed:
		return o, fmt.Errorf("Discord says that the application did not respond:\n%s", p.log.tail())
	}
	return o, nil
}

// begin has a member begin a thread, and waits until the bot offers there to
// share it.
func (w *artWorld) begin(ctx context.Context, p *process, who, text string, files ...discordsim.File) (thread string, err error) {
	if thread, err = w.sim.StartPost(who, w.forum, "a thread", discordsim.Draft{Content: text, Files: files}); err != nil {
		return "", fmt.Errorf("begin a thread: %w", err)
	}
	return thread, w.until(ctx, p, "an offer", func(*discordsim.Server) bool { return w.button(thread, words.GalleryPost) != "" })
}

// message is the one message of the bot in a thread; false while there is none.
func (w *artWorld) message(thread string) (discordsim.Message, bool) {
	all := w.sim.ByBot(thread)
	if len(all) != 1 {
		return discordsim.Message{}, false
	}
	return all[0], true
}

// button is the id of a button of the bot's message in a thread, by what is
// written on it; empty if there is none.
func (w *artWorld) button(thread string, label words.Key) string {
	m, _ := w.message(thread)
	return buttonOf(m, words.English.Say(label, nil))
}

func buttonOf(m discordsim.Message, label string) (id string) {
	var look func(any)
	look = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				look(one)
			}
		case map[string]any:
			if v["label"] == label {
				id, _ = v["custom_id"].(string)
			}
			look(v["components"])
		}
	}
	look(m.Components)
	return id
}

// press presses a button of the bot's message in a thread.
func (w *artWorld) press(ctx context.Context, p *process, who, thread string, label words.Key) (discordsim.Outcome, error) {
	m, _ := w.message(thread)
	in, err := w.sim.PressButton(who, m.ID, w.button(thread, label))
	return w.answered(ctx, p, in, err)
}

// link is the address of the post that the bot's message in a thread names;
// empty before it is posted.
func (w *artWorld) link(thread string) string {
	m, ok := w.message(thread)
	before, after, _ := strings.Cut(words.English.Say(words.GalleryPosted, words.Args{"link": "\x00"}), "\x00")
	rest, found := strings.CutPrefix(m.Content, before)
	if !ok || !found {
		return ""
	}
	link, _, _ := strings.Cut(rest, after)
	return strings.Trim(link, "<>") // which keep Discord from showing a preview
}
