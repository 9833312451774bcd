// Package community holds the nouns that every part of Rookery shares: who a
// member is, what a post is, who may see it. It is plain data with no I/O and
// imports nothing of the project, so that a feature can state its policy
// without knowing which platform it runs on.
//
// It leaves to the platforms (fedi, discord) how these values come off the
// wire, and to the features what to do with them.
package community

import "time"

// AccountID names one of our own accounts on one server, for ever: renaming
// the account in the configuration does not change it. It is opaque; the
// platform that made it is the only one to look inside.
type AccountID string

// PostID is a post's id on the server our account lives on. Ids are opaque:
// snowflakes, ULIDs, flakes and plain words all occur, so they are never
// parsed, compared by size, or made up.
type PostID string

// MemberID is a member's id on the server our account lives on; opaque.
type MemberID string

// NotificationID is a notification's id on that server; opaque.
type NotificationID string

// GuildID names a guild (what people call a Discord server); opaque.
type GuildID string

// ChannelID names a channel of a guild, a thread in one, or a conversation with
// one member; opaque.
type ChannelID string

// RoleID names a role of a guild; opaque.
type RoleID string

// Member is a person (or a bot) as our server shows them.
type Member struct {
	ID     MemberID
	Handle string // user@host, always with the host
	Acct   string // as our server writes it after the @: "ada" for a local member, "ada@art.example" for others
	Name   string // display name, plain text; may be empty
	URI    string // identity across servers, where the server tells it
	URL    string // page for a browser
	Bot    bool
	Note   string // profile text and its fields ("name: value" lines), plain text
}

// Post is one post, its markup already turned into plain text.
type Post struct {
	ID         PostID
	URI        string // identity across servers
	URL        string // page for a browser
	Author     Member
	Text       string // plain text, valid UTF-8 without NUL
	CW         string // content warning; empty when there is none
	Sensitive  bool
	Visibility Visibility
	ParentID   PostID   // the post this one replies to; empty for none
	ParentBy   MemberID // its author; empty when unknown
	Language   string   // BCP 47, may be empty
	Mentions   []Member // who is addressed; only ID, Acct, Handle, URL and on Discord Name are set
	Links      []string // web pages it links to, absolute, each once; neither mentions nor hashtags
	Media      []Attachment
	At         time.Time // when it was written, by its own server's clock
	Place      Place     `json:",omitzero"` // where it stands, on a platform that has guilds
}

// Place is where in a guild a post was written; zero on a platform without
// guilds.
type Place struct {
	Guild         GuildID   // empty in a conversation with one member
	Channel       ChannelID // the channel, thread or conversation
	Parent        ChannelID // of a thread: the channel it belongs to
	Roles         []RoleID  // the author's in the guild
	AgeRestricted bool      // what may be seen there is for adults
}

// Command is what a mention is that was no post but a command, answered with
// a token for as long as that lives.
type Command struct {
	Name    string    // without the slash
	Token   string    // with which it is answered; worthless after Until
	Until   time.Time // by the platform's clock
	Private bool      // only who gave it sees the answer
	Member  bool      // the bot itself can be seen, and can write, where it was given
	Largest int64     // bytes of one file of the answer; 0 for not known
}

// Attachment is one medium of a post.
type Attachment struct {
	ID          string
	Kind        string // "image", "gifv", "video", "audio", "unknown"
	URL         string
	Description string // alt text; empty when there is none
}

// Mention is a post that addresses one of our accounts, as the platform's
// notification told it.
type Mention struct {
	Account      AccountID
	Notification NotificationID
	Notified     time.Time // when our server noticed, by its clock
	Post         Post
	// FromUs says that the author is an account of this installation: two of
	// our own accounts must never talk to each other.
	FromUs bool
	// Command is set if the mention is a command; the Post then holds who gave
	// it where, and its words as the text.
	Command *Command `json:",omitempty"`
	// Expires is when it is too late for an answer, by our server's clock;
	// zero for never.
	Expires time.Time
}
