package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"rookery/internal/sim/boorusim"
)

// board is a simulated image board with a gate before it, for its documents as
// for its files: it notes when each request arrived and when its answer had
// gone.
type board struct {
	sim    *boorusim.Server
	url    string
	served chan struct{} // closed when nothing listens any more
	server *http.Server

	mu     sync.Mutex
	visits []visit
}

// visit is one request at the board.
type visit struct {
	span
	file string // the path of the file that was asked for; empty for a search
}

// span is the time from one moment to another.
type span struct{ from, to time.Time }

// filesPath begins the addresses of files: on real boards they are on another
// host.
const filesPath = "/files"

func newBoard(ctx context.Context, now func() time.Time, pictures []boorusim.Image) (b *board, err error) {
	sim, err := boorusim.Start(boorusim.Config{Now: now})
	if err != nil {
		return nil, err
	}
	sim.Add(pictures...)
	b = &board{sim: sim, served: make(chan struct{})}
	documents, err := url.Parse(sim.URL())
	files, err2 := url.Parse(sim.CDN())
	var c net.ListenConfig
	var l net.Listener
	if err = errors.Join(err, err2); err == nil {
		l, err = c.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the simulated board: %w", err), sim.Close())
	}
	b.url = "http://" + l.Addr().String()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			to := documents
			if path, ok := strings.CutPrefix(r.Out.URL.Path, filesPath+"/"); ok {
				to, r.Out.URL.Path, r.Out.URL.RawPath = files, "/"+path, ""
			}
			r.SetURL(to)
		},
		ModifyResponse: b.lead,
		FlushInterval:  -1,
	}
	b.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visit{span: span{from: time.Now()}}
		v.file, _ = strings.CutPrefix(r.URL.Path, filesPath)
		if v.file == r.URL.Path {
			v.file = ""
		}
		proxy.ServeHTTP(w, r)
		v.to = time.Now()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.visits = append(b.visits, v)
	})}
	go func() {
		defer close(b.served)
		_ = b.server.Serve(l) // ends with close
	}()
	return b, nil
}

// lead makes the addresses of files in a document lead through the gate too.
func (b *board) lead(resp *http.Response) error {
	if !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return nil
	}
	text, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte(b.sim.CDN()), []byte(b.url+filesPath))
	resp.Body = io.NopCloser(bytes.NewReader(text))
	resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
	return nil
}

// visited returns the requests whose answers have gone since the last call.
func (b *board) visited() []visit {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.visits
	b.visits = nil
	return v
}

// get reads a file that was asked for.
func (b *board) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.sim.CDN()+path, nil)
	if err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("read a picture: %s", resp.Status), err)
	}
	return data, nil
}

func (b *board) close() error {
	err := b.server.Close()
	<-b.served
	return errors.Join(err, b.sim.Close())
}

// configurePictures writes the configuration of a program that shows pictures.
func (w *world) configurePictures(s setup) error {
	return w.write(fmt.Sprintf(`data_dir = "data"
[log]
format = "json"
[gifs]
%s[[gifs.source]]
kind = "philomena"
url = %q
%s%s`, s.gifs, w.board.url, s.more, w.account("gifs", s)))
}

// shows are the arguments of a program whose pictures come from this machine.
func shows(args ...string) []string { return append(args, "--allow-loopback") }

// unlimited are the lines for a program that shows the same picture to anybody
// at once and again.
const unlimited = "cooldown = \"0s\"\nno_repeat = \"0s\"\nrate = 100.0\nburst = 100\n"

// wish is a request for a picture, and the mark that no other has.
func (w *world) wish(i int) (text, mark string) {
	mark = fmt.Sprintf("mark%06d", i)
	return "@" + w.bot.Handle() + " ball -" + mark, mark
}
