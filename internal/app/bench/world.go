package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// world is an instance with our account, a model that answers at once, and a
// folder with the program's configuration and data.
type world struct {
	dir      string
	binary   string
	postgres *database // nil for SQLite

	fedi   *fedisim.Server
	gate   *gate
	url    string
	served chan struct{} // closed when nothing listens any more
	server *http.Server
	bot    *fedisim.Account
	people []*fedisim.Account
	hand   clockHand

	model *model
	board *board // nil where no pictures are asked for

	variables []string // of the program's environment, besides those that every world has
}

// setup is what worlds differ in.
type setup struct {
	poll     time.Duration // 0: as the program is shipped
	parallel int
	backlog  bool   // answer what is there at the first start
	cluster  string // a PostgreSQL to make a database in; empty: SQLite
	people   int    // who mention the bot; 0: 50
	// public is a server as there are on the Internet: it has limits, which
	// the program keeps to, and it streams.
	public bool
	prompt int    // its longest length, in characters; 0: as the program is shipped
	more   string // sections of the configuration; without, there is no budget
	// pictures are those of an image board; with any, the program shows
	// pictures and does nothing else. gifs are lines of that section.
	pictures []boorusim.Image
	gifs     string
}

// newWorld starts the servers and writes the configuration. close it.
func newWorld(ctx context.Context, l *lab, s setup) (w *world, err error) {
	w = &world{binary: l.binary}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = l.folder(); err != nil {
		return w, err
	}
	if s.cluster != "" {
		if w.postgres, err = newDatabase(ctx, s.cluster); err != nil {
			return w, err
		}
	}
	w.fedi = fedisim.New(fedisim.Options{KeepRequests: 2, Clock: w.hand.now, RateLimits: s.public})
	if err := w.listen(ctx); err != nil {
		return w, err
	}
	w.bot = w.fedi.AddAccount("elelem", fedisim.Bot(), fedisim.AcceptStrangers())
	if s.people == 0 {
		s.people = 50
	}
	for i := range s.people {
		w.people = append(w.people, w.fedi.AddRemote(fmt.Sprintf("person%d@elsewhere.example", i), fedisim.Named(fmt.Sprintf("Person %d", i))))
	}
	if len(s.pictures) > 0 {
		if w.board, err = newBoard(ctx, w.hand.now, s.pictures); err != nil {
			return w, err
		}
		return w, w.configurePictures(s)
	}
	w.model = newModel()
	if err := w.model.Start(); err != nil {
		return w, err
	}
	return w, w.configure(s)
}

// model is the simulated one, which notes when it was last at work.
type model struct {
	*llmsim.Server

	mu          sync.Mutex
	asked, said time.Time
}

func newModel() *model {
	m := &model{}
	m.Server = llmsim.New(llmsim.Options{Keep: 1, Answer: func(r llmsim.Request) llmsim.Answer {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.asked = time.Now()
		return llmsim.Witty(r)
	}, Observe: func(llmsim.Exchange) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.said = time.Now()
	}})
	return m
}

// times are when the model was last asked, and when it had its answer.
func (m *model) times() (asked, said time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked, m.said
}

// listen puts the gate before the simulated server.
func (w *world) listen(ctx context.Context) error {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start the simulated server: %w", err)
	}
	w.gate = &gate{next: w.fedi.Handler()}
	w.url = "http://" + l.Addr().String()
	w.served = make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle(clockPath, &w.hand)
	mux.Handle("/", w.gate)
	w.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(w.served)
		_ = w.server.Serve(l) // ends with Close
	}()
	return nil
}

const (
	tokenVariable    = "BENCH_TOKEN"
	postgresVariable = "BENCH_POSTGRES"
)

// unbounded is the budget where it is not what is measured.
const unbounded = `[budget]
replies_per_member = "unlimited"
tokens_per_day = "unlimited"
`

func (w *world) configure(s setup) error {
	var persona, more strings.Builder
	if s.prompt > 0 {
		fmt.Fprintf(&persona, "max_prompt_chars = %d\n", s.prompt)
	}
	if w.postgres != nil {
		fmt.Fprintf(&more, "[store]\npostgres_url_env = %q\n", postgresVariable)
	}
	if more.WriteString(s.more); s.more == "" {
		more.WriteString(unbounded)
	}
	text := fmt.Sprintf(`data_dir = "data"
%s[log]
format = "json"
[llm]
base_url = %q
model = "sim-1"
[persona]
character = "Elelem, a witty twenty-year-old student of computer science. Dry, edgy, never rude."
parallel = %d
%s%smax_age = "240h"
`, more.String(), w.model.URL(), s.parallel, persona.String(), w.account("persona", s))
	return w.write(text)
}

// account is the configuration's section of the account.
func (w *world) account(does string, s setup) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[[account]]\nname = \"elelem\"\nserver = %q\ntoken_env = %q\ndoes = [%q]\n", w.url, tokenVariable, does)
	if s.poll > 0 {
		fmt.Fprintf(&b, "poll = %q\n", s.poll)
	}
	if s.backlog {
		b.WriteString("first_run = \"backlog\"\n")
	}
	if !s.public {
		b.WriteString("rate_limits = \"off\"\nstreaming = \"off\"\n")
	}
	return b.String()
}

func (w *world) write(text string) error {
	if err := os.WriteFile(w.config(), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

func (w *world) config() string { return filepath.Join(w.dir, config.FileName) }

func (w *world) environment() []string {
	return append(append(os.Environ(), w.variables...), tokenVariable+"="+w.bot.Token, postgresVariable+"="+w.databaseURL(), "TZ=UTC")
}

// databaseURL is empty for SQLite.
func (w *world) databaseURL() string {
	if w.postgres == nil {
		return ""
	}
	return w.postgres.url
}

// mark is what the text of mention i holds and no other's.
func mark(i int) string { return fmt.Sprintf("number %d.", i) }

// question is the text of mention i.
func (w *world) question(i int) string {
	return fmt.Sprintf("@%s I have been thinking about this all afternoon: why does every compiler error come in threes, "+
		"and is there a reason that the third one is always a missing bracket? Asking for a friend, %s", w.bot.Handle(), mark(i))
}

// mention has a person mention the bot.
func (w *world) mention(i int) { w.people[i%len(w.people)].Post(w.question(i)) }

// past has n mentions of the past, evenly between two hours ago and one: all
// old enough for the program to keep its place among them.
func (w *world) past(n int) {
	for i := range n {
		w.hand.set(-2*time.Hour + time.Duration(i)*time.Hour/time.Duration(n))
		w.mention(i)
	}
	w.hand.set(0)
}

// count opens the program's database, once no process works on it, and
// returns how many mentions it knows and how many wait for an answer.
func (w *world) count(ctx context.Context) (known, waiting int, err error) {
	s, err := store.Open(ctx, store.Config{Dir: filepath.Join(w.dir, "data"), PostgresURL: w.databaseURL()})
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	err = s.QueryRow(ctx, `select (select count(*) from inbox_mention), (select count(*) from turns_waiting)`).Scan(&known, &waiting)
	if err != nil {
		return 0, 0, fmt.Errorf("count the mentions: %w", err)
	}
	return known, waiting, nil
}

// answeredOnce makes sure that the bot posted one reply to each mention.
func (w *world) answeredOnce(mentions int) error {
	replied := map[string]bool{}
	posts := w.fedi.PostsBy(w.bot.ID)
	for _, p := range posts {
		replied[p.InReplyTo] = true
	}
	if len(posts) != mentions || len(replied) != mentions {
		return fmt.Errorf("the bot posted %d replies to %d of %d mentions", len(posts), len(replied), mentions)
	}
	return nil
}

// close ends the servers and removes the data.
func (w *world) close() error {
	var errs []error
	if w.server != nil {
		errs = append(errs, w.server.Close())
		<-w.served
	}
	if w.fedi != nil {
		w.fedi.Close()
	}
	if w.model != nil {
		errs = append(errs, w.model.Close())
	}
	if w.board != nil {
		errs = append(errs, w.board.close())
	}
	if w.postgres != nil {
		errs = append(errs, w.postgres.drop())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}
