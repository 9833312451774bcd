package persona

import (
	"context"
	"fmt"
	"strings"

	"rookery/internal/budget"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/words"
)

// Commands are what members can ask the persona for on Discord besides talk.
func (p *Persona) Commands() []discord.Command {
	return []discord.Command{{
		Name: "quota", Kind: discord.Slash, Names: words.QuotaName, Help: words.QuotaHelp,
		Private: true, Direct: true, Handle: p.quota,
		On: func(ctx context.Context, guild community.GuildID) bool {
			on, err := p.Settings.on(ctx, nil, guild)
			return err == nil && on
		},
	}}
}

// quota tells a member what they have used today, and who manages the guild
// what all have used there.
func (p *Persona) quota(ctx context.Context, press *discord.Press) (discord.Answer, error) {
	text, err := p.quotaText(ctx, press)
	if err != nil {
		return discord.Answer{}, fmt.Errorf("tell a quota: %w", err)
	}
	return discord.Answer{Message: &discord.Message{Content: text}, Private: true}, nil
}

func (p *Persona) quotaText(ctx context.Context, press *discord.Press) (string, error) {
	l := press.Language
	if p.Budget == nil {
		return l.Say(words.QuotaNothing, nil), nil
	}
	who, err := p.spender(ctx, community.Mention{Account: press.Account, Post: community.Post{Author: press.Member, Place: press.Place}})
	if err != nil {
		return "", err
	}
	q, err := p.Budget.Quota(ctx, who)
	if err != nil {
		return "", err
	}
	lines := []string{l.Say(words.QuotaYou, nil), p.used(l, words.QuotaReplies, q.Replies, false)}
	if press.Place.Guild != "" && q.There.Limit != budget.Unlimited {
		lines = append(lines, p.used(l, words.QuotaHere, q.There, false))
	}
	lines = append(lines, p.used(l, words.QuotaTokens, q.Tokens, false))
	if p.Budget.Prices.Set {
		lines = append(lines, p.used(l, words.QuotaMoney, q.Money, true))
	}
	if press.Place.Guild != "" && press.Permissions.Has(discord.ManageGuild) {
		lines = append(lines, "", l.Say(words.QuotaGuild, nil), p.used(l, words.QuotaTokens, q.GuildTokens, false))
		if p.Budget.Prices.Set {
			lines = append(lines, p.used(l, words.QuotaMoney, q.GuildMoney, true))
		}
	}
	lines = append(lines, "", l.Say(words.QuotaRenews, words.Args{
		"time": discord.FormatTime(q.Renews, discord.DateTime), "left": discord.FormatTime(q.Renews, discord.Relative)}))
	if p.shared(press.Place.Guild) {
		lines = append(lines, l.Say(words.QuotaTogether, nil))
	}
	return strings.Join(lines, "\n"), nil
}

// shared tells whether there is a budget that a member shares with others.
func (p *Persona) shared(guild community.GuildID) bool {
	limits := p.Budget.Limits
	tokens, money := max(limits.TokensPerDay, limits.TokensPerAccount), max(limits.MoneyPerDay, limits.MoneyPerAccount)
	if guild != "" {
		tokens, money = max(tokens, limits.TokensPerGuild), max(money, limits.MoneyPerGuild)
	}
	return tokens >= 0 || money >= 0 && p.Budget.Prices.Set
}

// used is a line on how much of something is used. What answers under way hold
// counts: it is as good as used.
func (p *Persona) used(l words.Language, what words.Key, u budget.Use, money bool) string {
	var used, limit any = u.Used + u.Held, u.Limit
	if money {
		used, limit = p.sum(u.Used+u.Held), p.sum(u.Limit)
	}
	amount := words.Phrase{Key: words.QuotaLimited, Args: words.Args{"used": used, "limit": limit}}
	if u.Limit == budget.Unlimited {
		amount = words.Phrase{Key: words.QuotaNoLimit, Args: words.Args{"used": used}}
	}
	return l.Say(what, words.Args{"amount": amount})
}

// sum is an amount of money as people read it.
func (p *Persona) sum(millionths int64) string {
	return strings.TrimSpace(budget.Money(millionths).String() + " " + p.Budget.Currency)
}
