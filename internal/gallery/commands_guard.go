package gallery

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/store"
	"rookery/internal/words"
)

// blockCommand takes sharing away from a member. Who did so and when is kept.
func (g *Gallery) blockCommand(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	member := community.MemberID(p.Options.Text(optionMember))
	if p.Place.Guild == "" || member == "" {
		return g.tell(p, words.GalleryModeratorsOnly, nil), nil
	}
	n, err := g.exec(ctx, `insert into gallery_block (guild, member, by, at) values ($1, $2, $3, $4) on conflict (guild, member) do nothing`,
		string(p.Place.Guild), string(member), string(p.Member.ID), g.Clock.Now().UnixMilli())
	if err != nil {
		return discord.Answer{}, fmt.Errorf("block a member: %w", err)
	}
	key := words.GalleryCommandsBlocked
	if n == 0 {
		key = words.GalleryCommandsBlockedAlready
	}
	return g.tell(p, key, words.Args{"member": mention(member)}), nil
}

// unblockCommand lets a member share again.
func (g *Gallery) unblockCommand(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	member := community.MemberID(p.Options.Text(optionMember))
	n, err := g.exec(ctx, `delete from gallery_block where guild = $1 and member = $2`, string(p.Place.Guild), string(member))
	if err != nil {
		return discord.Answer{}, fmt.Errorf("unblock a member: %w", err)
	}
	key := words.GalleryCommandsUnblocked
	if n == 0 {
		key = words.GalleryCommandsNotBlocked
	}
	return g.tell(p, key, words.Args{"member": mention(member)}), nil
}

func (g *Gallery) exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		n, err = tx.Exec(ctx, sql, args...)
		return err
	})
	return n, err
}

// mention shows a member by the name that they have now; it notifies nobody.
func mention(id community.MemberID) string { return "<@" + string(id) + ">" }

// blockedCommand lists who may not share from a guild.
func (g *Gallery) blockedCommand(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	type blocked struct {
		member, by community.MemberID
		at         time.Time
	}
	r, err := g.Store.Query(ctx, `select member, by, at from gallery_block where guild = $1 order by at desc, member`, string(p.Place.Guild))
	all, err := store.Collect(r, err, func(row store.Row) (b blocked, err error) {
		var at int64
		err = row.Scan((*string)(&b.member), (*string)(&b.by), &at)
		b.at = time.UnixMilli(at)
		return b, err
	})
	if err != nil {
		return discord.Answer{}, fmt.Errorf("list who is blocked: %w", err)
	}
	if len(all) == 0 {
		return g.tell(p, words.GalleryCommandsNobodyBlocked, nil), nil
	}
	text := g.say(p.Language, words.GalleryCommandsBlockedList, words.Args{"n": len(all)})
	for i, b := range all {
		args := words.Args{"member": mention(b.member), "moderator": mention(b.by), "date": p.Language.Date(b.at.UTC())}
		key := words.GalleryCommandsBlockedLine
		if b.by == "" {
			key = words.GalleryCommandsBlockedLineNobody
		}
		line := "\n" + g.say(p.Language, key, args)
		if discord.Length(text+line) > discord.MaxContent-100 {
			text += "\n" + g.say(p.Language, words.GalleryCommandsBlockedMore, words.Args{"n": len(all) - i})
			break
		}
		text += line
	}
	return g.private(strings.TrimSpace(text)), nil
}
