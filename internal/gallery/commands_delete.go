package gallery

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"rookery/internal/discord"
	"rookery/internal/gallery/ledger"
	"rookery/internal/store"
	"rookery/internal/words"
)

// deleteCommand is /delete_fedi: it deletes a post, or takes back what is not
// posted yet.
func (g *Gallery) deleteCommand(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	ref := p.Options.Text(optionPost)
	if plainRef(ref) == "" {
		return g.deleteHere(ctx, p)
	}
	f, err := g.find(ctx, ref)
	if err != nil {
		return discord.Answer{}, err
	}
	if len(f.all) == 0 {
		return g.tell(p, words.GalleryNoPost, nil), nil
	}
	if f.code {
		return g.deleteFor(ctx, p, f.all[0], "code", true)
	}
	mine := slices.DeleteFunc(f.all, func(s *submission) bool { return !g.mayDelete(p, s) })
	if len(mine) == 0 {
		return g.tell(p, words.GalleryNotYourPost, nil), nil
	}
	slices.SortStableFunc(mine, byUrgency)
	return g.deleteFor(ctx, p, mine[0], "command", false)
}

// byUrgency sorts what can be deleted before what cannot.
func byUrgency(a, b *submission) int { return urgency(a.State) - urgency(b.State) }

func urgency(s State) int {
	switch s {
	case Posted, Posting:
		return 0
	case Offered, Review, Accepted:
		return 1
	case Deleting:
		return 2
	case Deleted:
		return 3
	case Declined, Expired, Withdrawn, Rejected:
	}
	return 4
}

// deleteHere deletes what was shared from the thread in which the command was
// given. Where it may mean several, it asks which.
func (g *Gallery) deleteHere(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if p.Place.Guild == "" {
		return g.tell(p, words.GalleryNoPost, nil), nil
	}
	all, err := g.where(ctx, `channel = $1 and guild = $2`, string(p.Place.Channel), string(p.Place.Guild))
	if err != nil {
		return discord.Answer{}, err
	}
	others := slices.ContainsFunc(all, func(s *submission) bool { return urgency(s.State) < urgency(Deleted) && !g.mayDelete(p, s) })
	all = slices.DeleteFunc(all, func(s *submission) bool { return !g.mayDelete(p, s) || urgency(s.State) > urgency(Deleted) })
	slices.SortStableFunc(all, byUrgency)
	standing := slices.DeleteFunc(slices.Clone(all), func(s *submission) bool { return s.State != Posted })
	switch {
	case len(standing) > 1 || len(standing) == 1 && p.Place.Parent == "":
		// In a channel that is no thread it may be meant for something else.
		return g.askWhich(p, standing), nil
	case len(all) > 0:
		return g.deleteFor(ctx, p, all[0], "command", false)
	case others:
		return g.tell(p, words.GalleryNotYourPost, nil), nil
	}
	return g.tell(p, words.GalleryNoPost, nil), nil
}

// askWhich asks which post is meant.
func (g *Gallery) askWhich(p *discord.Press, all []*submission) discord.Answer {
	lines := []string{g.say(p.Language, words.GalleryCommandsWhich, nil)}
	var buttons []discord.Button
	for i, s := range all[:min(len(all), perList)] {
		a, _ := g.account(s.Target)
		args := words.Args{"number": strconv.Itoa(i + 1), "link": s.PostURL, "account": discord.Escape(handleOf(a))}
		key := words.GalleryCommandsWhichLine
		if s.PostURL == "" {
			key = words.GalleryCommandsWhichNoLink
		}
		lines = append(lines, g.say(p.Language, key, args))
		buttons = append(buttons, discord.Button{ID: discord.CustomID(action, verbDelete, s.ID), Style: discord.Danger,
			Label: shorten(g.say(p.Language, words.GalleryCommandsDeleteNumber, args), mostButton)})
	}
	if len(all) > perList {
		lines = append(lines, g.say(p.Language, words.GalleryCommandsWhichMore, words.Args{"n": len(all) - perList}))
	}
	return discord.Answer{Private: true, Message: &discord.Message{Content: shorten(strings.Join(lines, "\n"), discord.MaxContent), NoPreviews: true,
		Rows: []discord.Row{{Buttons: buttons}}}}
}

// strange tells that a submission's account is not in the configuration any
// more, so that nobody here can delete its post. One that has not logged in yet
// may be any.
func (g *Gallery) strange(s *submission) bool {
	for _, a := range g.Accounts() {
		if a.ID == s.Target || a.ID == "" {
			return false
		}
	}
	return true
}

// tellStrange tells the operator of a post that shall be deleted and cannot be.
func (g *Gallery) tellStrange(ctx context.Context, tx store.Tx, s *submission) error {
	if g.Tell == nil {
		return nil
	}
	args := words.Args{"link": linkOf(s), "account": string(s.Target)}
	return g.Tell(ctx, tx, "gallery/strange/"+s.ID, func(l words.Language) string { return l.Say(words.GalleryOperatorStrange, args) })
}

// linkOf is where a submission's post is, as far as that is known.
func linkOf(s *submission) string {
	if s.PostURL != "" {
		return s.PostURL
	}
	return string(s.Post)
}

// deletedBy is who has a post deleted by a command or a press, for the ledger.
func deletedBy(ctx context.Context, tx store.Tx, s *submission, p *discord.Press, via string, code bool) (deletion, error) {
	by := deletion{event: ledger.Deleted, by: s.Subject, via: via, asking: askingOf(p)}
	switch {
	case s.Artist == p.Member.ID:
	case code:
		by.by, by.note = "somebody who had the delete code", "by somebody who had the delete code"
	default:
		moderator, err := subjectOf(ctx, tx, p.Member.ID)
		if err != nil {
			return by, err
		}
		by.event, by.by = ledger.TakenDown, "moderator "+moderator
	}
	return by, nil
}
