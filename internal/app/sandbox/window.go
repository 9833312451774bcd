package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"rookery/internal/sim/discordsim"
)

// window is a page through which a person sees the simulated Discord as one of
// its members does, and writes and presses there as they do. It is no client:
// it shows the gallery's forum, and what only that member sees. It has no
// scripts: what is new is where the address of the page leads.
type window struct {
	url      string
	world    *world
	guild    guild
	patience time.Duration // how long a page waits for the bot
	server   *http.Server
	served   chan struct{} // closed when the server has ended
	drawn    atomic.Int64  // pictures that were made because none was given
	looked   atomic.Int64  // pages that were shown
}

const (
	// mostUpload bounds what is sent to a window at once.
	mostUpload = 32 << 20
	// answerTime is how long a page waits for what the bot says to a new thread or
	// to a press.
	answerTime = 5 * time.Second
	// quiet is how long the bot must have changed nothing, after it has answered,
	// for the page to be shown.
	quiet = 400 * time.Millisecond
	// fileFields is how many files the form of a new thread has.
	fileFields = 4
)

// openWindow opens a window on a free port of this machine, whose pages wait for
// the bot that long. Close it at the end.
func openWindow(w *world, g guild, patience time.Duration) (*window, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a window to the simulated Discord: %w", err)
	}
	win := &window{url: "http://" + l.Addr().String(), world: w, guild: g, patience: patience, served: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", win.show)
	for path, do := range map[string]func(who string, r *http.Request) (landing, error){
		"/thread": win.thread, "/press": win.press, "/form": win.form, "/delete": win.deletePost,
	} {
		mux.HandleFunc("POST "+path, win.doing(do))
	}
	// Pages of the web are kept from pressing anything here, and from looking.
	win.server = &http.Server{Handler: onlyFor(l.Addr().String(), http.NewCrossOriginProtection().Handler(mux)), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(win.served)
		_ = win.server.Serve(l) // ends with close
	}()
	return win, nil
}

// onlyFor refuses what is not asked of address by that name. A page of the web
// whose host name leads to this machine (DNS rebinding) is of the same origin
// in the eyes of a browser, and would be let in.
func onlyFor(address string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != address {
			http.Error(w, "This page is at http://"+address+"/", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (win *window) close() error {
	err := win.server.Close()
	<-win.served
	return err
}

// viewer is who looks through the window: who the request names, else Ada.
func (win *window) viewer(r *http.Request) person {
	all := win.people()
	for _, p := range all {
		if p.Short == r.FormValue("as") {
			return p
		}
	}
	return all[0]
}

// landing is what the page shows first after something was done.
type landing struct {
	at         string // id of an element; "" for the top
	unanswered bool   // the bot has not responded in time
}

// address is that of the page, as somebody sees it.
func (l landing) address(p person) string {
	u := url.URL{Path: "/", Fragment: l.at}
	q := url.Values{"as": {p.Short}}
	if l.unanswered {
		q.Set("unanswered", "1")
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// doing is a handler that does something as the viewer and shows the page anew.
func (win *window) doing(do func(who string, r *http.Request) (landing, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, mostUpload)
		if err := r.ParseMultipartForm(mostUpload); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			http.Error(w, "This could not be read: "+err.Error(), http.StatusBadRequest)
			return
		}
		p := win.viewer(r)
		land, err := do(p.id, r)
		if err != nil {
			http.Error(w, "That is not possible: "+err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, land.address(p), http.StatusSeeOther)
	}
}

// thread opens a thread with the files of the request, or a drawing if it has
// none, and waits for what the bot says there.
func (win *window) thread(who string, r *http.Request) (landing, error) {
	d := discordsim.Draft{Content: r.FormValue("text")}
	for n := range fileFields {
		field := fmt.Sprint("file", n+1)
		f, head, err := r.FormFile(field)
		if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
			continue
		}
		if err != nil {
			return landing{}, err
		}
		data, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil {
			return landing{}, err
		}
		if len(data) > 0 {
			d.Files = append(d.Files, discordsim.File{Name: head.Filename, Data: data,
				Description: r.FormValue(fmt.Sprint("description", n+1)), Spoiler: r.FormValue(fmt.Sprint("spoiler", n+1)) != ""})
		}
	}
	if len(d.Files) == 0 {
		d.Files = []discordsim.File{described(drawing(int(win.drawn.Add(1)), "wheel.png"), r.FormValue("description1"))}
		d.Files[0].Spoiler = r.FormValue("spoiler1") != ""
	}
	title := strings.TrimSpace(r.FormValue("title"))
	if title == "" {
		title = "A wheel"
	}
	id, err := win.world.discord.StartPost(who, win.guild.forum, title, d)
	if err != nil {
		return landing{}, err
	}
	win.wait(r.Context(), win.patience, func() bool { return len(win.world.discord.ByBot(id)) > 0 })
	return landing{at: "t" + id}, nil
}

// press presses a button, or chooses in a menu.
func (win *window) press(who string, r *http.Request) (landing, error) {
	d := win.world.discord
	if r.FormValue("menu") != "" {
		return win.answered(r)(d.Select(who, r.FormValue("message"), r.FormValue("id"), r.Form["value"]...))
	}
	return win.answered(r)(d.PressButton(who, r.FormValue("message"), r.FormValue("id")))
}

// form sends off the form that the viewer has open.
func (win *window) form(who string, r *http.Request) (landing, error) {
	modal := win.world.discord.View(who).Modal
	if modal == nil {
		return landing{}, errors.New("no form is open")
	}
	if r.FormValue("cancel") != "" {
		win.world.discord.CloseModal(who)
		return landing{}, nil
	}
	values := discordsim.Values{}
	for _, f := range modal.Fields {
		values[f.CustomID] = r.FormValue(f.CustomID)
	}
	return win.answered(r)(win.world.discord.SubmitModal(who, modal, values))
}

// deletePost gives /delete_fedi in a direct message to the bot.
func (win *window) deletePost(who string, r *http.Request) (landing, error) {
	d := win.world.discord
	return win.answered(r)(d.Slash(who, d.DMChannel(who), "delete_fedi", discordsim.Args{"post": r.FormValue("post")}))
}

// answered waits for the bot's answer, and for what it changes where it was
// asked, so that the page shows both. What takes longer comes by itself.
func (win *window) answered(r *http.Request) func(*discordsim.Interaction, error) (landing, error) {
	return func(in *discordsim.Interaction, err error) (landing, error) {
		if err != nil {
			return landing{}, err
		}
		ctx, cancel := context.WithTimeout(r.Context(), win.patience)
		defer cancel()
		o, err := in.WaitDone(ctx)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return landing{}, err
		}
		channel, _ := in.Payload()["channel_id"].(string)
		win.settle(ctx, channel)
		switch {
		case o.Failed:
			return landing{at: "unanswered", unanswered: true}, nil
		case o.Modal != nil:
			return landing{at: "form"}, nil
		case len(o.Followups) > 0:
			return landing{at: "m" + o.Followups[len(o.Followups)-1].ID}, nil
		case o.Message != nil:
			return landing{at: "m" + o.Message.ID}, nil
		}
		return landing{at: "t" + channel}, nil
	}
}

// settle waits until the bot's messages in a channel stay as they are.
func (win *window) settle(ctx context.Context, channel string) {
	shown := func() string {
		var all strings.Builder
		for _, m := range win.world.discord.ByBot(channel) {
			fmt.Fprintln(&all, m.ID, m.Edited, m.Content)
		}
		return all.String()
	}
	for {
		was := shown()
		if !win.wait(ctx, quiet, func() bool { return shown() != was }) {
			return
		}
	}
}

// wait waits until something on Discord is so, and tells whether it came to be.
func (win *window) wait(ctx context.Context, most time.Duration, cond func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return win.world.discord.WaitFor(ctx, func(*discordsim.Server) bool { return cond() }) == nil
}

// show writes the page.
func (win *window) show(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if err := windowPage.Execute(&b, win.page(r)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// Members write what they like: should it ever become markup, it can do nothing.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src "+win.world.discord.CDN()+
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_, _ = w.Write(b.Bytes()) // whoever has left misses nothing
}
