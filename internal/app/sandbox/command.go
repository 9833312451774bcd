package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rookery/internal/sim/fedisim"
)

// options are what a person chose.
type options struct {
	profile   string
	story     string
	keep      bool
	timeLimit time.Duration
	program   string // the bot; empty: this very program
	version   string
	stories   []story
}

// Command is `rookery sandbox`.
func Command(version string) *cobra.Command {
	o := &options{version: version, stories: stories()}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Try the bot on this machine, with no token and no network",
		Long: "Runs the real bot on this machine against a simulated server of the Fediverse, a simulated\n" +
			"language model, a simulated image board and a simulated Discord. No account, no token and no\n" +
			"network is needed.\n\n" +
			"Without --story it stays up until Ctrl-C and prints what to try: any client of the Mastodon API\n" +
			"can use the addresses and tokens that it prints, and any browser the page where Ada shares a\n" +
			"picture from Discord.\n\n" +
			"With --story NAME it plays a story without anybody, prints what a reader would see, and ends with\n" +
			"exit status 0 only if every step of it held. The stories:\n" + storyList(o.stories),
		Example: "  rookery sandbox --story mention\n  rookery sandbox --story persona\n  rookery sandbox --story gif --keep\n  rookery sandbox --story discord\n  rookery sandbox --story gallery\n  rookery sandbox\n  rookery sandbox --profile gotosocial",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f := cmd.Flag("config"); f != nil && f.Changed {
				return errors.New("--config: the sandbox makes a configuration of its own; leave this flag out")
			}
			ctx, stop := withHangUp(cmd.Context())
			defer stop()
			return o.run(ctx, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.story, "story", "", "play this story and end: "+strings.Join(names(o.stories), ", "))
	f.StringVar(&o.profile, "profile", string(fedisim.Mastodon), "server software that is simulated: "+strings.Join(profiles(), ", "))
	f.BoolVar(&o.keep, "keep", false, "keep the folder with the bot's configuration, data, log and pictures (it is also kept when a step did not hold)")
	f.DurationVar(&o.timeLimit, "time-limit", 3*time.Minute, "longest time for a story")
	f.StringVar(&o.program, "program", "", "run this program as the bot")
	if err := f.MarkHidden("program"); err != nil {
		panic(err) // the flag is defined right above
	}
	return cmd
}

func names(all []story) []string {
	var n []string
	for _, s := range all {
		n = append(n, s.name)
	}
	return n
}

func storyList(all []story) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "  %-10s %s\n", s.name, s.summary)
	}
	return strings.TrimRight(b.String(), "\n")
}

func profiles() []string {
	var n []string
	for _, p := range fedisim.Profiles() {
		n = append(n, string(p))
	}
	return n
}

// run makes the world and plays the story in it, or keeps it up.
func (o *options) run(ctx context.Context, out io.Writer) (err error) {
	if !slices.Contains(profiles(), o.profile) {
		return fmt.Errorf("--profile %s: this is not known; known are %s", o.profile, strings.Join(profiles(), ", "))
	}
	chosen := slices.IndexFunc(o.stories, func(s story) bool { return s.name == o.story })
	switch {
	case o.story != "" && chosen < 0:
		return fmt.Errorf("--story %s: there is no such story. There are:\n%s", o.story, storyList(o.stories))
	case o.timeLimit <= 0:
		return fmt.Errorf("--time-limit %s: give a time above 0, like 3m", o.timeLimit)
	}
	program := o.program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "rookery-sandbox-")
	if err != nil {
		return fmt.Errorf("make a folder for the sandbox: %w", err)
	}
	set := staying()
	if chosen >= 0 {
		set = o.stories[chosen].settings
	}
	w, err := newWorld(fedisim.Profile(o.profile), dir, set)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	bot := &child{program: program, args: append([]string{"run", "--config", w.config()}, w.flags()...), logFile: w.log()}
	if chosen >= 0 {
		err = o.tell(ctx, out, w, bot, o.stories[chosen])
	} else {
		err = o.stay(ctx, out, w, bot)
	}
	saved := 0
	if err != nil || o.keep {
		n, saveErr := w.savePictures()
		saved, err = n, errors.Join(err, saveErr)
	}
	err = errors.Join(err, bot.kill(), w.close())
	if err != nil || o.keep {
		if saved > 0 {
			fmt.Fprintf(out, "\n%s that the bot has shown: %s\n", counted(saved, "picture", "pictures"), w.pictureDir())
		}
		fmt.Fprintf(out, "\nThe sandbox's folder is kept: %s\nThe bot's log: %s\n", dir, w.log())
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the sandbox's folder: %w", err)
	}
	return nil
}

// tell plays a story. Its error says that a step did not hold.
func (o *options) tell(ctx context.Context, out io.Writer, w *world, bot *child, t story) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeLimit, errTimeUp)
	defer cancel()
	for _, line := range t.intro {
		fmt.Fprintln(out, line)
	}
	server := "; the server is simulated as " + o.profile
	if w.discord != nil {
		server = ""
	}
	fmt.Fprintf(out, "\nRookery %s%s; the bot's log: %s\n", o.version, server, w.log())
	s := &stage{world: w, ctx: ctx, bot: bot, out: out, began: time.Now()}
	outcomes, all := s.play(t)
	took := time.Since(s.began)

	if posts := w.fedi.Timeline(); len(posts) > 0 {
		heading(out, "The timeline, thread by thread")
		printTimeline(out, posts, w.members())
	}
	if counts := s.counts(); len(counts) > 0 {
		heading(out, "Replies of the bot to each mention")
		printCounts(out, counts)
	}
	heading(out, "Steps")
	printOutcomes(out, outcomes)
	n := 0
	var which []string
	for i, o := range outcomes {
		switch o.state {
		case held:
			n++
		case broken:
			which = append(which, fmt.Sprintf("%d (%s)", i+1, o.title))
		}
	}
	fmt.Fprintf(out, "\n%d of %d steps held, in %.1f seconds.\n", n, len(outcomes), took.Seconds())
	switch {
	case all:
		fmt.Fprintf(out, "The story “%s” held.\n", t.name)
		return nil
	case len(which) == 0 || s.over() != "" && s.over() != errTimeUp.Error():
		return fmt.Errorf("the story “%s” did not come to its end: %s", t.name, s.over())
	case s.over() != "":
		return fmt.Errorf("the story “%s” did not hold: %s after %s; step %s", t.name, s.over(), o.timeLimit, strings.Join(which, ", "))
	}
	return fmt.Errorf("the story “%s” did not hold: step %s", t.name, strings.Join(which, ", "))
}

func heading(w io.Writer, text string) {
	fmt.Fprintf(w, "\n%s\n%s\n\n", text, strings.Repeat("-", len(text)))
}
