package doctor

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"rookery/internal/app/config"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

func TestAnAccountInTrouble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		profile fedisim.Profile
		do      func(*world)
		check   string
		level   Level
		want    string
	}{
		{"revoked token", fedisim.Mastodon, func(w *world) { w.fedi.Revoke(w.bot.Token) }, "token", Error, "rookery login elelem"},
		{"revoked token, Akkoma", fedisim.Akkoma, func(w *world) { w.fedi.Revoke(w.bot.Token) }, "token", Error, "rookery login elelem"},
		{"revoked token, snac", fedisim.Snac, func(w *world) { w.fedi.Revoke(w.bot.Token) }, "token", Error, "rookery login elelem"},
		{"swapped token", fedisim.Mastodon, func(w *world) {
			w.fedi.SwapToken(w.bot.Token, w.fedi.AddAccount("someone"))
		}, "token", Error, "belongs to @someone@mastodon.example, but this account was @elelem@mastodon.example"},
		{"not a bot", fedisim.Mastodon, func(w *world) { w.bot.Edit(func(a *fedisim.Account) { a.IsBot = false }) }, "bot", Warning, "not marked as a bot"},
		{"silent profile", fedisim.Mastodon, func(w *world) { w.bot.Edit(fedisim.Note("<p>An owl.</p>")) }, "profile", Warning, "who runs the bot"},
		{"other operator", fedisim.Mastodon, func(w *world) { w.bot.Edit(fedisim.Note("<p>An owl, asks @someone</p>")) }, "profile", Warning, "who runs the bot"},
		{"filtered private mentions", fedisim.Mastodon, func(w *world) { w.bot.SetPolicy("for_private_mentions", "filter") }, "policy", Warning, "private mentions"},
		{"dropped mentions", fedisim.Mastodon, func(w *world) { w.bot.SetPolicy("for_not_following", "drop") }, "policy", Warning, "never hears"},
		{"stream refused", fedisim.Mastodon, func(w *world) { w.fedi.RefuseStreams(1, 500) }, "streaming", Warning, "streaming_url"},
		{"unreadable policy", fedisim.Mastodon, func(w *world) {
			w.fedi.Inject(fedisim.Fail(500).On("GET", "/api/v2/notifications/policy").Always())
		}, "policy", Warning, "does not say which"},
		{"token unclear", fedisim.Mastodon, func(w *world) {
			w.fedi.Inject(fedisim.Fail(500).On("GET", "/api/v1/accounts/verify_credentials").Always())
		}, "token", Error, "does not say whose"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{Profile: c.profile}, llmsim.Options{})
			w.database(w.loggedIn)
			c.do(w)
			w.run().only(c.check, c.level, c.want)
		})
	}
}

// loggedIn notes whose the account is, as the bot does once it has logged in.
func (w *world) loggedIn(ctx context.Context, tx store.Tx) error {
	_, err := tx.Exec(ctx, `insert into fedi_account (name, server, account, handle, seen_at) values ('elelem', $1, $2, $3, 1)`,
		w.fedi.URL(), strings.TrimPrefix(w.fedi.URL(), "http://")+"/"+w.bot.ID, w.bot.Handle())
	return err
}

func TestKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.run()
	cfg, err := config.Load(w.File, w.Env)
	if err != nil {
		t.Fatal(err)
	}
	known := func(name, want string) {
		t.Helper()
		if got, err := Known(t.Context(), cfg, name); got != want || err != nil {
			t.Errorf("%s was %q, %v", name, got, err)
		}
	}
	known("elelem", "")
	w.database(w.loggedIn)
	known("elelem", "elelem@mastodon.example")
	known("other", "")
}

func TestMissingScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scopes   string
		audience string
		missing  []string
	}{
		{"read write", "followers", nil},
		{"read:accounts read:notifications read:statuses read:follows write:statuses write:notifications", "followers", nil},
		{"profile read:notifications read:statuses write:statuses write:notifications", "anyone", nil},
		{"read write:statuses", "anyone", []string{"write:notifications"}},
		{"read", "anyone", []string{"write:statuses", "write:notifications"}},
		{"read:accounts read:notifications read:statuses write", "followers", []string{"read:follows"}},
	} {
		t.Run(c.scopes, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{}, llmsim.Options{})
			w.database(nil)
			narrow := w.fedi.AddAccount("narrow", fedisim.Bot(), fedisim.AcceptStrangers(), fedisim.WithToken("narrow-1"),
				fedisim.WithScopes(strings.Fields(c.scopes)...), fedisim.Note("@"+operatorHandle))
			w.env["BOT_TOKEN"] = narrow.Token
			w.replace("[persona]", "[persona]\naudience = \""+c.audience+"\"")
			f := w.run()
			if c.missing == nil {
				f.only("scopes", OK, c.scopes)
				return
			}
			for _, m := range c.missing {
				level := Error
				if m == "write:notifications" {
					level = Warning
				}
				f.only("scopes", level, "lacks the scope "+m)
			}
			if got := f.of("scopes"); len(got) != len(c.missing) {
				t.Errorf("%v", got)
			}
		})
	}
	t.Run("the token cannot even say whose it is", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		w.env["BOT_TOKEN"] = w.fedi.AddAccount("blind", fedisim.WithScopes("write")).Token
		f := w.run()
		f.has("token", Error, "does not take")
		f.has("scopes", Error, "lacks the scope read:accounts; without it the account cannot even log in")
	})
}

func TestAServerThatIsNoInstance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*world)
		want string
	}{
		{"web page", func(w *world) { w.fedi.Inject(fedisim.WebPage(200).Always()) }, "web page"},
		{"error page", func(w *world) { w.fedi.Inject(fedisim.WebPage(502).Always()) }, "502"},
		{"not listening", func(w *world) { w.fedi.Close() }, "cannot be reached"},
		{"cut", func(w *world) { w.fedi.Inject(fedisim.Reset().Always()) }, "no answer"},
		{"foreign certificate", func(w *world) {
			w.Transport = rewriting(func(r *http.Request) (*http.Response, error) {
				if strings.Contains(r.URL.Path, "/chat/") {
					return http.DefaultTransport.RoundTrip(r)
				}
				return nil, errors.New("tls: failed to verify certificate")
			})
		}, "certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{}, llmsim.Options{})
			w.database(nil)
			c.do(w)
			f := w.run()
			f.only("server", Error, c.want)
			f.lacks("token") // it would fail for the same reason
			f.has("model", OK, "owl-1")
		})
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
}

func TestWhatAServerAsksOfBots(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Rules: []fedisim.Rule{
		{Text: "Be excellent to each other."}, {Text: "Both of you."}, {Text: "Bots must be marked and post unlisted."},
		{Text: "No AI-generated content."}, {Text: "Боты только с пометкой."}, {Text: "Работать сообща."}}}, llmsim.Options{})
	w.database(nil)
	f := w.run()
	var bots []string
	for _, l := range f.of("rules") {
		if strings.Contains(l.Text, "about bots") {
			bots = append(bots, l.Text[strings.LastIndex(l.Text, ": ")+2:])
		}
	}
	if got := strings.Join(bots, "|"); got != "Bots must be marked and post unlisted.|No AI-generated content.|Боты только с пометкой." || len(f.of("rules")) != 6 {
		t.Errorf("about bots: %s", got)
	}
}

func TestStreaming(t *testing.T) {
	t.Parallel()
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		w.replace("poll =", "streaming = \"off\"\npoll =")
		w.run().only("streaming", OK, "switched off")
		if w.fedi.StreamsOpened() > 0 {
			t.Error("it was opened")
		}
	})
	t.Run("opened and closed again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		w.run().only("streaming", OK, "opens")
		if err := w.fedi.WaitFor(t.Context(), func(s *fedisim.Server) bool { return s.OpenStreams() == 0 }); err != nil || w.fedi.StreamsOpened() != 1 {
			t.Errorf("%d were opened, %v", w.fedi.StreamsOpened(), err)
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{Profile: fedisim.Snac}, llmsim.Options{})
		w.database(nil)
		w.run().only("streaming", OK, "asked every 50ms")
	})
}

func TestTheOperatorsHandle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		finds func(context.Context, string) (bool, error)
		level Level
		want  string
	}{
		"nobody":  {func(context.Context, string) (bool, error) { return false, nil }, Warning, "Nobody has the handle"},
		"unclear": {func(context.Context, string) (bool, error) { return false, errors.New("no route to host") }, OK, "no route to host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{}, llmsim.Options{})
			w.database(nil)
			w.Finds = c.finds
			w.run().only("operator", c.level, c.want)
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		w.replace("fediverse = \"@"+operatorHandle+"\"", "")
		w.run().only("operator", Warning, "fediverse under [operator]")
	})
	t.Run("a handle without a host is nobody's", func(t *testing.T) {
		t.Parallel()
		if there, err := webFinger("test")(t.Context(), "keeper"); there || err != nil {
			t.Errorf("%t, %v", there, err)
		}
		if _, err := webFinger("test")(t.Context(), "keeper@127.0.0.1"); err == nil {
			t.Error("this machine was asked")
		}
	})
}
