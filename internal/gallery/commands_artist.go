package gallery

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery/compose"
	"rookery/internal/store"
	"rookery/internal/words"
)

const (
	// mostName is how long the name in the credits may be, in characters.
	mostName = 80
	// mostLinksText bounds what is written for links, in characters.
	mostLinksText = 3_000
	// perList is how many posts a page of /artist posts shows: each has a button.
	perList = discord.MaxButtons
)

// profileCommand shows what a member is credited as, or changes it.
func (g *Gallery) profileCommand(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	change := p.Options.Given(optionName) || p.Options.Given(optionLinks) || p.Options.Bool(optionClear)
	if !change {
		now, err := profileOf(ctx, g.Store, p.Member.ID)
		if err != nil {
			return discord.Answer{}, err
		}
		return g.private(g.sayProfile(p, now, words.GalleryCommandsProfile)), nil
	}
	links, bad := linksOf(p.Options.Text(optionLinks))
	if bad != "" {
		return g.tell(p, words.GalleryCommandsBadLink, words.Args{"link": discord.Escape(shorten(bad, 100)), "n": compose.MaxLinks}), nil
	}
	name := oneLine(p.Options.Text(optionName))
	if utf8.RuneCountInString(name) > mostName {
		return g.tell(p, words.GalleryCommandsLongName, words.Args{"n": mostName}), nil
	}
	var now profile
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if now, err = profileOf(ctx, tx, p.Member.ID); err != nil {
			return err
		}
		if p.Options.Bool(optionClear) {
			now = profile{}
		}
		if name != "" {
			now.Name = name
		}
		if len(links) > 0 {
			now.Links = links
		}
		return g.setProfile(ctx, tx, p.Member.ID, now)
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("change a profile: %w", err)
	}
	return g.private(g.sayProfile(p, now, words.GalleryCommandsProfileSet)), nil
}

// linksOf are the addresses in what a member wrote; bad is the first that
// cannot be one.
func linksOf(text string) (links []string, bad string) {
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\n' || r == '\t' }) {
		link, ok := compose.Link(plainRef(s))
		if !ok || len(links) == compose.MaxLinks {
			return nil, s
		}
		links = append(links, link)
	}
	return links, ""
}

// setProfile stores a profile, and has the offers that are open show it.
func (g *Gallery) setProfile(ctx context.Context, tx store.Tx, member community.MemberID, to profile) error {
	links, err := json.Marshal(append([]string{}, to.Links...))
	if err != nil {
		return err
	}
	if _, err := subjectOf(ctx, tx, member); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update gallery_artist set name = $2, links = $3 where member = $1`,
		string(member), store.Storable(to.Name, 8*mostName), store.Storable(string(links), 1<<14)); err != nil {
		return err
	}
	r, err := tx.Query(ctx, `select id from gallery_submission where artist = $1 and state = 'offered' order by id`, string(member))
	open, err := store.Collect(r, err, func(row store.Row) (id string, err error) { return id, row.Scan(&id) })
	if err != nil {
		return err
	}
	for _, id := range open {
		s, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.Credit, err = g.creditOf(ctx, tx, s); err != nil {
			return err
		}
		if err := g.store(ctx, tx, s); err != nil {
			return err
		}
	}
	return nil
}

// sayProfile says what a member is credited as.
func (g *Gallery) sayProfile(p *discord.Press, now profile, key words.Key) string {
	name := now.Name
	if name == "" {
		name = p.Member.Name
	}
	text := g.say(p.Language, key, words.Args{"credit": discord.Escape(compose.Credits(name, now.Links, p.Language))})
	if now.Name == "" {
		text += " " + g.say(p.Language, words.GalleryCommandsProfileGuild, nil)
	}
	return text
}

// offersCommand turns the question on again, or off.
func (g *Gallery) offersCommand(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	ask, here := p.Options.Bool(optionAsk), p.Place.Guild
	if here == "" && !ask {
		return g.tell(p, words.GalleryCommandsOffersWhere, nil), nil
	}
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		switch {
		case !ask:
			_, err = tx.Exec(ctx, `insert into gallery_quiet (guild, member) values ($1, $2) on conflict do nothing`, string(here), string(p.Member.ID))
		case here == "":
			_, err = tx.Exec(ctx, `delete from gallery_quiet where member = $1`, string(p.Member.ID))
		default:
			_, err = tx.Exec(ctx, `delete from gallery_quiet where guild = $1 and member = $2`, string(here), string(p.Member.ID))
		}
		return err
	})
	switch {
	case err != nil:
		return discord.Answer{}, fmt.Errorf("note who wants to be asked: %w", err)
	case !ask:
		return g.tell(p, words.GalleryCommandsOffersOff, nil), nil
	case here == "":
		return g.tell(p, words.GalleryCommandsOffersOnAll, nil), nil
	}
	return g.tell(p, words.GalleryCommandsOffersOn, nil), nil
}

// postsCommand lists what a member has shared, wherever that was.
func (g *Gallery) postsCommand(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	m, err := g.postsPage(ctx, p, 0)
	if err != nil {
		return discord.Answer{}, err
	}
	return discord.Answer{Message: &m, Private: true}, nil
}

// pressPosts turns the page of that list.
func (g *Gallery) pressPosts(ctx context.Context, p *discord.Press, page string) (discord.Answer, error) {
	n, _ := strconv.Atoi(page) // what is no number is the first page
	m, err := g.postsPage(ctx, p, n)
	if err != nil {
		return discord.Answer{}, err
	}
	return discord.Answer{Update: &m}, nil
}

// postsPage is a page of a member's posts, from 0; one beyond the last is the
// last.
func (g *Gallery) postsPage(ctx context.Context, p *discord.Press, page int) (discord.Message, error) {
	const mine = `from gallery_submission where artist = $1 and state in ('review', 'accepted', 'posting', 'posted', 'deleting')`
	var n int64
	if err := g.Store.QueryRow(ctx, `select count(*) `+mine, string(p.Member.ID)).Scan(&n); err != nil {
		return discord.Message{}, fmt.Errorf("count what a member has shared: %w", err)
	}
	if n == 0 {
		return discord.Message{Content: g.say(p.Language, words.GalleryCommandsNoPosts, nil), NoPreviews: true}, nil
	}
	pages := (int(n) + perList - 1) / perList
	page = max(0, min(page, pages-1))
	r, err := g.Store.Query(ctx, `select `+columns+` `+mine+` order by agreed_at desc, id limit $2 offset $3`, string(p.Member.ID), int64(perList), int64(page*perList))
	all, err := store.Collect(r, err, scanSubmission)
	if err != nil {
		return discord.Message{}, fmt.Errorf("read what a member has shared: %w", err)
	}
	lines := []string{g.say(p.Language, words.GalleryCommandsPosts, words.Args{"n": n})}
	var remove, turn []discord.Button
	for i, s := range all {
		a, _ := g.account(s.Target)
		args := words.Args{"number": strconv.Itoa(page*perList + i + 1), "link": s.PostURL, "account": discord.Escape(handleOf(a)), "code": shownCode(s.Code)}
		key := words.GalleryCommandsPostLine
		switch {
		case s.State == Deleting:
			key = words.GalleryCommandsPostGoes
		case s.State != Posted:
			key = words.GalleryCommandsPostWaits
		case s.PostURL == "":
			key = words.GalleryCommandsPostNoLink
		}
		lines = append(lines, g.say(p.Language, key, args))
		if s.State == Posted {
			remove = append(remove, discord.Button{ID: discord.CustomID(action, verbDelete, s.ID), Style: discord.Danger,
				Label: shorten(g.say(p.Language, words.GalleryCommandsDeleteNumber, args), mostButton)})
		}
	}
	other := func(page int, key words.Key) {
		turn = append(turn, discord.Button{ID: discord.CustomID(action, verbPosts, strconv.Itoa(page)), Label: g.say(p.Language, key, nil)})
	}
	if page > 0 {
		other(page-1, words.GalleryCommandsNewer)
	}
	if page < pages-1 {
		other(page+1, words.GalleryCommandsOlder)
	}
	m := discord.Message{Content: shorten(strings.Join(lines, "\n"), discord.MaxContent), NoPreviews: true}
	for _, b := range [][]discord.Button{remove, turn} {
		if len(b) > 0 {
			m.Rows = append(m.Rows, discord.Row{Buttons: b})
		}
	}
	return m, nil
}
