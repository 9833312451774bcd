package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/sim/discordsim"
)

const (
	discordTokenVariable  = "BENCH_DISCORD_TOKEN"
	discordOriginVariable = "BENCH_DISCORD_ORIGIN"
)

// guildWorld is a simulated Discord with guilds that the bot is in, and a folder
// with the program's configuration, which has no account elsewhere.
type guildWorld struct {
	dir    string
	binary string
	sim    *discordsim.Server
	model  *model
	guilds []string
	rooms  []string // channels, each guild's first one, then each one's second …
	people []string // who are in every guild
}

// newGuildWorld makes the guilds. close it.
func newGuildWorld(l *lab, guilds, members int) (w *guildWorld, err error) {
	w = &guildWorld{binary: l.binary}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = l.folder(); err != nil {
		return w, err
	}
	if w.sim, err = discordsim.New(discordsim.Options{NoRateLimits: true, KeepRequests: 2}); err != nil {
		return w, err
	}
	for i := range members {
		w.people = append(w.people, w.sim.AddUser(fmt.Sprintf("person%d", i)))
	}
	for i := range guilds {
		g := w.sim.AddGuild(fmt.Sprintf("Guild %d", i))
		w.guilds = append(w.guilds, g)
		for _, p := range w.people {
			w.sim.Join(g, p)
		}
	}
	for i := range discordRooms {
		for _, g := range w.guilds {
			w.rooms = append(w.rooms, w.sim.AddChannel(g, fmt.Sprintf("room-%d", i), discordsim.Text))
		}
	}
	for _, g := range w.guilds {
		w.sim.BotJoins(g)
	}
	w.model = newModel()
	if err := w.model.Start(); err != nil {
		return w, err
	}
	text := fmt.Sprintf(`data_dir = "data"
[log]
format = "json"
[llm]
base_url = %q
model = "sim-1"
[persona]
character = "Elelem, a witty twenty-year-old student of computer science. Dry, edgy, never rude."
[discord]
token_env = %q
api = %q
does = ["persona"]
`, w.model.URL(), discordTokenVariable, w.sim.URL())
	if err := os.WriteFile(w.config(), []byte(text), 0o600); err != nil {
		return w, fmt.Errorf("write the configuration: %w", err)
	}
	return w, nil
}

func (w *guildWorld) config() string { return filepath.Join(w.dir, config.FileName) }

// bot is a running bot, ours or the peer.
type bot struct {
	*process
	input io.WriteCloser
	said  *bytes.Buffer // to be read once it has ended
}

// start runs a peer, or the program if none is named, on one processor.
func (w *guildWorld) start(ctx context.Context, peer string) (*bot, error) {
	p := &process{log: &logReader{}, done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, w.binary, "run", "--config", w.config())
	if peer != "" {
		p.cmd = exec.CommandContext(ctx, peer)
	}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "TZ=UTC", discordTokenVariable+"="+w.sim.Token(), discordOriginVariable+"="+w.sim.CDN())
	p.cmd.Stderr = p.log
	said := &bytes.Buffer{}
	p.cmd.Stdout = said
	input, err := p.cmd.StdinPipe() // held open: a peer ends with it
	if err != nil {
		return nil, fmt.Errorf("start the bot: %w", err)
	}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the bot: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return &bot{p, input, said}, nil
}

// ready waits until the gateway has told the bot of every guild.
func (w *guildWorld) ready(ctx context.Context, p *bot) error {
	ctx, cancel := context.WithTimeout(ctx, patience(0))
	defer cancel()
	told := make(chan struct{})
	var err error
	go func() {
		defer close(told)
		err = w.sim.WaitReady(ctx)
	}()
	if e := p.await(ctx, "its guilds", told, patience(0)); e != nil {
		cancel()
		<-told
		return e
	}
	if err != nil {
		return fmt.Errorf("wait for the bot's session: %w\n%s", err, p.log.tail())
	}
	return nil
}

// offers tells whether a command is registered in every guild. One registered
// for all places may be for direct messages alone.
func (w *guildWorld) offers(name string) bool {
	named := func(c discordsim.Command) bool { return c.Name == name }
	return !slices.ContainsFunc(w.guilds, func(g string) bool { return !slices.ContainsFunc(w.sim.Commands(g), named) })
}

// talk has people say so many things, so many of them a second, in all
// channels in turn; none is said to the bot.
func (w *guildWorld) talk(ctx context.Context, n, rate int) error {
	began := time.Now()
	for i := range n {
		if d := time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))); d > 5*time.Millisecond {
			select {
			case <-time.After(d):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		text := fmt.Sprintf("I have been thinking about this all afternoon: why does every compiler error come in threes? %s", mark(i))
		if _, err := w.sim.Say(w.people[i%len(w.people)], w.rooms[i%len(w.rooms)], discordsim.Draft{Content: text}); err != nil {
			return fmt.Errorf("say something: %w", err)
		}
	}
	return nil
}

// settled waits until the bot has had next to nothing of the processors for a
// second, and returns all that it has had; 0 at once where the system does not
// tell.
func (b *bot) settled(ctx context.Context) (time.Duration, error) {
	deadline := time.Now().Add(patience(0))
	last := processorOf(b.cmd.Process.Pid)
	for quiet := 0; quiet < 4 && last > 0; {
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("the bot does not come to rest:\n%s", b.log.tail())
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-b.done:
			return 0, fmt.Errorf("the bot ended: %s\n%s", b.cmd.ProcessState, b.log.tail())
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		now := processorOf(b.cmd.Process.Pid)
		if quiet++; now-last > 20*time.Millisecond {
			quiet = 0
		}
		last = now
	}
	return last, nil
}

// megabytes is the bot's memory now; 0 where the system does not tell.
func (b *bot) megabytes() (float64, error) {
	now, _, err := memoryOf(b.cmd.Process.Pid)
	return float64(now) / 1e6, err
}

// close ends the servers and removes the data.
func (w *guildWorld) close() error {
	var errs []error
	if w.sim != nil {
		w.sim.Close()
	}
	if w.model != nil {
		errs = append(errs, w.model.Close())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}
