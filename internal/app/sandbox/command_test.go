package sandbox

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"rookery/internal/sim/fedisim"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"an unknown story lists the known ones", []string{"--story", "menton"}, []string{"menton", "no such story", "mention  ", "answers each of them once"}},
		{"an unknown profile lists the known ones", []string{"--profile", "twitter"}, []string{"twitter", "mastodon, akkoma, gotosocial, snac, sharkey"}},
		{"no time at all", []string{"--story", "mention", "--time-limit", "0s"}, []string{"--time-limit 0s", "above 0"}},
		{"an argument", []string{"mention"}, []string{"mention"}},
		{"a configuration", []string{"--config", "rookery.toml"}, []string{"--config", "of its own"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := &cobra.Command{Use: "rookery", SilenceErrors: true, SilenceUsage: true}
			root.PersistentFlags().StringP("config", "c", "", "")
			root.AddCommand(Command("test"))
			root.SetArgs(append([]string{"sandbox"}, c.args...))
			var out bytes.Buffer
			root.SetOut(&out)
			err := root.ExecuteContext(t.Context())
			if err == nil {
				t.Fatalf("no error; the output: %s", &out)
			}
			wantIn(t, err.Error(), c.want...)
			if out.Len() > 0 {
				t.Errorf("it did something first:\n%s", &out)
			}
		})
	}
}

func TestEveryStoryAndFlagIsDescribed(t *testing.T) {
	t.Parallel()
	cmd := Command("test")
	help := cmd.Long + cmd.Flags().FlagUsages()
	for _, s := range stories() {
		wantIn(t, help, s.name, s.summary)
		if len(s.intro) != 3 {
			t.Errorf("the story %s has %d lines of introduction, not 3", s.name, len(s.intro))
		}
	}
	wantIn(t, help, "--story", "--profile", "--keep", "--time-limit")
	if strings.Contains(help, "--program") {
		t.Error("--program is for tests and shows in the help")
	}
}

// With a program that is not there, or that ends at once, the sandbox says so
// and where to look.
func TestBotCannotStart(t *testing.T) {
	t.Parallel()
	nowhere := filepath.Join(t.TempDir(), "nobody")
	for _, c := range []struct {
		name, program, story string
		out, err             []string
	}{
		{"no program, in a story", nowhere, "mention",
			[]string{"✗ DID NOT HOLD", "expected: the bot starts\n", "the bot could not be started", "- not played", "0 of 11 steps held"},
			[]string{"the story “mention” did not hold: step 1 (The bot starts"}},
		{"ends at once, in a story", thisProgram(t), "mention",
			[]string{"✗ DID NOT HOLD", "the bot ended by itself, exit status 3", "the sky is too low to fly in"},
			[]string{"did not hold: step 1"}},
		{"no program, to stay up", nowhere, "", nil, []string{"could not be started"}},
		{"ends at once, to stay up", thisProgram(t), "", nil, []string{"could not be started", "exit status 3", "the sky is too low to fly in"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := Command("test")
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			args := []string{"--program", c.program}
			if c.story != "" {
				args = append(args, "--story", c.story)
			}
			cmd.SetArgs(args)
			var out bytes.Buffer
			cmd.SetOut(&out)
			err := cmd.ExecuteContext(t.Context())
			if err == nil {
				t.Fatalf("no error; the output:\n%s", &out)
			}
			wantIn(t, err.Error(), c.err...)
			wantIn(t, out.String(), append(c.out, "The bot's log: "+filepath.Join(keptFolder(t, out.String()), "rookery.log"))...)
		})
	}
}

// tellStory plays a story of the test's own, in the world of the only story of
// the options if there is one, and returns what it printed.
func tellStory(t *testing.T, o options, steps ...step) (string, error) {
	t.Helper()
	set := settings{}
	if len(o.stories) == 1 { // only its settings count
		set = o.stories[0].settings
	}
	o.stories = []story{{name: "test", intro: []string{"A story."}, steps: steps, settings: set}}
	o.story = "test"
	if o.profile == "" {
		o.profile = string(fedisim.Mastodon)
	}
	if o.timeLimit == 0 {
		o.timeLimit = 2 * time.Minute
	}
	var out bytes.Buffer
	err := o.run(t.Context(), &out)
	return out.String(), err
}

func never(s *stage) error {
	return s.wait("the cows come home", func() bool { return false }, func() string { return "no cows" })
}

func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	out, err := tellStory(t, options{timeLimit: 200 * time.Millisecond}, step{"Cows", never}, step{"More cows", never})
	if err == nil {
		t.Fatal("no error")
	}
	wantIn(t, err.Error(), "the story's time was up (--time-limit) after 200ms", "step 1 (Cows)")
	wantIn(t, out, "expected: the cows come home", "no cows", "not played           More cows", "0 of 4 steps held")
	keptFolder(t, out)
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	o := options{story: "test", profile: string(fedisim.Mastodon), timeLimit: time.Minute,
		stories: []story{{name: "test", steps: []step{{"Cows", func(s *stage) error { cancel(); return never(s) }}}}}}
	var out bytes.Buffer
	err := o.run(ctx, &out)
	if err == nil {
		t.Fatal("no error")
	}
	wantIn(t, err.Error(), "did not come to its end", "interrupted")
	keptFolder(t, out.String())
}

// A step that does not hold is told with what was expected and what was seen;
// the next is still played, unless the step could not go on.
func TestBrokenExpectations(t *testing.T) {
	t.Parallel()
	out, err := tellStory(t, options{},
		step{"A wrong sum", func(s *stage) error { s.check(1+1 == 3, "three", "two"); return nil }},
		step{"A right one", func(s *stage) error { s.check(1+1 == 2, "two", "two"); return nil }},
		step{"A failure", func(*stage) error { return errors.New("out of chalk") }},
		step{"Nothing more", func(*stage) error { panic("this must not be played") }})
	if err == nil {
		t.Fatal("no error")
	}
	wantIn(t, err.Error(), "step 1 (A wrong sum), 3 (A failure)")
	wantIn(t, out, "   1  ✗ DID NOT HOLD", "expected: three\n", "seen:     two\n", "   2  ✓ held", "seen:     out of chalk",
		"   4  - not played", "1 of 6 steps held")
	keptFolder(t, out)
}
