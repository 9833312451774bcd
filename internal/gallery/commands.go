package gallery

import (
	"context"
	"fmt"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/words"
)

// The names of the commands.
const (
	// ShareName is the entry of a message's menu, in English.
	ShareName     = "Share to the Fediverse"
	shareCommand  = "share"
	artistCommand = "artist"
	deleteCommand = "delete_fedi"
	guardCommand  = "gallery"
)

// Their options.
const (
	optionName   = "name"
	optionLinks  = "links"
	optionClear  = "clear"
	optionAsk    = "ask"
	optionPost   = "post"
	optionMember = "member"
)

// Commands are what members can give on Discord. A post can be deleted from
// anywhere, whatever a guild has turned on.
func (g *Gallery) Commands() []discord.Command {
	on := func(ctx context.Context, guild community.GuildID) bool {
		on, err := g.Settings.On(ctx, guild)
		return err == nil && on
	}
	name, links, ref := float64(mostName), float64(mostLinksText), float64(longestRef)
	return []discord.Command{
		{Name: ShareName, Kind: discord.OnMessage, Names: words.GalleryCommandsShareMenu, Private: true, On: on, Handle: g.shareMessage},
		{Name: shareCommand, Kind: discord.Slash, Help: words.GalleryCommandsShareHelp, Private: true, On: on, Handle: g.shareThread},
		{Name: artistCommand, Kind: discord.Slash, Help: words.GalleryCommandsArtistHelp, Private: true, Direct: true, On: on, Subs: []discord.Command{
			{Name: "profile", Help: words.GalleryCommandsProfileHelp, Handle: g.profileCommand, Options: []discord.Option{
				{Name: optionName, Names: words.GalleryCommandsOptionName, Help: words.GalleryCommandsOptionNameHelp, Kind: discord.OptionText, Max: &name},
				{Name: optionLinks, Names: words.GalleryCommandsOptionLinks, Help: words.GalleryCommandsOptionLinksHelp, Kind: discord.OptionText, Max: &links},
				{Name: optionClear, Names: words.GalleryCommandsOptionClear, Help: words.GalleryCommandsOptionClearHelp, Kind: discord.OptionBool},
			}},
			{Name: "posts", Help: words.GalleryCommandsPostsHelp, Handle: g.postsCommand},
			{Name: "offers", Help: words.GalleryCommandsOffersHelp, Handle: g.offersCommand, Options: []discord.Option{
				{Name: optionAsk, Names: words.GalleryCommandsOptionAsk, Help: words.GalleryCommandsOptionAskHelp, Kind: discord.OptionBool, Required: true},
			}},
		}},
		{Name: deleteCommand, Kind: discord.Slash, Help: words.GalleryCommandsDeleteHelp, Private: true, Direct: true, Handle: g.deleteCommand, Options: []discord.Option{
			{Name: optionPost, Names: words.GalleryCommandsOptionPost, Help: words.GalleryCommandsOptionPostHelp, Kind: discord.OptionText, Max: &ref},
		}},
		{Name: guardCommand, Kind: discord.Slash, Help: words.GalleryCommandsGuardHelp, Private: true, Permission: discord.ModerateMembers, On: on, Subs: []discord.Command{
			{Name: "block", Help: words.GalleryCommandsBlockHelp, Handle: g.blockCommand, Options: []discord.Option{memberOption()}},
			{Name: "unblock", Help: words.GalleryCommandsUnblockHelp, Handle: g.unblockCommand, Options: []discord.Option{memberOption()}},
			{Name: "blocked", Help: words.GalleryCommandsBlockedHelp, Handle: g.blockedCommand},
		}},
	}
}

func memberOption() discord.Option {
	return discord.Option{Name: optionMember, Names: words.GalleryCommandsOptionMember, Help: words.GalleryCommandsOptionMemberHelp, Kind: discord.OptionMember, Required: true}
}

// tell says something to who gave a command, and to nobody else.
func (g *Gallery) tell(p *discord.Press, k words.Key, a words.Args) discord.Answer {
	return g.private(g.say(p.Language, k, a))
}

// shareMessage is the entry of a message's menu.
func (g *Gallery) shareMessage(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if p.Original == nil {
		return g.tell(p, words.GalleryUnreadable, nil), nil
	}
	return g.share(ctx, p, *p.Original)
}

// shareThread shares what a thread began with.
func (g *Gallery) shareThread(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if p.Place.Parent == "" {
		return g.tell(p, words.GalleryCommandsShareHow, nil), nil
	}
	o, err := g.discord.Starter(ctx, p.Account, p.Place.Channel)
	switch discord.ClassOf(err) {
	case "":
	case discord.Gone:
		return g.tell(p, words.GalleryMessageGone, nil), nil
	case discord.Forbidden:
		return g.tell(p, words.GalleryUnreadable, nil), nil
	default:
		return g.tell(p, words.GalleryUnreadNow, nil), nil
	}
	if o.Author.ID != p.Member.ID {
		return g.tell(p, words.GalleryCommandsNotYourThread, nil), nil
	}
	return g.share(ctx, p, o)
}

// share offers to share a message, and tells its author where the offer stands.
func (g *Gallery) share(ctx context.Context, p *discord.Press, o discord.Original) (discord.Answer, error) {
	s, no, err := g.offer(ctx, p, o)
	switch {
	case err != nil:
		return discord.Answer{}, err
	case no != nil:
		return g.tell(p, no.Key, no.Args), nil
	case s.Source != o.ID:
		return g.tell(p, words.GalleryCommandsOneAtATime, nil), nil
	case s.State == Offered:
		return g.tell(p, words.GalleryCommandsOffered, words.Args{"channel": fmt.Sprintf("<#%s>", s.Channel)}), nil
	case s.State == Deleting:
		return g.private(g.overDeleted(p.Language, s)), nil
	}
	return g.private(g.over(p.Language, s)), nil
}
