package gallery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/store"
	"rookery/internal/words"
)

// mayShare tells why a member may not share from a guild; nil if they may.
func (g *Gallery) mayShare(ctx context.Context, guild community.GuildID, member community.MemberID, roles []community.RoleID) (*refusal, error) {
	if blocked, err := g.blocked(ctx, guild, member); err != nil || blocked {
		return &refusal{Key: words.GalleryBlocked}, err
	}
	some, err := g.Settings.roles.In(ctx, guild)
	if err != nil {
		return nil, err
	}
	if len(some) > 0 && !slices.ContainsFunc(some, func(r community.RoleID) bool { return slices.Contains(roles, r) }) {
		return &refusal{Key: words.GalleryNoRole}, nil
	}
	days, err := g.Settings.days.In(ctx, guild)
	if err != nil || days == 0 {
		return nil, err
	}
	since, err := g.discord.MemberSince(ctx, guild, member)
	switch discord.ClassOf(err) {
	case "":
	case discord.Gone, discord.Forbidden:
		return &refusal{Key: words.GalleryTooNew, Args: words.Args{"n": days}}, nil
	default:
		return nil, err
	}
	if from := since.Add(time.Duration(days) * 24 * time.Hour); g.Clock.Now().Before(from) {
		return &refusal{Key: words.GalleryTooNew, Args: words.Args{"n": days}}, nil
	}
	return nil, nil
}

// blocked tells whether moderators have taken sharing away from a member.
func (g *Gallery) blocked(ctx context.Context, guild community.GuildID, member community.MemberID) (bool, error) {
	var n int64
	err := g.Store.QueryRow(ctx, `select count(*) from gallery_block where guild = $1 and member = $2`, string(guild), string(member)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up who may share: %w", err)
	}
	return n > 0, nil
}

// overLimit tells why no more may be shared just now; nil if there is room. It
// is asked in the transaction that stores a yes.
func (g *Gallery) overLimit(ctx context.Context, tx store.Tx, s *submission) (*refusal, error) {
	daily, err := g.Settings.daily.InTx(ctx, tx, s.Guild)
	if err != nil {
		return nil, err
	}
	hourly, err := g.Settings.hourly.InTx(ctx, tx, s.Guild)
	if err != nil {
		return nil, err
	}
	count := func(where string, args ...any) (n int64, err error) {
		err = tx.QueryRow(ctx, `select count(*) from gallery_submission where id <> $1 and agreed_at > $2 and state in ('review', 'accepted', 'posting', 'posted', 'deleting', 'deleted') and `+where,
			append([]any{s.ID}, args...)...).Scan(&n)
		return n, err
	}
	// Who shares and deletes a hundred times a day has shared a hundred times.
	n, err := count(`artist = $3 and guild = $4`, g.dayAgo().UnixMilli(), string(s.Artist), string(s.Guild))
	if err == nil && n >= int64(daily) {
		return &refusal{Key: words.GalleryDailyLimit, Args: words.Args{"n": daily}}, nil
	}
	var all int64
	if err == nil {
		all, err = count(`guild = $3`, g.Clock.Now().Add(-time.Hour).UnixMilli(), string(s.Guild))
	}
	if err != nil {
		return nil, fmt.Errorf("count what was shared: %w", err)
	}
	if all >= int64(hourly) {
		return &refusal{Key: words.GalleryHourlyLimit, Args: words.Args{"n": hourly}}, nil
	}
	return nil, nil
}

// targets are the accounts that a guild may share as, the first its own choice.
func (g *Gallery) targets(ctx context.Context, guild community.GuildID) ([]Account, error) {
	wanted, err := g.Settings.accounts.In(ctx, guild)
	if err != nil {
		return nil, err
	}
	var open []Account
	for _, a := range g.Accounts() {
		if a.ID != "" && a.Open(guild) {
			open = append(open, a)
		}
	}
	names := strings.FieldsFunc(wanted, func(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '\n' })
	if len(names) == 0 {
		return open, nil
	}
	var chosen []Account
	for _, name := range names {
		i := slices.IndexFunc(open, func(a Account) bool {
			return strings.EqualFold(a.Name, name) || strings.EqualFold(a.Handle, strings.TrimPrefix(name, "@"))
		})
		if i >= 0 && !slices.ContainsFunc(chosen, func(a Account) bool { return a.ID == open[i].ID }) {
			chosen = append(chosen, open[i])
		}
	}
	return chosen, nil
}

// moderates tells whether who pressed may take down a submission. What is
// allowed in one channel alone counts only where it was shared: who manages a
// channel of their own does not manage the others.
func (g *Gallery) moderates(p *discord.Press, s *submission) bool {
	if p.Place.Guild == "" || p.Place.Guild != s.Guild || !g.isModerator(p) {
		return false
	}
	for _, whole := range []discord.Permission{discord.ModerateMembers, discord.ManageGuild, discord.Administrator} { // no channel changes these
		if p.Permissions.Has(whole) {
			return true
		}
	}
	at := []community.ChannelID{p.Place.Channel, p.Place.Parent}
	return slices.Contains(at, s.Channel) || s.Parent != "" && slices.Contains(at, s.Parent)
}

// isModerator tells whether who pressed moderates the place where they did.
func (g *Gallery) isModerator(p *discord.Press) bool {
	return p.Place.Guild != "" && (p.Permissions.Has(discord.ManageMessages) || p.Permissions.Has(discord.Administrator))
}

// subjectOf is what the ledger calls a member, made at the first time. It says
// nothing about them without the row that it stands in.
func subjectOf(ctx context.Context, tx store.Tx, member community.MemberID) (string, error) {
	var subject string
	err := tx.QueryRow(ctx, `insert into gallery_artist (member, subject) values ($1, $2)
		on conflict (member) do update set member = excluded.member returning subject`, string(member), newID()).Scan(&subject)
	if err != nil {
		return "", fmt.Errorf("look up what the ledger calls a member: %w", err)
	}
	return subject, nil
}

// The alphabet of delete codes: no letter that is read as another (Crockford's
// base 32, https://www.crockford.com/base32.html).
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLength is the letters of a code: 60 bits, which nobody guesses.
const codeLength = 12

// makeCode makes a delete code, in its normal form.
func (g *Gallery) makeCode() string {
	var b [codeLength]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = codeLetters[int(b[i])%len(codeLetters)]
	}
	return string(b[:])
}

// normalCode is a delete code as it is stored; "" for what is none.
func normalCode(s string) string {
	s = strings.NewReplacer("O", "0", "I", "1", "L", "1", "-", "", " ", "", "`", "", "–", "").Replace(strings.ToUpper(strings.TrimSpace(s)))
	if len(s) != codeLength || strings.Trim(s, codeLetters) != "" {
		return ""
	}
	return s
}

// shownCode is a delete code as people read it.
func shownCode(code string) string {
	if len(code) != codeLength {
		return code
	}
	return code[:4] + "-" + code[4:8] + "-" + code[8:]
}

// profile is what a member has said of themselves.
type profile struct {
	Name  string
	Links []string
}

func profileOf(ctx context.Context, q rows, member community.MemberID) (p profile, err error) {
	var links string
	err = q.QueryRow(ctx, `select name, links from gallery_artist where member = $1`, string(member)).Scan(&p.Name, &links)
	if errors.Is(err, store.ErrNoRows) {
		return p, nil
	}
	if err == nil {
		p.Links, err = readLinks(links)
	}
	if err != nil {
		return p, fmt.Errorf("read a profile: %w", err)
	}
	return p, nil
}

// awaited tells that an account that a guild may use has not logged in yet.
func (g *Gallery) awaited(guild community.GuildID) bool {
	return slices.ContainsFunc(g.Accounts(), func(a Account) bool { return a.ID == "" && a.Open(guild) })
}
