package discord

import (
	"context"
	"encoding/json"
	"time"

	"rookery/internal/community"
	"rookery/internal/words"
)

// CommandKind is how a command is given.
type CommandKind int

// The kinds. Source: interactions/application-commands, "Application Command
// Types".
const (
	Slash     CommandKind = 1
	OnMember  CommandKind = 2 // in a member's context menu
	OnMessage CommandKind = 3 // in a message's context menu
)

// Command is one that members can give. It is declared once, by the feature
// that handles it; Discord is told of it when it has changed.
type Command struct {
	Name string // for Slash: small letters; also the name in English
	Kind CommandKind
	// Names and Help are texts of the catalogue in every language: the name
	// (empty for the same everywhere) and, for Slash, the description, 100
	// characters at most.
	Names, Help words.Key
	Options     []Option
	Subs        []Command // subcommands, each with its own Handle; one level
	// Permission is what a member needs by default; a guild's managers may
	// change that in Discord. 0: everyone.
	Permission Permission
	// Private has the answer seen by who gave the command alone.
	Private bool
	// Direct also offers it in direct messages and to those who have installed
	// the application for themselves.
	Direct bool
	// On tells whether a guild has the command; nil: each has. A command that is
	// off there is not registered, and not carried out.
	On func(ctx context.Context, guild community.GuildID) bool
	// AgeRestricted lets Discord offer it only in channels for adults.
	AgeRestricted bool

	Handle Handler
	// Complete offers choices for the option that is being typed. It answers
	// from memory.
	Complete func(ctx context.Context, p *Press, option, typed string) []Choice
}

// OptionKind is what a command's option takes.
type OptionKind int

// The kinds. Source: "Application Command Option Type".
const (
	OptionText    OptionKind = 3
	OptionInt     OptionKind = 4
	OptionBool    OptionKind = 5
	OptionMember  OptionKind = 6
	OptionChannel OptionKind = 7
	OptionRole    OptionKind = 8
	OptionNumber  OptionKind = 10
	OptionFile    OptionKind = 11
)

// Option is something said with a command.
type Option struct {
	Name        string
	Names, Help words.Key
	Kind        OptionKind
	Required    bool
	Choices     []Choice
	Channels    []int    // kinds of channels that may be given
	Min, Max    *float64 // of a number; of a text its characters
	Complete    bool     // the command's Complete is asked while it is typed
}

// Handler carries out what a member did. It stores what must not be lost
// before it returns, and does nothing slow: what takes long is a job, whose
// result the outbox brings (AnswerKind) after an Answer with Later. Its error is
// told to the member in general words, and logged.
//
// The same press may come twice, after a restart too (Press.ID is the same):
// one with effects relies on the keys of what it has stored, as
// Press.Mention and inbox.Take do.
type Handler func(ctx context.Context, p *Press) (Answer, error)

// Answer is what a handler answers at once; exactly one of its ways is set.
type Answer struct {
	Message *Message // a new message
	Private bool     // only the member sees it (Message, Later)
	Update  *Message // in place of the message whose component was pressed
	Modal   *Modal   // a form; not after a modal
	Later   bool     // an effect of AnswerKind follows; "thinking" is shown until then
	Nothing bool     // a component's press is taken, and nothing shown
}

// Press is what a member did: a command given, a button pressed, something
// chosen, a form sent.
type Press struct {
	Account community.AccountID
	ID      string // the interaction's
	Token   string
	Until   time.Time // the token's end
	At      time.Time

	Command string            // "settings persona" for a subcommand; empty for components and forms
	Action  string            // of a component or a form: the first part of its CustomID
	Args    []string          // its further parts
	Values  []string          // what was chosen in a menu
	Fields  map[string]string // what was written in a form, by the fields' ids
	Options Options

	Member      community.Member
	Place       community.Place // where, with the member's roles
	Permissions Permission      // the member's there
	Ours        Permission      // the application's there
	Language    words.Language  // the member's
	GuildLocale string          // BCP 47
	Present     bool            // the bot is a member of the guild, or it is a direct message with it
	Largest     int64           // bytes of a file of the answer

	Message *community.Post // whose component was pressed
	Target  *community.Post // of an OnMessage command
	// Original is the Target as it stands, complete also without the Message
	// Content intent. Of Begins memory alone tells, and of Place.Roles only those
	// of who gave the command are known.
	Original *Original
	On       *community.Member // of an OnMember command

	locale  string // BCP 47; Language is the nearest that the catalogue has
	private bool   // the command is Private, or the message whose component was pressed is
}

// Options are a command's options by name.
type Options map[string]Value

// Value is what was given for an option.
type Value struct {
	Kind OptionKind
	Raw  json.RawMessage // as Discord sent it
	File *Attached       // of OptionFile
}

// Attached is a file that came with a command.
type Attached struct {
	Name, Type, URL, Description string
	Size                         int64
}

// Text is an option as text: a text, or the id of what was chosen; "" if it
// was not given.
func (o Options) Text(name string) string {
	var s string
	if v, ok := o[name]; ok && json.Unmarshal(v.Raw, &s) != nil {
		return string(v.Raw)
	}
	return s
}

// Bool is an option as a switch; false if it was not given.
func (o Options) Bool(name string) bool {
	var b bool
	_ = json.Unmarshal(o[name].Raw, &b)
	return b
}

// Given tells whether an option was given.
func (o Options) Given(name string) bool { _, ok := o[name]; return ok }
