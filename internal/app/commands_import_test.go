package app_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rookery/internal/app/apptest"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// TestImportGiffer plays how giffer is replaced, with the real program.
func TestImportGiffer(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "")
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		t.Run(string(d)+"/giffer is replaced", func(t *testing.T) {
			t.Parallel()
			replaceGiffer(t, world(t, binary, d))
		})
	}
	for name, test := range map[string]func(*testing.T, *apptest.World){
		"settings and state at once": gifferAtOnce,
		"a bot that runs":            gifferBesideRookery,
		"what is wrong":              gifferWrong,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, world(t, binary, store.SQLite))
		})
	}
}

// pictures has the account show pictures, and others too.
func pictures(t *testing.T, w *apptest.World, others ...string) {
	t.Helper()
	board, err := boorusim.Start(boorusim.Config{NoLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = board.Close() })
	board.Add(boorusim.Image{Rating: boorusim.Safe, Tags: []string{"animated", "gif", "fluffy"}})
	postgres := ""
	if w.Store.PostgresURL != "" {
		postgres = "[store]\npostgres_url_env = \"TEST_POSTGRES\"\n"
	}
	text := fmt.Sprintf("data_dir = \"data\"\n%s[log]\nlevel = \"debug\"\n[backup]\ndaily = false\n[gifs]\nffmpeg = \"off\"\nno_repeat = \"0s\"\ncooldown = \"0s\"\n[[gifs.source]]\nkind = \"philomena\"\nurl = %q\n",
		postgres, board.URL())
	account := func(name, token string) {
		text += fmt.Sprintf("[[account]]\nname = %q\nserver = %q\n%s\ndoes = [\"gifs\"]\npoll = \"50ms\"\nrate_limits = \"off\"\n", name, w.Fedi.URL(), token)
	}
	for _, name := range others {
		w.Write(name+".token", w.Fedi.AddAccount(name).Token)
		account(name, fmt.Sprintf("token_file = %q", name+".token"))
	}
	account("elelem", `token_env = "TEST_TOKEN"`)
	w.Write("rookery.toml", text)
}

// gifferState writes giffer's state: it has dealt with the posts, the last of
// which was told of last.
func gifferState(t *testing.T, w *apptest.World, posts ...fedisim.Post) string {
	t.Helper()
	state := map[string]any{}
	var ids []json.Number
	for _, p := range posts {
		ids = append(ids, json.Number(p.ID))
		for _, n := range w.Fedi.Notifications(w.Bot.ID) {
			if n.PostID == p.ID {
				state["last_seen_notif_id"] = json.Number(n.ID)
			}
		}
	}
	state["processed_status_ids"] = ids
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	w.Write("giffer_state.json", string(text))
	return filepath.Join(w.Dir, "giffer_state.json")
}

func replaceGiffer(t *testing.T, w *apptest.World) {
	pictures(t, w)
	ada := w.Fedi.AddAccount("ada")
	var old []fedisim.Post
	for range 4 { // nobody has answered them, so that only the state keeps the bot from it
		old = append(old, ada.Post("@elelem fluffy"))
	}
	state := gifferState(t, w, old...)
	between := ada.Post("@elelem fluffy") // while neither bot ran
	must(t, w, "import", "giffer", state).mustSay(t, "4 posts", "begins where giffer has ended")
	must(t, w, "import", "giffer", state).mustSay(t, "already")
	if n := len(w.Fedi.PostsBy(w.Bot.ID)); n != 0 {
		t.Errorf("the import has posted %d times", n)
	}
	p := w.Start([]string{"run", "--allow-loopback"})
	w.WaitFor("the reply to what came between", func(*fedisim.Server) bool { return w.Answered(between.ID) })
	// A first look in another order, by the newest pages, happens at each start.
	p.Stop()
	p = w.Start([]string{"run", "--allow-loopback"})
	news := ada.Post("@elelem fluffy")
	w.WaitFor("the reply to what is new", func(*fedisim.Server) bool { return w.Answered(news.ID) })
	if code, out := run(w, "import", "giffer", state); code != 1 {
		t.Errorf("beside a running bot: exit code %d", code)
	} else {
		out.mustSay(t, "stop that one first")
	}
	if code := p.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	must(t, w, "import", "giffer", gifferState(t, w, append(old, between, news)...)).mustSay(t, "has taken in mentions of this account before")
	must(t, w, "once", "--replies", "9")
	for _, q := range old {
		if n := len(w.Replies(q.ID)); n != 0 {
			t.Errorf("%d replies to what giffer has dealt with", n)
		}
	}
	for _, q := range []fedisim.Post{between, news} {
		if replies := w.Replies(q.ID); len(replies) != 1 || len(replies[0].Media) != 1 {
			t.Errorf("the replies are %+v", replies)
		}
	}
}

func gifferAtOnce(t *testing.T, w *apptest.World) {
	ada := w.Fedi.AddAccount("ada")
	old := ada.Post("@elelem fluffy")
	state := gifferState(t, w, old)
	if err := os.Remove(filepath.Join(w.Dir, "rookery.toml")); err != nil {
		t.Fatal(err)
	}
	w.Write("config.env", "MASTODON_BASE_URL="+w.Fedi.URL()+"\nMASTODON_ACCESS_TOKEN="+w.Bot.Token+"\nNSFW_FILTER_ID=2\n")
	out := must(t, w, "import", "giffer", state, filepath.Join(w.Dir, "config.env"))
	out.mustSay(t, "Taken over: MASTODON_ACCESS_TOKEN, MASTODON_BASE_URL, NSFW_FILTER_ID", "1 post.", "rookery run")
	if strings.Contains(string(out), w.Bot.Token) {
		t.Errorf("the token is shown:\n%s", out)
	}
	must(t, w, "config", "check")
	must(t, w, "import", "giffer", state).mustSay(t, "already")
	if code, out := run(w, "import", "giffer", filepath.Join(w.Dir, "config.env"), state); code != 1 {
		t.Errorf("a second time: exit code %d", code)
	} else {
		out.mustSay(t, "is not overwritten")
	}
	must(t, w, "once")
	if n := len(w.Replies(old.ID)); n != 0 {
		t.Errorf("%d replies to what giffer has dealt with", n)
	}
}

func gifferBesideRookery(t *testing.T, w *apptest.World) {
	pictures(t, w)
	state := gifferState(t, w, w.Fedi.AddAccount("ada").Post("@elelem fluffy"))
	p := started(w)
	if code, out := run(w, "import", "giffer", state); code != 1 {
		t.Errorf("exit code %d", code)
	} else {
		out.mustSay(t, "another rookery works on this data directory", "stop that one first")
	}
	p.Stop()
}

func gifferWrong(t *testing.T, w *apptest.World) {
	wrong := func(want string, args ...string) {
		t.Helper()
		code, out := run(w, append([]string{"import", "giffer"}, args...)...)
		if code != 1 {
			t.Errorf("%v: exit code %d", args, code)
		}
		out.mustSay(t, want)
	}
	state := gifferState(t, w, w.Fedi.AddAccount("ada").Post("@elelem fluffy"))
	wrong("arg(s)")
	wrong("giffer_state.jso", state+"x")
	wrong("no account in", state)
	wrong("does not show pictures", state, "--account", "elelem")
	pictures(t, w, "second")
	wrong("say with --account which account giffer had: one of second, elelem", state)
	wrong(`no account "third"`, state, "--account", "third")
	must(t, w, "import", "giffer", state, "--account", "elelem").mustSay(t, "1 post.")
	w.Fedi.Revoke(w.Bot.Token)
	wrong("run rookery login elelem", state, "--account", "elelem")
	w.Fedi.Close()
	wrong("could not be asked, so nothing was taken over", state, "--account", "elelem")
}
