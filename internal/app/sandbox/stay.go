package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
)

// restartPause is waited before the bot is started again, so that one which
// cannot start does not spin.
const restartPause = time.Second

// staying is a world with all there is to try.
func staying() settings {
	return settings{pictures: boorusim.Pleasant(), discord: true, gallery: true}
}

// stay keeps the world up until ctx ends, prints every post, and starts the
// bot again when it dies.
func (o *options) stay(ctx context.Context, out io.Writer, w *world, bot *child) error {
	s := &stage{world: w, ctx: ctx, bot: bot, out: out, began: time.Now()}
	fmt.Fprintln(out, "Starting the bot …")
	if err := s.settle(); err != nil {
		var u *unmet
		if ctx.Err() != nil {
			return s.end()
		}
		if errors.As(err, &u) {
			return fmt.Errorf("the sandbox could not be started: expected that %s. Seen: %s", u.expected, u.seen)
		}
		return err
	}
	top := w.ben.Post("The station clock has been four minutes fast since Monday. I have started to live in the future.")
	win, err := openWindow(w, s.guild, answerTime)
	if err != nil {
		return errors.Join(err, s.end())
	}
	o.guide(out, w, bot, top.ID, win)

	shown := &locked{w: out}
	var wg sync.WaitGroup
	wg.Go(func() { watchPosts(ctx, shown, w) })
	wg.Go(func() { keepRunning(ctx, shown, bot) })
	wg.Wait()
	return errors.Join(win.close(), s.end())
}

// settle makes the server on Discord, starts the bot, and has Olga turn the
// gallery on.
func (s *stage) settle() error {
	s.found()
	s.hangForum()
	before := s.sessions()
	if err := s.startBot(); err != nil {
		return err
	}
	if err := s.connectedSince(before); err != nil {
		return err
	}
	if err := s.hear("the command /settings appears", func() bool { return slices.Contains(s.commands(), "settings") },
		func() string { return strings.Join(s.commands(), ", ") }); err != nil {
		return err
	}
	_, err := s.answerOf(s.discord.Slash(s.guild.olga, s.guild.general, "settings gallery", discordsim.Args{"enabled": true, "channels": s.guild.forum}))
	return err
}

// end stops the bot in order.
func (s *stage) end() error {
	if !s.bot.running() {
		return nil
	}
	fmt.Fprintln(s.out, "\nStopping the bot …")
	if err := s.bot.stop(stopLimit); err != nil {
		return fmt.Errorf("the bot did not end in order: %w", err)
	}
	fmt.Fprintln(s.out, "The bot has ended in order.")
	return nil
}

// guide prints what is there and what to try.
func (o *options) guide(out io.Writer, w *world, bot *child, thread string, win *window) {
	url, window := w.fedi.URL(), win.url
	fmt.Fprintf(out, `
The sandbox is up. Nothing in it leaves this machine.

  Server     %s   (%s, simulated as %s)
  Model      %s   (simulated; model "clockwork", key "%s")
  Board      %s   (simulated; it has pictures of balls, rain, clocks and the like)
  Bot        process %d, logged in as @%s
  Its log    %s
  Its folder %s
  Discord    %s   (a page: the forum #art as Ada sees it)

Members, with the access tokens that any client of the Mastodon API can use:

`, url, domain, o.profile, w.model.URL(), modelKey, w.board.URL(), bot.current().cmd.Process.Pid, w.elelem.Handle(), w.log(), w.dir, window)
	for _, a := range []*fedisim.Account{w.ada, w.cleo, w.ticker, w.elelem, w.rook} {
		note := ""
		if a.IsBot {
			note = "a bot"
		}
		switch a {
		case w.elelem:
			note = "the bot that runs here"
		case w.rook:
			note = "its other account, which shows the gallery"
		}
		fmt.Fprintf(out, "  %-8s @%-22s %-14s %s\n", a.Name, a.Handle(), a.Token, note)
	}
	fmt.Fprintf(out, "  %-8s @%-22s %-14s %s\n", w.ben.Name, w.ben.Handle(), "", "lives on another server, has no token here")
	header := `-H "Authorization: Bearer ` + w.ada.Token + `"`
	fmt.Fprintf(out, `
To try in another terminal: mention the bot as Ada, below a post of Ben's,

  curl %s --data-urlencode "status=@elelem are you late if only the clock says so?" -d in_reply_to_id=%s %s%s

read Ada's notifications (the reply is one of them), and read the thread:

  curl %s %s/api/v1/notifications

  curl %s %s%s/%s/context

Mention it with “gif” and a word or two, as “@elelem gif dancing”, and it answers with a picture.

Or share what Ada made: open %s in a browser, open a thread there, and press what the bot offers.
“Post publicly” posts it as @gallery, which you see below; “Delete”, or /delete_fedi, takes it back. What Ben presses
there does not count; Olga, who moderates, may delete. From a terminal, this opens a thread with a drawing:

  curl %s/thread -d title=Wheels -d "text=A wheel that I drew."

and this saves the emoji of that server, one of which moves, as packs for an instance:

  rookery gallery emoji --config %s --guild %s --out emoji --allow-loopback

You can also kill the bot at any time: it is started again, and no reply is lost or said twice.
Every post appears below. Ctrl-C ends the sandbox.

`, header, thread, url, postPath, header, url, header, url, postPath, thread, window, window, w.config(), win.guild.id)
}

// watchPosts prints each post when it appears.
func watchPosts(ctx context.Context, out io.Writer, w *world) {
	shown, who := 0, w.members()
	for {
		if err := w.fedi.WaitFor(ctx, func(s *fedisim.Server) bool { return len(s.Timeline()) > shown }); err != nil {
			return
		}
		for _, p := range w.fedi.Timeline()[shown:] {
			var b bytes.Buffer // whole, for others write to out too
			b.WriteString(time.Now().Format(time.TimeOnly) + "  ")
			printPost(&b, p, who, 0)
			_, _ = out.Write(b.Bytes())
			shown++
		}
	}
}

// keepRunning starts the bot again whenever it has ended by itself.
func keepRunning(ctx context.Context, out io.Writer, bot *child) {
	for {
		p := bot.current()
		select {
		case <-ctx.Done():
			return
		case <-p.done:
		}
		fmt.Fprintf(out, "The bot has ended by itself (%s). It is started again.\n", p.ending())
		t := time.NewTimer(restartPause)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		if err := bot.start(ctx); err != nil {
			fmt.Fprintf(out, "%v. Trying again.\n", err)
			continue
		}
		fmt.Fprintf(out, "The bot runs again, as process %d.\n", bot.current().cmd.Process.Pid)
	}
}

// locked lets several goroutines write.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
