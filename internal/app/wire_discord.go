package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery"
	"rookery/internal/gifs"
	"rookery/internal/guild"
	"rookery/internal/inbox"
	"rookery/internal/mydata"
	"rookery/internal/operator"
	"rookery/internal/persona"
	"rookery/internal/publicnet"
	"rookery/internal/settings"
	"rookery/internal/store"
	"rookery/internal/words"
)

// discordName is what the operator calls the application, beside the accounts'
// own names.
const discordName = "discord"

// onDiscord is what there is only with a [discord] section.
type onDiscord struct {
	general *guild.General
	persona *persona.Settings // nil if the application does not do it
	gifs    *gifs.Settings    // likewise
	gallery *gallery.Settings // likewise
	book    *settings.Book
	guild   *guild.Guild
	client  *discord.Discord
}

// declareSettings declares what guilds can set, before the features that read it
// are made.
func (a *App) declareSettings() {
	d := a.cfg.Discord
	if !d.On {
		return
	}
	o := &onDiscord{}
	if d.Language != "" {
		o.general = guild.Declare(words.Match(d.Language))
	} else {
		o.general = guild.Declare("")
	}
	groups := []*settings.Group{o.general.Group}
	if d.Doing(config.FeaturePersona) {
		o.persona = persona.Declare()
		groups = append(groups, o.persona.Group)
	}
	if d.Doing(config.FeatureGIFs) {
		o.gifs = gifs.Declare()
		groups = append(groups, o.gifs.Group)
	}
	if d.Doing(config.FeatureGallery) {
		o.gallery = gallery.Declare()
		groups = append(groups, o.gallery.Group)
	}
	o.book = settings.New(settings.Config{Store: a.store, Clock: a.clock, Log: a.log, Groups: groups})
	a.onDiscord = o
}

// personaSettings are nil where guilds have no persona.
func (a *App) personaSettings() *persona.Settings {
	if a.onDiscord == nil {
		return nil
	}
	return a.onDiscord.persona
}

// gifsSettings are nil where guilds have no pictures.
func (a *App) gifsSettings() *gifs.Settings {
	if a.onDiscord == nil {
		return nil
	}
	return a.onDiscord.gifs
}

// makeDiscord makes the application and gives it to the features.
func (a *App) makeDiscord() error {
	o, c := a.onDiscord, a.cfg.Discord
	if o == nil {
		return nil
	}
	o.guild = guild.New(guild.Config{Book: o.book, General: o.general, Log: a.log.With("feature", guild.Name), Store: a.store, Outbox: a.outbox, Clock: a.clock, Topics: a.topics(), Fetch: a.fetchFile,
		Purge: []func(context.Context, store.Tx, community.GuildID) error{a.purgeGallery}})
	commands := o.guild.Commands()
	features := []inbox.Feature{a.mydata}
	if o.gifs != nil {
		o.guild.Features = append(o.guild.Features, guild.Feature{Title: words.GIFsSettingsTitle, Help: words.GIFsSettingsHelp, On: o.gifs.Enabled(), Channels: o.gifs.Channels()})
		commands = append(commands, a.gifs.Commands()...)
		features = append(features, a.gifs.Of(o.persona != nil))
	}
	if o.persona != nil {
		o.guild.Features = append(o.guild.Features, guild.Feature{Title: words.PersonaTitle, Help: words.PersonaHelp, On: o.persona.Enabled(), Channels: o.persona.Channels()})
		commands = append(commands, a.persona.Commands()...)
		features = append(features, a.persona)
	}
	var watchers []discord.Watcher
	if o.gallery != nil {
		o.guild.Features = append(o.guild.Features, guild.Feature{Title: words.GallerySettingsTitle, Help: words.GallerySettingsHelp, On: o.gallery.Enabled(), Places: o.gallery.Channels(), PlacesAsk: words.GuildAskGallery})
		commands = append(commands, a.gallery.Commands()...)
		watchers = append(watchers, a.gallery)
	}
	slices.Reverse(o.guild.Features)
	d, err := discord.New(discord.Config{
		Store: a.store, Inbox: a.inbox, Outbox: a.outbox, Clock: a.clock, Log: a.log.With("account", discordName),
		Token: c.Token.Reveal(), API: c.API, UserAgent: discordAgent(a.Version), Timeout: a.cfg.Outbox.RequestTimeout,
		MessageContent: c.MessageContent, NoDirect: !c.DirectMessages, Backlog: c.Backlog, MaxAge: c.MaxAge,
		Features: features, Watchers: watchers, Hears: a.hears, Commands: commands, CDN: c.CDN, Language: o.general.LanguageOf,
		Removed: o.guild.Removed, Joined: func(ctx context.Context, g discord.Guild) { o.guild.Joined(ctx, g.ID) },
		Trouble: a.discordTrouble, Rehearsal: a.Rehearse != nil,
		Observe: func(r discord.Request) {
			a.metrics.Request(discordName, r.Family, r.Outcome, r.Took)
		},
	})
	if err != nil {
		return err
	}
	o.client = d
	o.book.OnChange(o.guild.Changed(d.Refresh))
	o.guild.Join(d)
	if o.gifs != nil {
		a.gifs.JoinDiscord(d, a.inbox, c.MaxAge)
	}
	if o.persona != nil {
		a.persona.JoinDiscord(d)
	}
	if o.gallery != nil {
		a.gallery.JoinDiscord(d)
	} else if a.past != nil {
		a.past.JoinPast(d)
	}
	return nil
}

// discordAgent is how Discord wants programs to name themselves. Source:
// reference, "User Agent".
func discordAgent(version string) string {
	return "DiscordBot (https://rookery.invalid, " + version + ")"
}

// hears tells whether any feature may want messages of a place: where a guild
// has any turned on, also in channels where none answers, for who says "stop"
// there is heeded all the same.
func (a *App) hears(ctx context.Context, p community.Place) bool {
	o := a.onDiscord
	if p.Guild == "" {
		return true
	}
	for _, f := range o.guild.Features {
		if on, err := f.On.In(ctx, p.Guild); err != nil || on { // rather look in vain than miss something
			return true
		}
	}
	return false
}

// topics are what /help says of the features.
func (a *App) topics() []guild.Topic {
	o := a.onDiscord
	var all []guild.Topic
	if o.persona != nil {
		all = append(all, guild.Topic{
			On: func(ctx context.Context, g community.GuildID) bool { return isOn(ctx, o.persona.Enabled(), g) },
			Say: func(l words.Language) string {
				args := words.Args{"processor": a.cfg.LLM.Host()}
				if a.cfg.LLM.Host() == "" {
					args["processor"] = words.Phrase{Key: words.MyDataOwnMachine}
				}
				return l.Say(words.GuildTopicPersona, args)
			},
		})
	}
	if o.gifs != nil {
		all = append(all, guild.Topic{
			On: func(ctx context.Context, g community.GuildID) bool { return isOn(ctx, o.gifs.Enabled(), g) },
			Say: func(l words.Language) string {
				if o.persona == nil {
					return l.Say(words.GuildTopicGIFsAlone, nil)
				}
				return l.Say(words.GuildTopicGIFs, words.Args{"word": a.cfg.GIFs.Word})
			},
		})
	}
	return append(all, guild.Topic{Say: func(l words.Language) string {
		who := l.Say(words.GuildTopicManagers, nil)
		if by := a.cfg.Operator.Fediverse; by != "" {
			who = l.Say(words.GuildTopicOperator, words.Args{"operator": by})
		}
		if !a.cfg.Discord.DirectMessages {
			return who
		}
		return l.Say(words.GuildTopicPrivacy, nil) + " " + who
	}})
}

// forbidden tells those who manage a guild that an answer was due where the bot
// may not write.
func (a *App) forbidden(ctx context.Context, tx store.Tx, _ community.AccountID, channel community.ChannelID) error {
	o := a.onDiscord
	if o == nil {
		return nil
	}
	g, ok := o.client.GuildOf(channel)
	if !ok {
		return nil
	}
	return o.guild.Tell(ctx, tx, g, "forbidden/"+string(channel), func(l words.Language) string {
		return l.Say(words.GuildNoticeForbidden, words.Args{"channel": "<#" + string(channel) + ">"})
	})
}

// isOn tells whether a guild has turned something on; in direct messages it is.
func isOn(ctx context.Context, s *settings.Setting[bool], g community.GuildID) bool {
	if g == "" {
		return true
	}
	on, err := s.In(ctx, g)
	return err == nil && on
}

// fetchFile gets a file that came with a command.
func (a *App) fetchFile(ctx context.Context, address string, most int64) ([]byte, error) {
	c := publicnet.New(publicnet.Options{UserAgent: userAgent(a.Version), AllowLoopback: a.AllowLoopback, Timeout: 10 * time.Second})
	resp, err := c.Get(ctx, address)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("the file is larger than %d bytes", most)
	}
	return data, err
}

// discordTrouble hears what stands between us and Discord.
func (a *App) discordTrouble(kind discord.TroubleKind, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	key := "discord/" + string(kind)
	if err == nil {
		if err := a.operator.Over(ctx, key); err != nil {
			a.log.Warn("a trouble that is over could not be noted", "error", err)
		}
		return
	}
	l := a.operator.Language
	n := operator.Notice{Key: key}
	reason := words.Args{"reason": err.Error()}
	switch kind {
	case discord.TokenRefused:
		n.Text = l.Say(words.OperatorDiscordToken, nil)
	case discord.IntentsRefused:
		n.Text = l.Say(words.OperatorDiscordIntents, nil)
	case discord.Identifies:
		n.Text = l.Say(words.OperatorDiscordIdentifies, reason)
	case discord.Invalids:
		n.Text = l.Say(words.OperatorDiscordInvalids, reason)
	default:
		n.Text = l.Say(words.OperatorDiscordUnreachable, reason)
	}
	if kind != discord.IntentsRefused { // which is no reason not to say it there
		n.Not, _ = a.discordAccount()
	}
	a.operator.TellNow(ctx, n)
}

// discordAccount is our account there; false while it is not known.
func (a *App) discordAccount() (community.AccountID, bool) {
	if a.onDiscord == nil || a.onDiscord.client == nil {
		return "", false
	}
	return a.onDiscord.client.Account()
}

// doesOnDiscord is what the application does for members.
func (a *App) doesOnDiscord() mydata.Does {
	d := a.cfg.Discord
	return mydata.Does{Answers: d.Doing(config.FeaturePersona), Pictures: d.Doing(config.FeatureGIFs), Shares: d.Doing(config.FeatureGallery), Word: a.cfg.GIFs.Word}
}
