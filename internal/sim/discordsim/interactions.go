package discordsim

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"
)

// The times and numbers of interactions. Source:
// interactions/receiving-and-responding, "Interaction Callback" and "Create
// Followup Message".
const (
	firstAnswer      = 3 * time.Second
	tokenLife        = 15 * time.Minute
	followupCap      = 5 // of an application that only the user installed
	choicesCap       = 25
	attachmentLimit  = fileSizeCap
	interactionsKept = 2000
)

// Kinds of interactions. Source: interactions/receiving-and-responding,
// "Interaction Type".
const (
	KindCommand      = 2
	KindComponent    = 3
	KindAutocomplete = 4
	KindModalSubmit  = 5
)

// Types of callbacks. Source: interactions/receiving-and-responding,
// "Interaction Callback Type".
const (
	CallbackMessage        = 4
	CallbackDefer          = 5
	CallbackDeferUpdate    = 6
	CallbackUpdate         = 7
	CallbackAutocomplete   = 8
	CallbackModal          = 9
	CallbackLaunchActivity = 12
)

// Contexts of interactions. Source: interactions/receiving-and-responding,
// "Interaction Context Types".
const (
	ContextGuild   = 0
	ContextBotDM   = 1
	ContextPrivate = 2
)

// interactionState is the interactions' part of a Server, under its mutex.
type interactionState struct {
	it interactions
}

type interactions struct {
	byID      map[string]*interaction
	order     []*interaction
	hidden    map[string]*message   // those that the channel does not have: ephemeral ones, and those of private channels
	reads     map[string][]*message // the same by reader, in order
	installed map[string]bool       // users that installed the application for themselves
	private   map[string]*channel   // direct messages between two people
	modals    map[string]*Modal     // open, by user
	choices   map[string][]Choice   // last shown, by user
	failed    map[string][]string   // names of what did not respond, by user
	unknown   int                   // webhook requests that are told 10015
	locales   map[string]string     // of users; en-US for others
}

// interaction is one thing that a member did with the application.
type interaction struct {
	id, token   string
	kind        int
	user        string
	ch          *channel
	created     time.Time
	payload     obj
	command     *command // nil for components and modals
	name        string   // of the command, with its subcommands
	contextMenu bool
	source      *message // that the component stands on
	owners      obj
	onlyUser    bool // only the user installed the application
	forceHidden bool // the user may not show answers to others
	expired     bool // on demand
	opener      *interaction

	acked     int // the callback's type; 0: none yet
	after     time.Duration
	failed    bool // noted as one that did not respond
	original  *message
	loading   bool
	ephemeral bool
	messages  []*message // all that the token made
	followups int
	modal     *Modal
	choices   []Choice
}

// Choice is one that autocomplete offered.
type Choice struct {
	Name  string
	Value any
}

// initInteractions makes the interactions' part of the server.
func (s *Server) initInteractions() {
	s.it = interactions{
		byID: map[string]*interaction{}, hidden: map[string]*message{}, reads: map[string][]*message{}, installed: map[string]bool{},
		private: map[string]*channel{}, modals: map[string]*Modal{}, choices: map[string][]Choice{}, failed: map[string][]string{},
		locales: map[string]string{},
	}
}

// Interaction is what a member did, for the test that made them do it.
type Interaction struct {
	s  *Server
	in *interaction

	ID    string
	Token string
	Kind  int
}

// Outcome is what became of an interaction.
type Outcome struct {
	Type      int           // of the callback; 0: none came
	After     time.Duration // until the callback, by the server's clock
	Failed    bool          // "The application did not respond": nothing came in three seconds
	Loading   bool          // "… is thinking"
	Ephemeral bool          // the answer is for the member alone
	Message   *Message      // the answer; after an update, the message the component stands on
	Followups []Message
	Modal     *Modal
	Choices   []Choice
}

// Wait returns when the interaction was answered in any way, or when three
// seconds passed by the server's clock without; the error is the context's. A
// clock that is moved by hand is looked at 50 times a second.
func (i *Interaction) Wait(ctx context.Context) (Outcome, error) {
	return i.wait(ctx, func(o Outcome) bool { return o.Type != 0 || o.Failed })
}

// WaitDone is Wait, but for a deferred answer it waits until the message is
// there.
func (i *Interaction) WaitDone(ctx context.Context) (Outcome, error) {
	return i.wait(ctx, func(o Outcome) bool { return (o.Type != 0 || o.Failed) && !o.Loading })
}

// WaitFollowups is Wait until there are n followup messages.
func (i *Interaction) WaitFollowups(ctx context.Context, n int) (Outcome, error) {
	return i.wait(ctx, func(o Outcome) bool { return len(o.Followups) >= n || o.Failed })
}

func (i *Interaction) wait(ctx context.Context, until func(Outcome) bool) (Outcome, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		i.s.mu.Lock()
		if i.s.changed == nil {
			i.s.changed = make(chan struct{})
		}
		changed := i.s.changed
		o := i.s.outcome(i.in)
		i.s.mu.Unlock()
		if until(o) {
			return o, nil
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			return o, ctx.Err()
		}
	}
}

// Now is what became of the interaction so far.
func (i *Interaction) Now() Outcome {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return i.s.outcome(i.in)
}

// Payload is the interaction as it was sent, a copy.
func (i *Interaction) Payload() map[string]any {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	return cloneObj(i.in.payload)
}

// outcome is called with the mutex held, as everything below.
func (s *Server) outcome(in *interaction) Outcome {
	s.overdue(in)
	o := Outcome{
		Type: in.acked, After: in.after, Failed: in.failed, Loading: in.loading, Ephemeral: in.ephemeral, Modal: in.modal,
		Choices: slices.Clone(in.choices),
	}
	if in.original != nil && s.there(in.original) {
		m := s.look(in.original)
		o.Message = &m
	}
	for _, m := range in.messages {
		if m != in.original && s.there(m) {
			o.Followups = append(o.Followups, s.look(m))
		}
	}
	return o
}

// there says whether a message was not deleted.
func (s *Server) there(m *message) bool { return s.messages[m.id] == m || s.it.hidden[m.id] == m }

// overdue notes that an interaction was not answered in time.
func (s *Server) overdue(in *interaction) {
	if in.acked == 0 && !in.failed && s.now().Sub(in.created) > firstAnswer {
		in.failed = true
		s.it.failed[in.user] = append(s.it.failed[in.user], in.title())
	}
}

// title is what a person would call the interaction.
func (in *interaction) title() string {
	if in.name != "" {
		return in.name
	}
	data := asObj(in.payload["data"])
	return textOf(data["custom_id"])
}

// Interactions are all interactions, the oldest first.
func (s *Server) Interactions() []*Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Interaction
	for _, in := range s.it.order {
		all = append(all, s.handle(in))
	}
	return all
}

func (s *Server) handle(in *interaction) *Interaction {
	return &Interaction{s: s, in: in, ID: in.id, Token: in.token, Kind: in.kind}
}

// Repeat sends an interaction a second time, as the gateway may. Source:
// reference, "Consistency".
func (s *Server) Repeat(i *Interaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(i.in)
}

// ExpireToken makes an interaction's token worthless at once, as after fifteen
// minutes.
func (s *Server) ExpireToken(i *Interaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i.in.expired = true
	s.change()
}

// UnknownWebhook answers the next n requests for the webhook of an interaction
// with 404 and 10015, as the real service does now and then shortly after a
// deferred answer. Source: https://github.com/discord/discord-api-docs/issues/7220
func (s *Server) UnknownWebhook(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.it.unknown = n
}

// InstallForUser installs the application for a user: they may use its commands
// for users in direct messages and in guilds that the bot is not in. Source:
// resources/application, "User Context".
func (s *Server) InstallForUser(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.it.installed[s.mustUser(userID).id] = true
}

// UninstallForUser undoes InstallForUser.
func (s *Server) UninstallForUser(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.it.installed, userID)
}

// installedFor says whether a user installed the application. The mutex is held.
func (s *Server) installedFor(userID string) bool { return s.it.installed[userID] }

// SetLocale sets the language of a user's client, such as "ru".
func (s *Server) SetLocale(userID, locale string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.it.locales[s.mustUser(userID).id] = locale
}

// SetGuildLocale sets the language that a guild prefers.
func (s *Server) SetGuildLocale(guildID, locale string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guildID)
	g.locale = locale
	s.emit(event{Name: "GUILD_UPDATE", Guild: g.id, Payload: s.renderGuild(g)})
}

// PrivateChannel is a channel of direct messages between two people. The bot is
// not in it: only who installed the application can use it there.
func (s *Server) PrivateChannel(a, b string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if idLess(s.mustUser(b).id, s.mustUser(a).id) {
		a, b = b, a
	}
	for id, c := range s.it.private {
		if c.recipient == b && c.topic == a {
			return id
		}
	}
	c := &channel{id: s.nextID(), kind: DirectMessage, recipient: b, topic: a}
	s.it.private[c.id] = c
	return c.id
}

// place is a channel that a user can use interactions in; nil for none.
func (s *Server) place(id string) *channel {
	if c := s.channels[id]; c != nil {
		return c
	}
	return s.it.private[id]
}

// keep remembers an interaction and sends it.
func (s *Server) keep(in *interaction) *Interaction {
	s.it.byID[in.id] = in
	s.it.order = append(s.it.order, in)
	if len(s.it.order) > interactionsKept {
		delete(s.it.byID, s.it.order[0].id)
		s.it.order = slices.Delete(s.it.order, 0, 1)
	}
	s.tell(in)
	return s.handle(in)
}

// tell sends INTERACTION_CREATE. It needs no intent. Source:
// events/gateway-events, "Interaction Create".
func (s *Server) tell(in *interaction) {
	s.change()
	s.dispatch(event{Name: "INTERACTION_CREATE", Guild: in.ch.guild, Channel: in.ch.id, User: in.user, Payload: cloneObj(in.payload)})
}

func newInteractionToken(id string) string {
	var b [48]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString([]byte("interaction:" + id + ":" + base64.RawURLEncoding.EncodeToString(b[:])))
}
