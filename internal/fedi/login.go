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
}

// Fedi runs our accounts. It is safe for concurrent use.
type Fedi struct {
	Config
	logins []*login

	// tried is closed once every account has tried to log in: before that we
	// do not know all our own names, and could answer ourselves.
	tried   chan struct{}
	untried atomic.Int32

	mu   sync.Mutex
	byID map[community.AccountID]*login
}

// ErrNotConnected is returned for an account that has not logged in, or is
// not one of this process.
var ErrNotConnected = errors.New("the account is not connected")

// NewFedi checks the accounts' settings and registers the kinds of effect. It
// touches no network.
func NewFedi(c Config) (*Fedi, error) {
	f := &Fedi{Config: c, byID: map[community.AccountID]*login{}, tried: make(chan struct{})}
	f.untried.Store(int32(len(c.Logins)))
	for _, lc := range c.Logins {
		client, err := newClient(lc, c)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", lc.Name, err)
		}
		f.logins = append(f.logins, &login{LoginConfig: lc, f: f, client: client,
			log: c.Log.With("account", lc.Name), dismissals: make(chan community.NotificationID, 256)})
	}
	c.Outbox.Register(postKind{f})
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

	mu       sync.Mutex
	id       community.AccountID // empty until connected
	self     community.Member
	instance Instance
	probed   time.Time

	// For the poller alone.
	newest community.NotificationID
	swept  time.Time
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

// connect logs in: who are we, and what does the server allow? It is repeated
// once a day, for both may change.
func (l *login) connect(ctx context.Context) error {
	l.mu.Lock()
	fresh := l.id != "" && l.f.Clock.Now().Sub(l.probed) < 24*time.Hour
	l.mu.Unlock()
	if fresh {
		return nil
	}
	me, err := l.client.VerifyCredentials(ctx)
	if err != nil {
		return fmt.Errorf("log in at %s: %w", l.Server, err)
	}
	instance, err := l.client.Instance(ctx)
	if err != nil {
		return fmt.Errorf("ask %s for its limits: %w", l.Server, err)
	}
	if l.logIn(me, instance) {
		// The outbox may have tried before we knew who we are.
		id, _ := l.account()
		return l.f.Outbox.Ready(ctx, id)
	}
	return nil
}

// logIn notes who we are and tells whether it is the first time.
func (l *login) logIn(me Account, instance Instance) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.self = l.client.Converter().Member(me)
	l.instance, l.probed = instance, l.f.Clock.Now()
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
	skew, _ := l.client.Skew()
	return l.f.Clock.Now().Add(skew)
}

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

// Now is the time by the account's server, our own clock's if it is unknown.
func (f *Fedi) Now(account community.AccountID) time.Time {
	l, err := f.login(account)
	if err != nil {
		return f.Clock.Now()
	}
	return l.now()
}

func newClient(lc LoginConfig, c Config) (*Client, error) {
	return New(Options{Server: lc.Server, Token: lc.Token, UserAgent: c.UserAgent, Clock: c.Clock, Log: c.Log,
		Timeout: c.Timeout, NoRateLimits: lc.NoRateLimits})
}
