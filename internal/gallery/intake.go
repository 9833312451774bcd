package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/failpoint"
	"rookery/internal/gallery/compose"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

var _ discord.Watcher = (*Gallery)(nil)

// Watches implements discord.Watcher.
func (g *Gallery) Watches(ctx context.Context, p community.Place) bool {
	ok, err := g.Settings.watches(ctx, p.Guild, p.Parent)
	return ok || err != nil // rather look in vain than miss something
}

// Began implements discord.Watcher: whoever begins a thread with something that
// can be shared is offered to share it.
func (g *Gallery) Began(ctx context.Context, account community.AccountID, o discord.Original) error {
	if o.Author.Bot || !o.Begins || o.Hidden || o.Forwarded {
		return nil
	}
	guild := o.Place.Guild
	// A thread that a message began stands beside it: what counts is the channel.
	if ok, err := g.Settings.watches(ctx, guild, channelOf(o)); err != nil || !ok {
		return err
	}
	if quiet, err := g.leftAlone(ctx, guild, o.Author.ID); err != nil || quiet {
		return err
	}
	if forgot, err := g.forgot(ctx, o); err != nil || forgot {
		return err // who wants to share it says so, and is told
	}
	if no, err := g.mayShare(ctx, guild, o.Author.ID, o.Place.Roles); err != nil || no != nil {
		return err
	}
	s, no, err := g.draft(ctx, account, o)
	if err == nil && no != nil && no.Key == words.GalleryNoAccount && g.awaited(guild) {
		return errors.New("an account of the gallery has not logged in yet") // it is told again by each sweep
	}
	if err != nil || no != nil {
		return err // nothing to share: it is a thread like any other
	}
	return g.begin(ctx, s)
}

// channelOf is the channel in which the thread of a message stands.
func channelOf(o discord.Original) community.ChannelID {
	if o.Place.Parent != "" {
		return o.Place.Parent
	}
	return o.Place.Channel
}

// begin stores a submission and plans its offer, unless its message or thread
// has one.
func (g *Gallery) begin(ctx context.Context, s *submission) error {
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		other, err := g.other(ctx, tx, s)
		if err != nil || other != nil {
			return err
		}
		return g.offerIn(ctx, tx, s)
	})
	if err != nil && !errors.Is(err, errTaken) { // an event and a sweep may bring it at once
		return fmt.Errorf("offer to share %s: %w", s.Source, err)
	}
	return nil
}

// other is the submission that stands in the way of a new one: one of the same
// message, whatever became of it by itself, or a live one of the same thread.
func (g *Gallery) other(ctx context.Context, q rows, s *submission) (*submission, error) {
	o, err := load(ctx, q, `source = $1 or spot = $2 and state in ('offered', 'review', 'accepted', 'posting') order by created_at desc limit 1`, string(s.Source), s.Spot)
	if errors.Is(err, errNone) {
		return nil, nil
	}
	return o, err
}

// offerIn stores a submission and plans its offer.
func (g *Gallery) offerIn(ctx context.Context, tx store.Tx, s *submission) error {
	subject, err := subjectOf(ctx, tx, s.Artist)
	if err != nil {
		return err
	}
	s.Subject = subject
	if s.Credit, err = g.creditOf(ctx, tx, s); err != nil {
		return err
	}
	if err := s.insert(ctx, tx); err != nil {
		return err
	}
	msg, text, _ := g.offerMessage(ctx, s)
	e := g.entry(s, ledger.Offered)
	e.Text, e.By = text, ""
	if err := g.Ledger.Write(ctx, tx, e); err != nil {
		return err
	}
	_, err = g.Outbox.Plan(ctx, tx, outbox.Effect{Key: offerKey(s.ID), Feature: Name, Kind: discord.MessageKind, Account: s.Account,
		Payload: discord.Send{Channel: s.Channel, Parts: []discord.Message{msg}}, Expires: s.Expires})
	tx.AfterCommit(func() {
		g.follow(s.Source)
		failpoint.At("y1-offered")
	})
	return err
}

// Follows implements discord.Watcher: changes of messages matter while the
// artist has not decided.
func (g *Gallery) Follows(id community.PostID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.follows[id]
}

func (g *Gallery) follow(id community.PostID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.follows[id] = true
}

func (g *Gallery) unfollow(id community.PostID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.follows, id)
}

// Recover reads which messages matter, at the start of a process.
func (g *Gallery) Recover(ctx context.Context) error {
	r, err := g.Store.Query(ctx, `select source from gallery_submission where state in ('offered', 'review', 'accepted', 'posting')`)
	list, err := store.Collect(r, err, func(row store.Row) (s string, err error) { return s, row.Scan(&s) })
	if err != nil {
		return fmt.Errorf("read which messages are offered to be shared: %w", err)
	}
	for _, id := range list {
		g.follow(community.PostID(id))
	}
	if g.queue == nil {
		return nil
	}
	return g.newWorker().wakeAll(ctx)
}

// Changed implements discord.Watcher: an offer follows its message.
func (g *Gallery) Changed(ctx context.Context, account community.AccountID, id community.PostID, gone bool) error {
	s, err := load(ctx, g.Store, `source = $1 and state in ('offered', 'review', 'accepted', 'posting') limit 1`, string(id))
	if errors.Is(err, errNone) {
		g.unfollow(id)
		return nil
	}
	if err != nil || s.Account != account {
		return err
	}
	if gone {
		return g.gone(ctx, s.ID)
	}
	if s.State != Offered {
		return nil // the worker reads it again before it posts
	}
	return g.reread(ctx, s.ID)
}

// gone ends a submission whose message was deleted.
func (g *Gallery) gone(ctx context.Context, id string) error {
	return g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := lock(ctx, tx, id)
		if err != nil {
			return ignoreNone(err)
		}
		return g.withdraw(ctx, tx, s, "message")
	})
}

func ignoreNone(err error) error {
	if errors.Is(err, errNone) {
		return nil
	}
	return err
}

// reread takes a submission's message over as it is now, and has the offer
// show it.
func (g *Gallery) reread(ctx context.Context, id string) error {
	s, err := get(ctx, g.Store, id)
	if err != nil {
		return ignoreNone(err)
	}
	o, err := g.discord.Read(ctx, s.Account, s.Source)
	switch discord.ClassOf(err) {
	case "":
	case discord.Gone:
		return g.gone(ctx, id)
	default:
		return err
	}
	return g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := lock(ctx, tx, id)
		if err != nil || s.State != Offered {
			return ignoreNone(err)
		}
		if changed, err := g.takeOver(ctx, s, o); err != nil || !changed {
			return err
		}
		return g.store(ctx, tx, s)
	})
}

// store saves a locked submission with its media and has its message show it.
func (g *Gallery) store(ctx context.Context, tx store.Tx, s *submission) error {
	if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
		return err
	}
	if err := s.storeMedia(ctx, tx); err != nil {
		return err
	}
	return g.refresh(ctx, tx, s)
}

// takeOver makes a submission what its message is now. Descriptions that were
// written for a file stay with it. It reports false if nothing has changed.
func (g *Gallery) takeOver(ctx context.Context, s *submission, o discord.Original) (bool, error) {
	if o.Hidden {
		// What cannot be read again stays what it was when it was handed over,
		// but for where it stands.
		changed := s.AgeRestricted != o.Place.AgeRestricted
		s.AgeRestricted = o.Place.AgeRestricted
		return changed, nil
	}
	k, err := g.Settings.kinds(ctx, s.Guild)
	if err != nil {
		return false, err
	}
	same := func(a, b medium) bool { return a.ID == b.ID }
	if digestOf(o) == s.Digest && slices.EqualFunc(s.Media, mediaOf(o, k), same) {
		return false, nil
	}
	was := map[string]medium{}
	for _, m := range s.Media {
		was[m.ID] = m
	}
	s.Media = mediaOf(o, k)
	for i, m := range s.Media {
		w, ok := was[m.ID]
		if !ok {
			continue
		}
		m.Draft = w.Draft
		if w.By != byDiscord && w.By != byNobody {
			m.Alt, m.By = w.Alt, w.By
		}
		s.Media[i] = m
	}
	s.fill(o)
	s.Warned = false
	return true, nil
}

// fill takes over what the post is made of.
func (s *submission) fill(o discord.Original) {
	s.Words, s.HidSpoiler = compose.Words(o, words.Match(s.Language), nil)
	s.Digest, s.Hidden = digestOf(o), o.Hidden
	s.AgeRestricted = o.Place.AgeRestricted
	s.Parent = channelOf(o)
	s.ArtistName = o.Author.Name
}

// digestOf is a hash of what a message says and shows: any change that a reader
// could see changes it. Addresses of files do not count, for they expire.
func digestOf(o discord.Original) string {
	type file struct {
		ID, Name, Type, Description string
		Size                        int64
		Spoiler                     bool
	}
	type embed struct{ Kind, URL, Image, Video string }
	whole := struct {
		Content       string
		Files         []file
		Embeds        []embed
		AgeRestricted bool
	}{Content: o.Content, AgeRestricted: o.Place.AgeRestricted}
	for _, f := range o.Files {
		whole.Files = append(whole.Files, file{f.ID, f.Name, f.Type, f.Description, f.Size, f.Spoiler})
	}
	for _, e := range o.Embeds {
		whole.Embeds = append(whole.Embeds, embed{e.Kind, e.URL, e.Image.URL, e.Video.URL})
	}
	b, _ := json.Marshal(whole) // of strings and numbers: never fails
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// refusal is why something is not done, for who asked for it.
type refusal struct {
	Key  words.Key
	Args words.Args
}

// draft makes a submission of a message, which is not stored yet. The refusal
// says why the message cannot be shared.
func (g *Gallery) draft(ctx context.Context, account community.AccountID, o discord.Original) (*submission, *refusal, error) {
	k, err := g.Settings.kinds(ctx, o.Place.Guild)
	if err != nil {
		return nil, nil, err
	}
	media := mediaOf(o, k)
	if len(media) == 0 {
		return nil, &refusal{Key: words.GalleryNothingToShare}, nil
	}
	targets, err := g.targets(ctx, o.Place.Guild)
	if err != nil {
		return nil, nil, err
	}
	if len(targets) == 0 {
		return nil, &refusal{Key: words.GalleryNoAccount}, nil
	}
	now := g.Clock.Now()
	s := &submission{
		ID: newID(), Account: account, Guild: o.Place.Guild, Channel: o.Thread, Spot: string(o.Thread), Source: o.ID, Artist: o.Author.ID,
		State: Offered, Target: targets[0].ID, Created: now, Changed: now, Expires: now.Add(g.ExpireAfter), Media: media,
	}
	if s.Channel == "" {
		s.Channel, s.Spot = o.Place.Channel, string(o.ID)
	}
	s.Credits, s.Locale = true, o.Language
	s.Language = languageTag(targets[0].Language, o.Language)
	s.fill(o)
	return s, nil, nil
}

// languageTag is the first of two that says something.
func languageTag(set, other string) string {
	if set != "" {
		return set
	}
	return other
}

// offer makes the submission that a member asks for with a command, or finds
// the one there is. The refusal says why there is none.
func (g *Gallery) offer(ctx context.Context, p *discord.Press, o discord.Original) (*submission, *refusal, error) {
	switch {
	case o.Hidden:
		return nil, &refusal{Key: words.GalleryUnreadable}, nil
	case o.Author.ID != p.Member.ID || o.Author.Bot:
		return nil, &refusal{Key: words.GalleryNotYours}, nil
	case o.Forwarded:
		return nil, &refusal{Key: words.GalleryForwarded}, nil
	}
	guild := p.Place.Guild
	if on, err := g.Settings.On(ctx, guild); err != nil {
		return nil, nil, err
	} else if !on {
		return nil, &refusal{Key: words.GalleryOffHere}, nil
	}
	if no, err := g.mayShare(ctx, guild, p.Member.ID, p.Place.Roles); err != nil || no != nil {
		return nil, no, err
	}
	if no, err := g.mayWrite(ctx, p, o); err != nil || no != nil {
		return nil, no, err
	}
	s, no, err := g.draft(ctx, p.Account, o)
	if err != nil || no != nil {
		return nil, no, err
	}
	if forgot, err := g.forgot(ctx, o); err != nil {
		return nil, nil, err
	} else if forgot {
		s.Note = g.say(g.language(ctx, s), words.GalleryRestored, nil)
	}
	var other *submission
	err = g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		other, err = g.other(ctx, tx, s)
		if err != nil || other != nil && (other.State.agreed() || other.State == Offered || other.State == Deleting) {
			return err
		}
		other = nil
		return g.offerIn(ctx, tx, s)
	})
	if errors.Is(err, errTaken) { // by another press, just now
		other, err = g.other(ctx, g.Store, s)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("offer to share %s: %w", o.ID, err)
	}
	if other != nil {
		return other, nil, nil
	}
	return s, nil, nil
}

// mayWrite tells whether the bot can show its offer.
func (g *Gallery) mayWrite(ctx context.Context, p *discord.Press, o discord.Original) (*refusal, error) {
	channel, want := o.Thread, discord.ViewChannel|discord.SendInThreads
	if channel == "" {
		channel, want = o.Place.Channel, discord.ViewChannel|discord.SendMessages
	}
	missing, err := g.discord.Missing(ctx, o.Place.Guild, channel, want)
	switch discord.ClassOf(err) {
	case "":
	case discord.Gone, discord.Forbidden:
		missing = discord.ViewChannel
	default:
		return nil, err
	}
	if missing == 0 {
		return nil, nil
	}
	return &refusal{Key: words.GalleryMayNotWrite, Args: words.Args{"permissions": strings.Join(g.discord.PermissionNames(p.Language, missing), ", ")}}, nil
}

// leftAlone tells whether a member does not want to be asked in a guild, or to
// be left alone by the bot altogether.
func (g *Gallery) leftAlone(ctx context.Context, guild community.GuildID, member community.MemberID) (bool, error) {
	var n int64
	err := g.Store.QueryRow(ctx, `select count(*) from gallery_quiet where guild = $1 and member = $2`, string(guild), string(member)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up who wants to be asked: %w", err)
	}
	if n > 0 || g.Stopped == nil {
		return n > 0, nil
	}
	handle := strings.ToLower(discord.HandleOf(member))
	stopped, err := g.Stopped(ctx, g.Store, handle)
	return stopped[handle], err
}

// dayAgo is when a day that ends now began.
func (g *Gallery) dayAgo() time.Time { return g.Clock.Now().Add(-24 * time.Hour) }

// forgot tells whether a message is from before a backup was put back: it may
// have been shared at a time of which nothing is known.
func (g *Gallery) forgot(ctx context.Context, o discord.Original) (bool, error) {
	var at int64
	if err := g.Store.QueryRow(ctx, `select coalesce(max(at), 0) from gallery_restored`).Scan(&at); err != nil {
		return false, fmt.Errorf("see when a backup was put back: %w", err)
	}
	return o.At.Before(timeOf(at)), nil
}

// Restored gives what was not posted when a backup was made back to its artist:
// it may stand by now, and nobody here knows. It is called once, after the
// database was put back, and tells how many there were. What stood then may be
// deleted by now: that is looked at again.
func (g *Gallery) Restored(ctx context.Context) (int, error) {
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into gallery_restored (at) values ($1)`, g.Clock.Now().UnixMilli())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("note that a backup was put back: %w", err)
	}
	if err := g.lookAgain(ctx); err != nil {
		return 0, err
	}
	r, err := g.Store.Query(ctx, `select id from gallery_submission where state in ('offered', 'review', 'accepted') order by id`)
	ids, err := store.Collect(r, err, func(row store.Row) (s string, err error) { return s, row.Scan(&s) })
	if err != nil {
		return 0, fmt.Errorf("see what was not posted yet: %w", err)
	}
	for _, id := range ids {
		err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			s, err := lock(ctx, tx, id)
			if err != nil || s.State != Offered && s.State != Review && s.State != Accepted {
				return ignoreNone(err)
			}
			return g.reofferIn(ctx, tx, s, nil, words.GalleryRestored, nil)
		})
		if err != nil {
			return 0, fmt.Errorf("give submission %s back after a restore: %w", id, err)
		}
	}
	return len(ids), nil
}
