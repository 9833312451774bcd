package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"rookery/internal/sim/discordsim"
)

const (
	restingAim     = 40  // MB
	acknowledgeAim = 100 // ms

	discordGuilds  = 50
	discordMembers = 1_000
	discordRooms   = 4 // channels of each guild
	coldGuilds     = 500

	discordEvents  = 8_000
	discordRate    = 2_000 // messages a second that are told of, below what either client can take
	discordPresses = 300
)

// onDiscord measures the program on Discord, and beside it a bot over discordgo
// that does nothing: peers/discordgo, built here. Without the sources, or where
// the library cannot be fetched, the program is measured alone.
//
// Each runs on one processor (GOMAXPROCS=1) in a guild world of the simulator.
func onDiscord(ctx context.Context, l *lab) ([]row, error) {
	l.say("the program on Discord: %d guilds of %d members, %d messages", discordGuilds, discordMembers, discordEvents)
	own, err := heard(ctx, l, "")
	if err != nil {
		return nil, err
	}
	peer, err := discordgo(ctx, l)
	if err != nil {
		l.say("(no discordgo beside it: %v)", err)
	}
	var theirs listened
	if peer != "" {
		l.say("the same with discordgo")
		if theirs, err = heard(ctx, l, peer); err != nil {
			return nil, err
		}
	}
	var rows []row
	if own.rate > 0 {
		rows = append(rows, single("Discord: messages heard in a second of one processor", "events/s", own.rate))
		if theirs.rate > 0 {
			rows[0] = rows[0].judge(aim{AtLeast: theirs.rate})
			rows = append(rows, single("  by discordgo, which is the aim", "events/s", theirs.rate))
		}
	}
	if own.rest > 0 {
		what := fmt.Sprintf("Discord: memory at rest, %d guilds of %d members", discordGuilds, discordMembers)
		rows = append(rows, single(what, "MB", own.rest).judge(aim{Under: restingAim}), single("  after the messages", "MB", own.after))
		if theirs.rest > 0 {
			rows = append(rows, single("  discordgo's, at rest", "MB", theirs.rest), single("  discordgo's, after the messages", "MB", theirs.after))
		}
	}
	acks, err := pressed(ctx, l)
	if err != nil {
		return nil, err
	}
	rows = append(rows,
		single("Discord: /help to its acknowledgement while messages stream, p99", "ms", quantile(acks, 0.99)).judge(aim{Under: acknowledgeAim}),
		shares("  all of it", "ms", acks))
	var guilds []float64
	l.say("cold starts with %d guilds, %d times", coldGuilds, l.runs)
	for range l.runs {
		took, err := cold(ctx, l)
		if err != nil {
			return nil, err
		}
		guilds = append(guilds, took)
	}
	return append(rows, spread(fmt.Sprintf("Discord: cold start until told of %d guilds", coldGuilds), "ms", guilds)), nil
}

// discordgo builds the bot over that library.
func discordgo(ctx context.Context, l *lab) (string, error) {
	_, file, _, _ := runtime.Caller(0)
	dir, err := l.folder()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "discordgo")
	cmd := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(filepath.Dir(file), "peers", "discordgo"), "-trimpath", "-ldflags", "-s -w", "-o", out, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build it: %w\n%s", err, b)
	}
	return out, nil
}

// listened is what hearing messages took.
type listened struct {
	rate        float64 // events in a second of the processor's time; 0 where that is not told
	rest, after float64 // MB, before the messages and after
}

// heard has people say many things that do not concern the bot, slower than it
// can hear them, and asks the system what processor time that took: the rate at
// which one processor would be busy. Nothing depends on who else is at work on
// this machine then, and no queue runs over. program is the peer's; empty for
// ours.
func heard(ctx context.Context, l *lab, program string) (got listened, err error) {
	w, err := newGuildWorld(l, discordGuilds, discordMembers)
	if err != nil {
		return got, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	p, err := w.start(ctx, program)
	if err != nil {
		return got, err
	}
	defer p.kill()
	if err := w.ready(ctx, p); err != nil {
		return got, err
	}
	before, err := p.settled(ctx)
	if err != nil {
		return got, err
	}
	if got.rest, err = p.megabytes(); err != nil {
		return got, err
	}
	sessions := len(w.sim.Sessions())
	if err := w.talk(ctx, discordEvents, discordRate); err != nil {
		return got, err
	}
	if err := w.sim.WaitDelivered(ctx); err != nil {
		return got, fmt.Errorf("wait for the messages to be told of: %w", err)
	}
	after, err := p.settled(ctx)
	if err != nil {
		return got, err
	}
	if again := len(w.sim.Sessions()) - sessions; again > 0 {
		return got, fmt.Errorf("the client began %d new sessions while it heard messages:\n%s", again, p.log.tail())
	}
	if after > before {
		got.rate = discordEvents / (after - before).Seconds()
	}
	if got.after, err = p.megabytes(); err != nil || program == "" {
		return got, err
	}
	_ = p.input.Close() // the peer ends with it, and says how many it heard
	if err := p.await(ctx, "its end", p.done, patience(0)); err != nil {
		return got, err
	}
	if said := strings.TrimSpace(p.said.String()); said != strconv.Itoa(discordEvents) {
		return got, fmt.Errorf("the peer heard %q of %d messages", said, discordEvents)
	}
	return got, nil
}

// pressed has members press /help, one after the other, while messages stream,
// and returns after how many ms each was acknowledged.
func pressed(ctx context.Context, l *lab) (acks []float64, err error) {
	l.say("%d presses while %d messages a second stream", discordPresses, discordRate/4)
	w, err := newGuildWorld(l, discordGuilds, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	p, err := w.start(ctx, "")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	if err := w.ready(ctx, p); err != nil {
		return nil, err
	}
	registered, cancel := context.WithTimeout(ctx, patience(0))
	defer cancel()
	if err := w.sim.WaitFor(registered, func(s *discordsim.Server) bool { return w.offers("help") }); err != nil {
		return nil, fmt.Errorf("wait for /help to be registered: %w\n%s", err, p.log.tail())
	}
	stream, stop := context.WithCancel(ctx)
	talked := make(chan error, 1)
	go func() { talked <- w.talk(stream, discordEvents, discordRate/4) }()
	defer func() {
		stop()
		if e := <-talked; e != nil && !errors.Is(e, context.Canceled) {
			err = errors.Join(err, e)
		}
	}()
	for i := range discordPresses {
		in, err := w.sim.Slash(w.people[i%len(w.people)], w.rooms[i%len(w.rooms)], "help", nil)
		if err != nil {
			return nil, fmt.Errorf("press /help: %w", err)
		}
		out, err := in.Wait(ctx)
		if err != nil {
			return nil, fmt.Errorf("wait for the acknowledgement: %w", err)
		}
		if out.Failed || out.Type == 0 {
			return nil, fmt.Errorf("/help was not acknowledged:\n%s", p.log.tail())
		}
		acks = append(acks, ms(out.After))
	}
	return acks, nil
}

// cold starts the program with no data and returns after how many ms its
// session was there and the gateway had told it of every guild.
func cold(ctx context.Context, l *lab) (took float64, err error) {
	w, err := newGuildWorld(l, coldGuilds, 1)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	p, err := w.start(ctx, "")
	if err != nil {
		return 0, err
	}
	defer p.kill()
	if err := w.ready(ctx, p); err != nil {
		return 0, err
	}
	return ms(time.Since(p.began)), nil
}
