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
// it shows the gallery's forum, and what only that member sees.
type window struct {
	url    string
	world  *world
	guild  guild
	server *http.Server
	served chan struct{} // closed when the server has ended
	drawn  atomic.Int64  // pictures that were made because none was given
}

const (
	// mostUpload bounds what is sent to a window at once.
	mostUpload = 32 << 20
	// answerTime is how long a page waits for the bot's answer to a press.
	answerTime = 5 * time.Second
	// fileFields is how many files the form of a new thread has.
	fileFields = 4
)

// openWindow opens a window on a free port of this machine. Close it at the end.
func openWindow(w *world, g guild) (*window, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a window to the simulated Discord: %w", err)
	}
	win := &window{url: "http://" + l.Addr().String(), world: w, guild: g, served: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", win.show)
	for path, do := range map[string]func(who string, r *http.Request) error{
		"/thread": win.thread, "/press": win.press, "/form": win.form, "/delete": win.deletePost,
	} {
		mux.HandleFunc("POST "+path, win.doing(do))
	}
	// Pages of the web are kept from pressing anything here.
	win.server = &http.Server{Handler: http.NewCrossOriginProtection().Handler(mux), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(win.served)
		_ = win.server.Serve(l) // ends with close
	}()
	return win, nil
}

func (win *window) close() error {
	err := win.server.Close()
	<-win.served
	return err
}

// viewer is who looks through the window: who the request names, else Ada.
func (win *window) viewer(r *http.Request) (id, name string) {
	switch name := r.FormValue("as"); name {
	case "ben":
		return win.guild.ben, name
	case "olga":
		return win.guild.olga, name
	}
	return win.guild.ada, "ada"
}

// doing is a handler that does something as the viewer and shows the page anew.
func (win *window) doing(do func(who string, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, mostUpload)
		if err := r.ParseMultipartForm(mostUpload); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			http.Error(w, "This could not be read: "+err.Error(), http.StatusBadRequest)
			return
		}
		who, name := win.viewer(r)
		if err := do(who, r); err != nil {
			http.Error(w, "That is not possible: "+err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/?as="+url.QueryEscape(name), http.StatusSeeOther)
	}
}

// thread opens a thread with the files of the request, or a drawing if it has
// none.
func (win *window) thread(who string, r *http.Request) error {
	d := discordsim.Draft{Content: r.FormValue("text")}
	for n := range fileFields {
		field := fmt.Sprint("file", n+1)
		f, head, err := r.FormFile(field)
		if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
			continue
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil {
			return err
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
	_, err := win.world.discord.StartPost(who, win.guild.forum, title, d)
	return err
}

// press presses a button, or chooses in a menu.
func (win *window) press(who string, r *http.Request) error {
	if r.FormValue("menu") != "" {
		return win.answered(r)(win.world.discord.Select(who, r.FormValue("message"), r.FormValue("id"), r.Form["value"]...))
	}
	return win.answered(r)(win.world.discord.PressButton(who, r.FormValue("message"), r.FormValue("id")))
}

// form sends off the form that the viewer has open.
func (win *window) form(who string, r *http.Request) error {
	modal := win.world.discord.View(who).Modal
	if modal == nil {
		return errors.New("no form is open")
	}
	if r.FormValue("cancel") != "" {
		win.world.discord.CloseModal(who)
		return nil
	}
	values := discordsim.Values{}
	for _, f := range modal.Fields {
		values[f.CustomID] = r.FormValue(f.CustomID)
	}
	return win.answered(r)(win.world.discord.SubmitModal(who, modal, values))
}

// deletePost gives /delete_fedi in a direct message to the bot.
func (win *window) deletePost(who string, r *http.Request) error {
	d := win.world.discord
	return win.answered(r)(d.Slash(who, d.DMChannel(who), "delete_fedi", discordsim.Args{"post": r.FormValue("post")}))
}

// answered waits for the bot's answer, so that the page shows it.
func (win *window) answered(r *http.Request) func(*discordsim.Interaction, error) error {
	return func(in *discordsim.Interaction, err error) error {
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		if _, err := in.WaitDone(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return nil // what takes longer comes by itself
	}
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
	_, _ = w.Write(b.Bytes()) // whoever has left misses nothing
}
