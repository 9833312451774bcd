package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

// handoverWorld is a server on which giffer has answered ada.
type handoverWorld struct {
	t     *testing.T
	clk   *clock.Manual
	fedi  *fedisim.Server
	bot   *fedisim.Account
	ada   *fedisim.Account
	store *store.Store
	inbox *inbox.Inbox
	out   bytes.Buffer
	Takeover
	notes map[string]string // of posts, by their ids
	posts []string
}

func newHandover(t *testing.T, s *store.Store, o fedisim.Options) *handoverWorld {
	t.Helper()
	clk := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	o.Clock = clk.Now
	w := &handoverWorld{t: t, clk: clk, fedi: fedisim.New(o), store: s, inbox: inbox.New(s, clk, slog.New(slog.DiscardHandler)), notes: map[string]string{}}
	if err := w.fedi.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.fedi.Close)
	w.bot = w.fedi.AddAccount("giffer", fedisim.WithToken(aToken))
	w.ada = w.fedi.AddAccount("ada")
	w.Takeover = Takeover{UserAgent: "test", Inbox: w.inbox, Clock: clk, Out: &w.out}
	w.Account = w.configured(w.bot.Token)
	return w
}

// configured is the account as the configuration has it.
func (w *handoverWorld) configured(token string) config.Account {
	w.t.Helper()
	c, err := config.Load(writeFiles(w.t, map[string]string{"rookery.toml": "data_dir = 'data'\n[[account]]\nname = 'giffer'\nserver = '" + w.fedi.URL() +
		"'\ntoken_env = 'T'\ndoes = ['gifs']\nrate_limits = 'off'\n"}), func(string) (string, bool) { return token, true })
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Accounts[0]
}

func writeFiles(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	w := newGiffer(t)
	for name, text := range files {
		w.file(name, text)
	}
	return w.dir
}

// ask has ada ask for a picture.
func (w *handoverWorld) ask(n int) {
	for range n {
		w.clk.Advance(time.Minute)
		p := w.ada.Post("@giffer fluffy")
		w.posts = append(w.posts, p.ID)
		for _, note := range w.fedi.Notifications(w.bot.ID) {
			if note.PostID == p.ID {
				w.notes[p.ID] = note.ID
			}
		}
	}
}

// take takes a state over: the last notification seen, and the posts.
func (w *handoverWorld) take(last any, posts ...any) error {
	w.t.Helper()
	if posts == nil {
		posts = []any{}
	}
	text, err := json.Marshal(map[string]any{lastSeenKey: last, processedKey: posts})
	if err != nil {
		w.t.Fatal(err)
	}
	g, err := ReadGiffer(newGiffer(w.t).file("giffer_state.json", string(text)))
	if err != nil {
		w.t.Fatal(err)
	}
	w.out.Reset()
	err = g.TakeOver(w.t.Context(), w.Takeover)
	if shown := fmt.Sprint(w.out.String(), err); strings.Contains(shown, aToken) {
		w.t.Errorf("the token is shown: %s", shown)
	}
	return err
}

// says expects words in what was said.
func (w *handoverWorld) says(want ...string) {
	w.t.Helper()
	for _, text := range want {
		if !strings.Contains(w.out.String(), text) {
			w.t.Errorf("%q is not said:\n%s", text, w.out.String())
		}
	}
}

// place is where the account begins, and the rows that there are.
func (w *handoverWorld) place() (cursor string, rows int) {
	w.t.Helper()
	err := w.store.QueryRow(w.t.Context(), `select coalesce((select cursor_id from inbox_cursor), ''), (select count(*) from inbox_mention)`).Scan(&cursor, &rows)
	if err != nil {
		w.t.Fatal(err)
	}
	return cursor, rows
}

// texts are ids as Python wrote the older ones.
func texts(ids []string) (all []any) {
	for _, id := range ids {
		all = append(all, id)
	}
	return all
}

// numbers are ids as Python wrote the newer ones.
func numbers(ids []string) (all []any) {
	for _, id := range ids {
		all = append(all, json.Number(id))
	}
	return all
}

func eachHandover(t *testing.T, fn func(*handoverWorld)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { fn(newHandover(t, s, fedisim.Options{})) }, inbox.Migrations())
}

func TestGiffersWorkIsTakenOver(t *testing.T) {
	t.Parallel()
	eachHandover(t, func(w *handoverWorld) {
		w.ask(5)
		last := w.posts[3]
		if err := w.take(json.Number(w.notes[last]), numbers(w.posts[:4])...); err != nil {
			w.t.Fatal(err)
		}
		w.says("4 posts", "@giffer@mastodon.example", "Rookery begins where giffer has ended", "rookery run")
		if cursor, rows := w.place(); cursor != w.notes[last] || rows != 4 {
			w.t.Errorf("it begins at %s with %d rows", cursor, rows)
		}
		if err := w.take(w.notes[last], texts(w.posts[:4])...); err != nil {
			w.t.Fatal(err)
		}
		w.says("noted for @giffer@mastodon.example already")
		// The bot's own way of reading knows them, and takes in the fifth.
		if got := w.takenIn(); !slices.Equal(got, w.posts[4:]) {
			w.t.Errorf("taken in: %v of %v", got, w.posts)
		}
		if err := w.take(w.notes[w.posts[4]], texts(w.posts)...); err != nil {
			w.t.Fatal(err)
		}
		w.says("has taken in mentions of this account before", "1 post.")
		if cursor, _ := w.place(); cursor != w.notes[last] {
			w.t.Errorf("the place has moved to %s", cursor)
		}
	})
}

// wants takes everything.
type wants struct{}

func (wants) Name() string                                                        { return "gifs" }
func (wants) Wants(community.Mention) (bool, string)                              { return true, "" }
func (wants) Accept(context.Context, store.Tx, inbox.ID, community.Mention) error { return nil }
func (wants) Wake(context.Context, store.Tx, community.AccountID) error           { return nil }

// takenIn reads all notifications as the bot does, and returns the posts that
// a feature got.
func (w *handoverWorld) takenIn() (posts []string) {
	w.t.Helper()
	client, err := fedi.New(fedi.Options{Server: w.fedi.URL(), Token: w.bot.Token, UserAgent: "test", NoRateLimits: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	notes, err := client.Notifications(w.t.Context(), fedi.NotificationQuery{Limit: 80})
	if err != nil {
		w.t.Fatal(err)
	}
	a := inbox.Account{ID: fedi.AccountID(w.fedi.URL(), community.MemberID(w.bot.ID)), Features: []inbox.Feature{wants{}}}
	if _, err := w.inbox.Begin(w.t.Context(), a, w.clk.Now()); err != nil {
		w.t.Fatal(err)
	}
	for _, n := range slices.Backward(notes) {
		m, err := client.Converter().Mention(a.ID, n)
		if err != nil {
			w.t.Fatal(err)
		}
		if m.Post.URI == "" {
			w.t.Error("the server tells no uri, so that nothing is shown")
		}
		if _, err := w.inbox.Take(w.t.Context(), a, inbox.Page{Items: []inbox.Item{{Mention: m}}, Now: w.clk.Now()}); err != nil {
			w.t.Fatal(err)
		}
	}
	rows, err := w.store.Query(w.t.Context(), `select post_id from inbox_mention where state = 'waiting' order by notified_at`)
	posts, err = store.Collect(rows, err, func(r store.Row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		w.t.Fatal(err)
	}
	return posts
}

func TestWhereRookeryBegins(t *testing.T) {
	t.Parallel()
	eachHandover(t, func(w *handoverWorld) {
		w.ask(6)
		begins := func(what, want, says string) {
			w.t.Helper()
			if cursor, _ := w.place(); cursor != want {
				w.t.Errorf("%s: it begins at %s, not %s", what, cursor, want)
			}
			w.says(says)
		}
		if err := w.take(nil, numbers(w.posts[:2])...); err != nil {
			w.t.Fatal(err)
		}
		begins("no notification", "", "names no notification")
		// A post that is gone takes its notification along.
		gone := w.notes[w.posts[3]]
		w.ada.Delete(w.posts[3])
		if err := w.take(gone, numbers(w.posts[:4])...); err != nil {
			w.t.Fatal(err)
		}
		begins("one that is gone", w.notes[w.posts[2]], "after the one before it")
		// A state that is ahead of the server, as of one that was restored.
		if err := w.take("999999999999", numbers(w.posts)...); err != nil {
			w.t.Fatal(err)
		}
		begins("one from the future", w.notes[w.posts[5]], "after the one before it")
		if err := w.take("0", w.posts[1]); err != nil {
			w.t.Fatal(err)
		}
		if got := w.takenIn(); len(got) > 0 {
			w.t.Errorf("taken in: %v", got)
		}
	})
}

func TestTheLastOneSeenIsDealtWithThoughTheStateForgotIt(t *testing.T) {
	t.Parallel()
	eachHandover(t, func(w *handoverWorld) {
		w.ask(4)
		if err := w.take(w.notes[w.posts[2]]); err != nil {
			w.t.Fatal(err)
		}
		// What is older, and in no list, is before the start.
		if got := w.takenIn(); !slices.Equal(got, w.posts[3:]) {
			w.t.Errorf("taken in: %v of %v", got, w.posts)
		}
	})
}

func TestWhereNothingOlderIsLeft(t *testing.T) {
	t.Parallel()
	eachHandover(t, func(w *handoverWorld) {
		w.ask(3)
		first := w.notes[w.posts[0]]
		w.ada.Delete(w.posts[0])
		if err := w.take(first, texts(w.posts[:2])...); err != nil {
			w.t.Fatal(err)
		}
		w.says("begins with the oldest there is")
		if got := w.takenIn(); !slices.Equal(got, w.posts[2:]) {
			w.t.Errorf("taken in: %v of %v", got, w.posts)
		}
	})
}

func TestAStateThatIsNotTheAccounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		take func(*handoverWorld) error
		want string
		own  bool // the error is ErrNotOurs
	}{
		"of another account": {func(w *handoverWorld) error {
			w.fedi.AddAccount("other")
			p := w.ada.Post("@other fluffy")
			return w.take("999999", p.ID)
		}, "do not mention @giffer@mastodon.example", true},
		"of another server": {func(w *handoverWorld) error { return w.take("77", "123456", "01JABC") }, "knows none of what it names", true},
		"ids it cannot read": {func(w *handoverWorld) error {
			w.fedi.Inject(fedisim.Fail(422).On("GET", "/api/v1/notifications").Always())
			return w.take("not_a_number", w.posts[0])
		}, "cannot read its ids", true},
		"a token that is refused": {func(w *handoverWorld) error {
			w.fedi.Revoke(w.bot.Token)
			return w.take(w.notes[w.posts[0]], w.posts[0])
		}, "rookery login giffer", false},
		"a token of somebody else": {func(w *handoverWorld) error {
			w.Was = "someone@mastodon.example"
			return w.take(w.notes[w.posts[0]], w.posts[0])
		}, "but the account was @someone@mastodon.example", false},
		"a server in trouble": {func(w *handoverWorld) error {
			w.fedi.Inject(fedisim.Fail(503).On("GET", "/api/v1/statuses/").Always())
			return w.take("77", w.posts[0])
		}, "could not be asked", false},
		"no server": {func(w *handoverWorld) error {
			w.fedi.Close()
			return w.take(w.notes[w.posts[0]], w.posts[0])
		}, "check the address and the network", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newHandover(t, storetest.Open(t, storetest.Config(t, store.SQLite), inbox.Migrations()), fedisim.Options{})
			w.ask(1)
			err := c.take(w)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrNotOurs) != c.own {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
			if cursor, rows := w.place(); cursor != "" || rows != 0 || w.out.Len() > 0 {
				t.Errorf("something was taken over: %s, %d rows, said %s", cursor, rows, w.out.String())
			}
		})
	}
}

func TestTakeOverInRussianFromOtherServers(t *testing.T) {
	t.Parallel()
	for _, p := range []fedisim.Profile{fedisim.Akkoma, fedisim.GoToSocial, fedisim.Snac, fedisim.Sharkey} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			w := newHandover(t, storetest.Open(t, storetest.Config(t, store.SQLite), inbox.Migrations()), fedisim.Options{Profile: p})
			w.Language = words.Russian
			w.ask(4)
			if err := w.take(w.notes[w.posts[1]], texts(w.posts[:2])...); err != nil {
				t.Fatal(err)
			}
			w.says("2 поста")
			if got := w.takenIn(); !slices.Equal(got, w.posts[2:]) {
				t.Errorf("taken in: %v of %v", got, w.posts)
			}
		})
	}
}
