package gallery

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// State is how far a submission has come.
type State string

// The states. The first four are live: at most one for each thread or message.
const (
	Offered   State = "offered"   // the artist decides
	Review    State = "review"    // the artist has agreed, a moderator decides
	Accepted  State = "accepted"  // it is to be posted
	Posting   State = "posting"   // its post is planned, or under way
	Posted    State = "posted"    // it stands
	Deleting  State = "deleting"  // it is being deleted
	Deleted   State = "deleted"   // it is no more
	Declined  State = "declined"  // the artist said no
	Expired   State = "expired"   // nobody said anything
	Withdrawn State = "withdrawn" // the message is gone, or the artist has taken it back
	Rejected  State = "rejected"  // a moderator said no
)

// live tells that something is still to come of it.
func (s State) live() bool {
	return s == Offered || s == Review || s == Accepted || s == Posting
}

// agreed tells that the artist has said yes and nobody no.
func (s State) agreed() bool { return s == Review || s == Accepted || s == Posting || s == Posted }

// submission is one message that a member may share.
type submission struct {
	ID      string
	Account community.AccountID
	Guild   community.GuildID
	Channel community.ChannelID // where the offer stands
	Spot    string
	Source  community.PostID
	Artist  community.MemberID
	Subject string
	State   State
	Target  community.AccountID

	body

	Code             string
	Post             community.PostID
	PostURL, PostURI string
	Revision, Tries  int64
	Created, Agreed  time.Time
	Changed          time.Time
	Expires, Next    time.Time
	Media            []medium // in the order of the message
}

// body is what is kept of a submission as JSON.
type body struct {
	Words         string               `json:"words,omitempty"` // of the post, composed of the message
	HidSpoiler    bool                 `json:"hid_spoiler,omitempty"`
	Digest        string               `json:"digest"`           // of the message as it was read; see digestOf
	Hidden        bool                 `json:"hidden,omitempty"` // the message cannot be read again: there is no Message Content intent
	AgeRestricted bool                 `json:"age_restricted,omitempty"`
	Parent        community.ChannelID  `json:"parent,omitempty"`      // the channel of the thread
	ArtistName    string               `json:"artist_name,omitempty"` // as the guild shows them
	Credit        string               `json:"credit,omitempty"`      // what the post says of who made it
	Credits       bool                 `json:"credits"`
	CW            string               `json:"cw,omitempty"`
	Tail          string               `json:"tail,omitempty"`     // the end of the post, as it was agreed to
	Audience      community.Visibility `json:"audience,omitempty"` // who was to see it then
	Language      string               `json:"language,omitempty"` // BCP 47: of the post
	Locale        string               `json:"locale,omitempty"`   // in which the offer speaks
	AI            bool                 `json:"ai,omitempty"`
	Processor     string               `json:"processor,omitempty"` // who would see the pictures, as the artist was told
	Model         string               `json:"model,omitempty"`
	Warned        bool                 `json:"warned,omitempty"`     // they were asked about media without a description
	Drafted       string               `json:"drafted,omitempty"`    // who got pictures for drafts
	Drafting      *asking              `json:"drafting,omitempty"`   // who waits for drafts
	Note          string               `json:"note,omitempty"`       // why the offer is shown again, for the artist
	Trouble       string               `json:"trouble,omitempty"`    // what it waits for, for the artist
	By            string               `json:"by,omitempty"`         // how it was ended: see ledger.Entry.By
	Asked         []string             `json:"asked,omitempty"`      // those who wait for its deletion: each an asking
	TakenDown     bool                 `json:"taken_down,omitempty"` // it goes because somebody else said so
	Reviewed      string               `json:"reviewed,omitempty"`   // the key of the question to the moderators
	Adopted       bool                 `json:"adopted,omitempty"`    // another program has posted it; see Adopt
	Seen          []string             `json:"seen,omitempty"`       // presses that were handled: see handled
	Shown         string               `json:"shown,omitempty"`      // what was agreed to; see promise
}

// medium is one file of a submission.
type medium struct {
	N       int    `json:"-"`  // from 1
	ID      string `json:"id"` // Discord's, or of an embed "embed:" and its address
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"` // MIME, as Discord says
	URL     string `json:"url"`
	Size    int64  `json:"size,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Spoiler bool   `json:"spoiler,omitempty"`
	Embed   bool   `json:"embed,omitempty"` // of a link

	Alt   string `json:"alt,omitempty"` // what a person wrote, or took from a draft
	By    altBy  `json:"by,omitempty"`
	Draft string `json:"draft,omitempty"` // the model's, for the artist to look at

	// What the worker found out.
	SHA256 string `json:"sha256,omitempty"` // of what the artist gave
	Model  string `json:"model,omitempty"`  // what the model said when it was posted
	Tried  int    `json:"tried,omitempty"`  // how often the model was asked in vain
	Left   string `json:"left,omitempty"`   // why it is left out, for the artist
	Sent   string `json:"sent,omitempty"`   // the id with which it was attached
	Kind   string `json:"kind,omitempty"`   // of what was sent: "image", "gif", "video", "audio"
}

// altBy is whose words a description are.
type altBy string

// The authors of descriptions.
const (
	byNobody  altBy = ""
	byDiscord altBy = "discord" // the artist, in Discord
	byArtist  altBy = "written" // the artist, in the form
	byDraft   altBy = "draft"   // the model's draft, taken as it was
	byEdited  altBy = "edited"  // the model's draft, edited by the artist
	byModel   altBy = "model"   // the model, when it was posted
)

// picture tells whether it is shown as a picture, as far as Discord says; only
// those a model describes.
func (m medium) picture() bool { return strings.HasPrefix(m.Type, "image/") }

// newID makes a name for a submission.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

const columns = `id, account, guild, channel, spot, source, artist, subject, state, target, body, code, post, post_url, post_uri,
	revision, tries, created_at, agreed_at, changed_at, expires_at, next_at`

func scanSubmission(row store.Row) (*submission, error) {
	s := &submission{}
	var account, guild, channel, source, artist, state, target, body, post string
	var created, agreed, changed, expires, next int64
	err := row.Scan(&s.ID, &account, &guild, &channel, &s.Spot, &source, &artist, &s.Subject, &state, &target, &body, &s.Code, &post, &s.PostURL, &s.PostURI,
		&s.Revision, &s.Tries, &created, &agreed, &changed, &expires, &next)
	if err != nil {
		return nil, err
	}
	s.Account, s.Guild, s.Channel, s.Source = community.AccountID(account), community.GuildID(guild), community.ChannelID(channel), community.PostID(source)
	s.Artist, s.State, s.Target, s.Post = community.MemberID(artist), State(state), community.AccountID(target), community.PostID(post)
	s.Created, s.Agreed, s.Changed, s.Expires, s.Next = timeOf(created), timeOf(agreed), timeOf(changed), timeOf(expires), timeOf(next)
	if body != "" {
		if err := json.Unmarshal([]byte(body), &s.body); err != nil {
			return nil, fmt.Errorf("read submission %s: %w", s.ID, err)
		}
	}
	return s, nil
}

// timeOf is a time of the database; 0 is none.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// errTaken says that a message, or its thread, has a live submission already.
var errTaken = errors.New("it is offered to be shared already")

// errNone says that there is no such submission.
var errNone = errors.New("there is no such submission")

// rows is what both a transaction and the store can do.
type rows interface {
	Query(ctx context.Context, sql string, args ...any) (store.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) store.Row
}

// load reads one submission with its media, by a condition on its row.
func load(ctx context.Context, q rows, where string, args ...any) (*submission, error) {
	s, err := scanSubmission(q.QueryRow(ctx, `select `+columns+` from gallery_submission where `+where, args...))
	if errors.Is(err, store.ErrNoRows) {
		return nil, errNone
	}
	if err != nil {
		return nil, fmt.Errorf("read a submission: %w", err)
	}
	return s, s.readMedia(ctx, q)
}

// get reads a submission by its id.
func get(ctx context.Context, q rows, id string) (*submission, error) {
	return load(ctx, q, `id = $1`, id)
}

// lock reads a submission for changing it: until the transaction ends nobody
// else does.
func lock(ctx context.Context, tx store.Tx, id string) (*submission, error) {
	s, err := scanSubmission(tx.QueryRow(ctx, `update gallery_submission set revision = revision where id = $1 returning `+columns, id))
	if errors.Is(err, store.ErrNoRows) {
		return nil, errNone
	}
	if err != nil {
		return nil, fmt.Errorf("read submission %s: %w", id, err)
	}
	return s, s.readMedia(ctx, tx)
}

func (s *submission) readMedia(ctx context.Context, q rows) error {
	r, err := q.Query(ctx, `select n, body from gallery_medium where submission = $1 order by n`, s.ID)
	s.Media, err = store.Collect(r, err, func(row store.Row) (medium, error) {
		var m medium
		var n int64
		var body string
		if err := row.Scan(&n, &body); err != nil {
			return m, err
		}
		err := json.Unmarshal([]byte(body), &m)
		m.N = int(n)
		return m, err
	})
	if err != nil {
		return fmt.Errorf("read the media of submission %s: %w", s.ID, err)
	}
	return nil
}

// insert stores a new submission with its media, unless its message or thread
// has got a live one meanwhile: errTaken.
func (s *submission) insert(ctx context.Context, tx store.Tx) error {
	b, err := json.Marshal(s.body)
	if err != nil {
		return fmt.Errorf("store submission %s: %w", s.ID, err)
	}
	n, err := tx.Exec(ctx, `insert into gallery_submission (`+columns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, $17, $18, $19, $20, $21) on conflict do nothing`,
		s.ID, string(s.Account), string(s.Guild), string(s.Channel), s.Spot, string(s.Source), string(s.Artist), s.Subject, string(s.State), string(s.Target),
		store.Storable(string(b), len(b)), s.Code, string(s.Post), s.PostURL, s.PostURI, s.Tries, msOf(s.Created), msOf(s.Agreed), msOf(s.Changed), msOf(s.Expires), msOf(s.Next))
	if err == nil && n == 0 {
		err = errTaken
	}
	if err != nil {
		return fmt.Errorf("store submission %s: %w", s.ID, err)
	}
	return s.storeMedia(ctx, tx)
}

// save stores what has changed of a submission that lock has read.
func (s *submission) save(ctx context.Context, tx store.Tx, now time.Time) error {
	b, err := json.Marshal(s.body)
	if err != nil {
		return fmt.Errorf("store submission %s: %w", s.ID, err)
	}
	s.Changed = now
	s.Revision++ // what is planned for one state is planned once; see editKey
	_, err = tx.Exec(ctx, `update gallery_submission set revision = $15, artist = $2, state = $3, target = $4, body = $5, code = $6, post = $7, post_url = $8, post_uri = $9,
		tries = $10, agreed_at = $11, changed_at = $12, expires_at = $13, next_at = $14 where id = $1`,
		s.ID, string(s.Artist), string(s.State), string(s.Target), store.Storable(string(b), len(b)), s.Code, string(s.Post), s.PostURL, s.PostURI,
		s.Tries, msOf(s.Agreed), msOf(s.Changed), msOf(s.Expires), msOf(s.Next), s.Revision)
	if err != nil {
		return fmt.Errorf("store submission %s: %w", s.ID, err)
	}
	return nil
}

// storeMedia stores all media in place of what is stored.
func (s *submission) storeMedia(ctx context.Context, tx store.Tx) error {
	if _, err := tx.Exec(ctx, `delete from gallery_medium where submission = $1`, s.ID); err != nil {
		return fmt.Errorf("store the media of submission %s: %w", s.ID, err)
	}
	for i := range s.Media {
		s.Media[i].N = i + 1
		if err := s.Media[i].insert(ctx, tx, s.ID); err != nil {
			return err
		}
	}
	return nil
}

func (m medium) insert(ctx context.Context, tx store.Tx, submission string) error {
	b, err := json.Marshal(m)
	if err == nil {
		_, err = tx.Exec(ctx, `insert into gallery_medium (submission, n, body) values ($1, $2, $3)
			on conflict (submission, n) do update set body = excluded.body`, submission, int64(m.N), store.Storable(string(b), len(b)))
	}
	if err != nil {
		return fmt.Errorf("store medium %d of submission %s: %w", m.N, submission, err)
	}
	return nil
}

// scrub takes out what was to be posted: its submission has come to its end.
func (s *submission) scrub() {
	s.Words, s.CW, s.ArtistName, s.Credit, s.Note, s.Trouble = "", "", "", "", "", ""
	s.Media = nil
}
