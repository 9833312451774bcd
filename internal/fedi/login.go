package fedi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

// LoginConfig is one of our accounts.
type LoginConfig struct {
	Name     string // the operator's name for it, for logs
	Server   string // base URL
	Token    string
	Poll     time.Duration // between two looks at the notifications
	MaxAge   time.Duration // older mentions are not answered
	Backlog  bool          // the first start answers what already waits
	Features []inbox.Feature
	// NoRateLimits is for the operator's own server.
	NoRateLimits bool
	// NoStream switches streaming off; StreamURL takes the place of the
	// address that the server names, "wss://streaming.art.example".
	NoStream  bool
	StreamURL string
	// TokenHelp says how to mend a refused token.
	TokenHelp string
}

// Config is what Fedi needs.
type Config struct {
	Store     *store.Store
	Inbox     *inbox.Inbox
	Outbox    *outbox.Outbox
	Clock     clock.Clock
	Log       *slog.Logger
	UserAgent string
	Timeout   time.Duration // of a read; 0 means 30 s
	Logins    []LoginConfig
	// Trouble, if set, is told what an operator should know of an account,
	// by its name, once for each change. The error says what to do; it is nil
	// for ServedAgain. It holds up the account's polling until it returns.
	Trouble func(account string, kind TroubleKind, err error)
	// Fewer, if set, is told of a post of ours that the server stored with fewer
	// media than it was sent with. The post stands and is not repeated; it is
	// not yet noted as confirmed. It is a hint, told at most once for each time
	// the post is sent or found, and lost in a crash.
	Fewer func(FewerMedia)
	// NoDismissals leaves notifications as they are, for a rehearsal.
	NoDismissals bool
	// Observe, if set, is told every request once it has ended. It is called
	// from many goroutines and must be quick.
	Observe func(Request)
}

// Fedi runs our accounts. It is safe for concurrent use.
type Fedi struct {
	Config
	logins []*login

	// tried is closed once every account has tried to log in: before that we
	// do not know all our own names, and could answer ourselves.
	tried   chan struct{}
	untried atomic.Int32

	renderers map[string]Rendering

	mu   sync.Mutex
	byID map[community.AccountID]*login
}

// ErrNotConnected is returned for an account that has not logged in, or is
// not one of this process.
var ErrNotConnected = errors.New("the account is not connected")

// NewFedi checks the accounts' settings and registers the kinds of effect. It
// touches no network.
func NewFedi(c Config) (*Fedi, error) {
	f := &Fedi{Config: c, byID: map[community.AccountID]*login{}, tried: make(chan struct{}), renderers: map[string]Rendering{}}
	f.untried.Store(int32(len(c.Logins)))
	for _, lc := range c.Logins {
		client, err := newClient(lc, c)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", lc.Name, err)
		}
		l := &login{LoginConfig: lc, f: f, client: client, log: c.Log.With("account", lc.Name),
			dismissals: make(chan community.NotificationID, 256), nudge: make(chan struct{}, 1), reconnect: newReconnect()}
		client.onRefusal = l.doubt
		f.logins = append(f.logins, l)
	}
	c.Outbox.Register(postKind{f})
	c.Outbox.Register(editKind{f})
	c.Outbox.Register(deleteKind{f})
	return f, nil
}

// login is one account of ours at its server.
type login struct {
	LoginConfig
	f      *Fedi
	client *Client
	log    *slog.Logger

	dismissals chan community.NotificationID
	nudge      chan struct{} // the poller thinks again when the next poll is due
	asked      atomic.Bool   // a poll is asked for
	distrust   atomic.Int32  // mentions that polls found and the stream, being open, had not brought
	follows    follows

	mu       sync.Mutex
	id       community.AccountID // empty until connected
	self     community.Member
	instance Instance
	verified time.Time // when the server last said whose the token is
	probed   time.Time // when it last said what it allows
	doubted  bool      // it has refused the token since
	streamUp bool
	// streamSince is when streamUp last changed, by the server's clock.
	streamSince time.Time
	lastPoll    time.Time
	lastError   string

	// For the poller alone.
	newest   community.NotificationID
	swept    time.Time
	failures int       // in a row
	failing  time.Time // since
	trouble  TroubleKind

	// For the stream alone.
	reconnect      *backoff.ExponentialBackOff
	streamFailures int
	streamNext     time.Time // not to be opened before
}

// accountID makes the name of an account of ours from its server and its id
// there. This is the one place that knows how it is made; nobody takes it apart.
func accountID(server string, id community.MemberID) community.AccountID {
	host := server
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		host = strings.ToLower(u.Host)
	}
	return community.AccountID(host + "/" + string(id))
}

// AccountID is the name that an account of ours has in inbox and outbox, for
// somebody who has to know it before it logs in here.
func AccountID(server string, id community.MemberID) community.AccountID {
	return accountID(server, id)
}

// firstTry logs in and then waits, but not for long, until the other accounts
// have tried as well.
func (l *login) firstTry(ctx context.Context) error {
	err := l.connect(ctx)
	if l.f.untried.Add(-1) == 0 {
		close(l.f.tried)
	}
	patience := time.NewTimer(loginPatience)
	defer patience.Stop()
	select {
	case <-l.f.tried:
	case <-patience.C:
	case <-ctx.Done():
	}
	return err
}

// loginPatience is how long the accounts wait for one whose server hangs.
const loginPatience = 5 * time.Second

// logIn notes who we are and tells whether it is the first time.
func (l *login) logIn(me Account, instance Instance, probed bool) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.self = l.client.Converter().Member(me)
	l.verified, l.doubted = l.f.Clock.Now(), false
	if l.instance = instance; probed {
		l.probed = l.verified
	}
	first = l.id == ""
	l.id = accountID(l.Server, me.ID)
	l.f.mu.Lock()
	l.f.byID[l.id] = l
	l.f.mu.Unlock()
	if first {
		l.log.Info("logged in", "as", l.self.Handle, "server", l.Server, "software", instance.Software, "max_chars", instance.MaxChars)
		if !me.Bot {
			l.log.Warn("this account is not marked as a bot: mark it in its profile, so that people and other bots know")
		}
	}
	return first
}

// now is the time by the server's clock, as well as it is known.
func (l *login) now() time.Time {
	return l.client.serverTime()
}

// told is the time that the server gave with its last answer.
func (l *login) told() time.Time { return l.client.toldTime() }

func (l *login) account() (id community.AccountID, self community.Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id, l.self
}

func (f *Fedi) login(id community.AccountID) (*login, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l, ok := f.byID[id]; ok {
		return l, nil
	}
	return nil, fmt.Errorf("%s: %w", id, ErrNotConnected)
}

// ours tells whether a member is one of this installation's accounts.
func (f *Fedi) ours(m community.Member) bool {
	for _, l := range f.logins {
		_, self := l.account()
		if self.Handle != "" && strings.EqualFold(self.Handle, m.Handle) {
			return true
		}
	}
	return false
}

// Connected lists the accounts that have logged in.
func (f *Fedi) Connected() []community.AccountID {
	var ids []community.AccountID
	for _, l := range f.logins {
		if id, _ := l.account(); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Thread is what stands around a post, oldest first: above it, and below it.
// A post that is gone (or hidden from us) is an error of class Gone.
func (f *Fedi) Thread(ctx context.Context, account community.AccountID, post community.PostID) (above, below []community.Post, err error) {
	l, err := f.login(account)
	if err != nil {
		return nil, nil, err
	}
	t, err := l.client.Context(ctx, post)
	if err != nil {
		return nil, nil, err
	}
	v := l.client.Converter()
	for _, s := range t.Ancestors {
		above = append(above, v.Post(s))
	}
	for _, s := range t.Descendants {
		below = append(below, v.Post(s))
	}
	return above, below, nil
}

// Self is our own account as its server shows it.
func (f *Fedi) Self(account community.AccountID) (community.Member, error) {
	l, err := f.login(account)
	if err != nil {
		return community.Member{}, err
	}
	_, self := l.account()
	return self, nil
}

// Limits is what the account's server allows.
func (f *Fedi) Limits(account community.AccountID) (Instance, error) {
	l, err := f.login(account)
	if err != nil {
		return Instance{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.instance, nil
}

// Now is what the account's server last said that the time is, our own
// clock's time if it has said nothing yet. It is a little late, and no jump of
// our clock can change it.
func (f *Fedi) Now(account community.AccountID) time.Time {
	l, err := f.login(account)
	if err != nil {
		return f.Clock.Now()
	}
	return l.told()
}

// estimated is the time by the account's server at this moment.
func (f *Fedi) estimated(account community.AccountID) time.Time {
	l, err := f.login(account)
	if err != nil {
		return f.Clock.Now()
	}
	return l.now()
}

func newClient(lc LoginConfig, c Config) (*Client, error) {
	observe := c.Observe
	if observe != nil {
		observe = func(r Request) {
			r.Account = lc.Name
			c.Observe(r)
		}
	}
	return New(Options{Server: lc.Server, Token: lc.Token, UserAgent: c.UserAgent, Clock: c.Clock, Log: c.Log,
		Timeout: c.Timeout, NoRateLimits: lc.NoRateLimits, Observe: observe})
}
