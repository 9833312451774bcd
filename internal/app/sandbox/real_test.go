package sandbox

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// play is a story that is played.
type play struct {
	temp  string // where it may leave nothing; empty: anywhere
	parts []string
	done  chan struct{} // closed when it is over; out and err are set then
	out   bytes.Buffer
	err   error
	asked bool // somebody has seen to what it says
}

// begin plays it, and sees to its end whether anybody asks for it or not.
func (p *play) begin(t *testing.T, gate chan struct{}, run func() error) *play {
	t.Helper()
	p.done = make(chan struct{})
	t.Cleanup(func() {
		if <-p.done; p.err != nil && !p.asked && p.temp == "" { // -run has left it out
			keptFolder(t, p.out.String())
		}
	})
	go func() {
		defer close(p.done)
		gate <- struct{}{}
		defer func() { <-gate }()
		p.err = run()
	}()
	return p
}

// playHere has the test play a story; the bot is a process of its own.
func playHere(t *testing.T, gate chan struct{}, program, story, profile string) *play {
	t.Helper()
	p := &play{parts: []string{"The story “" + story + "” held."}}
	return p.begin(t, gate, func() error {
		o := options{story: story, profile: profile, timeLimit: 3 * time.Minute, program: program, stories: stories()}
		return o.run(t.Context(), &p.out)
	})
}

// playAlone has the program play a story by itself, as a newcomer does.
func playAlone(t *testing.T, gate chan struct{}, program, story string) *play {
	t.Helper()
	p := &play{temp: t.TempDir(), parts: append([]string{"The story “" + story + "” held."}, map[string][]string{
		"mention": {"11 of 11 steps held", "unlisted: everyone", "direct: only who is mentioned", "[content warning: clockwork, existential]"},
		"persona": {"15 of 15 steps held", "followers only", "(deleted)", "<post by=\"@someone\"> [not shared] </post>",
			"rookery pause: Paused since", "Elelem tells Olga: @olga@social.example"},
		"discord": {"16 of 16 steps held"},
		"gallery": {"19 of 19 steps held", "alt text “AI Generated Description: " + seen, "Only the person who made this can decide that.",
			"4 + 4 + 2", "It waits: the server of @", "An hour later the instance is there again.", "Deleted on " + domain},
		"gif": {"16 of 16 steps held", "[picture: GIF, 480 x 360, ", "alt text “Animated GIF: bouncing bob, ", "[content warning: NSFW]",
			`The board was asked for: safe, animated, gif, "safe", "or", "explicit"`, "A quarter of an hour later"},
	}[story]...)}
	return p.begin(t, gate, func() error {
		cmd := exec.CommandContext(t.Context(), program, "sandbox", "--story", story)
		cmd.Env = append(os.Environ(), "TMPDIR="+p.temp, "TMP="+p.temp)
		cmd.Stdout, cmd.Stderr = &p.out, &p.out
		cmd.Cancel = func() error { return askToEnd(cmd.Process) } // killed, it would leave its bot behind
		cmd.WaitDelay = stopLimit
		return cmd.Run()
	})
}

// The stories with the real program, as a process of its own.
func TestRealBot(t *testing.T) {
	t.Parallel()
	program := build(t)
	// They mostly wait, so some are played at once, however few processors there
	// are; but Discord waits three seconds for an answer, and no longer.
	gate := make(chan struct{}, 6)
	played := map[string]*play{}
	for _, story := range names(stories()) {
		for _, profile := range profiles() {
			if profile == string(fedisim.Mastodon) {
				played[story] = playAlone(t, gate, program, story)
			} else {
				played[story+" on "+profile] = playHere(t, gate, program, story, profile)
			}
		}
	}
	for name, p := range played {
		t.Run(name, func(t *testing.T) {
			<-p.done
			p.asked = true
			if p.err != nil {
				if p.temp == "" {
					keptFolder(t, p.out.String())
				}
				t.Fatalf("%v\n%s", p.err, &p.out)
			}
			wantIn(t, p.out.String(), p.parts...)
			if p.temp == "" {
				return
			}
			if left, err := os.ReadDir(p.temp); err != nil || len(left) > 0 {
				t.Errorf("it leaves behind: %v %v", left, err)
			}
		})
	}
	t.Run("keeps its folder", func(t *testing.T) {
		t.Parallel()
		out, err := tellStory(t, options{program: program, keep: true}, step{"It starts", starts})
		if err != nil {
			t.Fatal(err, out)
		}
		log, err := os.ReadFile(keptFolder(t, out) + "/rookery.log")
		if err != nil {
			t.Fatal(err)
		}
		wantIn(t, string(log), "ready", "stopped")
	})
	t.Run("a second reply is found", func(t *testing.T) { t.Parallel(); testSecondReply(t, program) })
	t.Run("a bot that answers everything is found out", func(t *testing.T) { t.Parallel(); testChatterbox(t, program) })
	t.Run("what Olga should not be told is found", func(t *testing.T) { t.Parallel(); testOlga(t, program) })
	t.Run("what a picture lacks is found", func(t *testing.T) { t.Parallel(); testPoorPictures(t, program) })
	t.Run("an unsafe picture is found", func(t *testing.T) { t.Parallel(); testUnsafePicture(t, program) })
	t.Run("a killed bot is missed", func(t *testing.T) { t.Parallel(); testMissedBot(t, program) })
	t.Run("stays up", func(t *testing.T) { t.Parallel(); testStay(t, program) })
}

// testSecondReply: a story sees what it is there to see.
func testSecondReply(t *testing.T, program string) {
	out, err := tellStory(t, options{program: program}, step{"It starts", starts}, step{"Ada asks", func(s *stage) error {
		ask := s.post(s.ada, "Ada's question", 1, "@elelem once?")
		if _, err := s.answered(ask); err != nil {
			return err
		}
		second := s.elelem.Post("@ada @ben@other.example twice!", fedisim.ReplyTo(ask.post.ID))
		s.checkOne(ask, second, "unlisted")
		return nil
	}})
	if err == nil {
		t.Fatal("two replies, and the story holds:\n" + out)
	}
	wantIn(t, err.Error(), "2 (Ada asks)", "4 (Counted at the end")
	wantIn(t, out, "expected: exactly one reply\n", "seen:     2 replies\n", "expected: the reply is unlisted\n", "seen:     it is public\n",
		"expected: the reply mentions only @ada\n", "expected: 1 reply to: Ada's question\n", "  1        2         Ada's question\n")
	keptFolder(t, out)
}

// testMissedBot: a story does not wait for a bot that is gone.
func testMissedBot(t *testing.T, program string) {
	out, err := tellStory(t, options{program: program}, step{"It starts", starts}, step{"Nobody is there", func(s *stage) error {
		if err := s.bot.kill(); err != nil {
			return err
		}
		_, err := s.answered(s.post(s.ada, "Ada's question", 1, "@elelem hello?"))
		return err
	}})
	if err == nil {
		t.Fatal("no bot, and the story holds:\n" + out)
	}
	wantIn(t, out, "seen:     the bot ended by itself", "The end of its log:")
	keptFolder(t, out)
}

// testStay is what a newcomer does: read, post, look, kill, end.
func testStay(t *testing.T, program string) {
	o := options{profile: string(fedisim.Mastodon), timeLimit: time.Minute, program: program, stories: stories()}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := newScreen()
	ended := make(chan error, 1)
	go func() { ended <- o.run(ctx, out) }()
	out.await(t, `Ctrl-C ends the sandbox`)

	curl := regexp.MustCompile(`(?m)^  curl -H "Authorization: Bearer ([^"]+)"(?: --data-urlencode "status=([^"]+)" -d in_reply_to_id=(\S+))? (http://127\.0\.0\.1:\S+)$`)
	lines := curl.FindAllStringSubmatch(out.String(), -1)
	if len(lines) != 3 {
		t.Fatalf("%d lines for curl in:\n%s", len(lines), out)
	}
	ask := func(line []string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, line[4], nil)
		if line[2] != "" {
			form := url.Values{"status": {line[2]}, "in_reply_to_id": {line[3]}}
			req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, line[4], strings.NewReader(form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+line[1])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var body bytes.Buffer
		if _, err := body.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v %v %s", line[0], resp.Status, err, &body)
		}
		return body.String()
	}
	ask(lines[0])
	out.await(t, `Elelem \(@elelem\), a bot, in reply · unlisted`)
	wantIn(t, ask(lines[1]), `"type":"mention"`, `"username":"elelem"`)
	wantIn(t, ask(lines[2]), "are you late if only the clock says so?", "Hoo.")

	// Sharing, as it is told there.
	l := looker{t, out.await(t, `curl (http://127\.0\.0\.1:\d+)/thread`)}
	if status, page := l.send("/thread", url.Values{"title": {"Wheels"}, "text": {"A wheel that I drew."}, "description1": {"A wheel."}}); status != http.StatusOK {
		t.Fatalf("%d %s", status, page)
	}
	_, page := l.send("/press", l.button("ada", words.English.Say(words.GalleryPost, nil)))
	wantIn(t, page, "Only Ada sees this", "Your delete code is")
	out.await(t, `(?s)Gallery \(@gallery\), a bot · public.*A wheel that I drew\.`)
	_, page = l.send("/press", l.button("olga", words.English.Say(words.GalleryDelete, nil)))
	wantIn(t, page, "Only Olga sees this", ">"+words.English.Say(words.GallerySureYes, nil)+"</button>")

	pid, err := strconv.Atoi(out.await(t, `Bot +process (\d+)`))
	if err != nil {
		t.Fatal(err)
	}
	bot, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := bot.Kill(); err != nil {
		t.Fatal(err)
	}
	out.await(t, `The bot has ended by itself`)
	out.await(t, `The bot runs again, as process \d+`)
	ask(lines[0])
	out.await(t, `(?s)runs again.*Elelem \(@elelem\), a bot, in reply`)

	folder := out.await(t, `Its folder (\S+)`)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	wantIn(t, out.String(), "The bot has ended in order.")
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder %s is left: %v", folder, err)
	}
}
