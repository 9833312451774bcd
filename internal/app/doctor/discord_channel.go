package doctor

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"rookery/internal/discord"
	"rookery/internal/words"
)

// discordChannel is a channel as the API has it. Source: resources/channel,
// "Channel Object".
type discordChannel struct {
	ID         string `json:"id"`
	Guild      string `json:"guild_id"`
	Parent     string `json:"parent_id"`
	Name       string `json:"name"`
	Kind       int    `json:"type"`
	Overwrites []struct {
		ID    string             `json:"id"`
		Kind  int                `json:"type"` // 0 a role, 1 a member
		Allow discord.Permission `json:"allow,string"`
		Deny  discord.Permission `json:"deny,string"`
	} `json:"permission_overwrites"`
}

// title is how people call it.
func (c *discordChannel) title() string {
	if c.Name == "" {
		return c.ID
	}
	return "#" + cut(oneLine(c.Name), 100)
}

func (c *discordChannel) thread() bool { return c.Kind >= 10 && c.Kind <= 12 }

// takesMessages: text, conversations, voice, announcements, threads and stages;
// not categories and forums.
func (c *discordChannel) takesMessages() bool {
	return slices.Contains([]int{0, 1, 2, 3, 5, 10, 11, 12, 13}, c.Kind)
}

// checkChannel looks whether the bot may write to the operator's channel,
// without writing there.
func (a *discordApp) checkChannel(ctx context.Context, r *report) {
	args := words.Args{"id": a.OperatorChannel}
	var c discordChannel
	err := a.get(ctx, "/channels/"+a.OperatorChannel, &c)
	e, _ := errors.AsType[*discordError](err)
	switch {
	case e != nil && e.status == http.StatusNotFound:
		r.warn(words.DoctorDiscordChannelUnknown, words.DoctorDiscordChannelOtherHelp, args)
		return
	case e != nil && e.status == http.StatusForbidden:
		r.warn(words.DoctorDiscordChannelHidden, words.DoctorDiscordChannelSeeHelp, args)
		return
	case err != nil:
		a.unclearChannel(r, err)
		return
	}
	args["channel"] = c.title()
	switch {
	case !c.takesMessages():
		r.warn(words.DoctorDiscordChannelNoText, words.DoctorDiscordChannelOtherHelp, args)
		return
	case c.Guild == "": // a conversation
		r.ok(words.DoctorDiscordChannelOk, args)
		return
	}
	may, err := a.mayIn(ctx, &c)
	if err != nil {
		a.unclearChannel(r, err)
		return
	}
	if lacks := a.lacking(may, channelNeeds(c.thread())); lacks != nil {
		args["permissions"] = strings.Join(lacks, ", ")
		r.warn(words.DoctorDiscordChannelMay, words.DoctorDiscordChannelMayHelp, args)
		return
	}
	r.ok(words.DoctorDiscordChannelOk, args)
}

func (a *discordApp) unclearChannel(r *report, err error) {
	r.warn(words.DoctorDiscordChannelUnclear, words.DoctorDiscordUnclearHelp, words.Args{"id": a.OperatorChannel, "reason": reason(err)})
}

type channelNeed struct {
	permission discord.Permission
	name       words.Key
}

func channelNeeds(thread bool) []channelNeed {
	send := channelNeed{discord.SendMessages, words.DiscordSendMessages}
	if thread {
		send = channelNeed{discord.SendInThreads, words.DiscordSendInThreads}
	}
	return []channelNeed{{discord.ViewChannel, words.DiscordViewChannel}, send}
}

// lacking are the names of what the bot needs and is not allowed.
func (a *discordApp) lacking(may discord.Permission, needs []channelNeed) (names []string) {
	for _, n := range needs {
		if !may.Has(n.permission) {
			names = append(names, a.doctor.Language.Say(n.name, nil))
		}
	}
	return names
}

// botPlace is a guild with what the bot is in it.
type botPlace struct {
	Owner string `json:"owner_id"`
	Roles []struct {
		ID          string             `json:"id"`
		Permissions discord.Permission `json:"permissions,string"`
	} `json:"roles"`
	me struct {
		Roles []string   `json:"roles"`
		Muted *time.Time `json:"communication_disabled_until"`
	}
}

// placeIn asks once for each guild.
func (a *discordApp) placeIn(ctx context.Context, guild string) (*botPlace, error) {
	if p := a.places[guild]; p != nil {
		return p, nil
	}
	p := new(botPlace)
	if err := a.get(ctx, "/guilds/"+guild, p); err != nil {
		return nil, err
	}
	if err := a.get(ctx, "/guilds/"+guild+"/members/"+a.me, &p.me); err != nil {
		return nil, err
	}
	if a.places == nil {
		a.places = map[string]*botPlace{}
	}
	a.places[guild] = p
	return p, nil
}

// mayIn computes what the bot may do in a guild's channel. Source:
// topics/permissions, "Permission Overwrites".
func (a *discordApp) mayIn(ctx context.Context, c *discordChannel) (discord.Permission, error) {
	guild, err := a.placeIn(ctx, c.Guild)
	if err != nil {
		return 0, err
	}
	me := guild.me
	if c.thread() { // threads have no overwrites of their own
		id := c.Parent
		c = &discordChannel{}
		if err := a.get(ctx, "/channels/"+id, c); err != nil {
			return 0, err
		}
	}
	var p discord.Permission
	for _, role := range guild.Roles {
		if role.ID == c.Guild || slices.Contains(me.Roles, role.ID) {
			p |= role.Permissions
		}
	}
	if p.Has(discord.Administrator) || guild.Owner == a.me {
		return discord.Administrator, nil
	}
	p = c.overwrite(p, func(id string, kind int) bool { return kind == 0 && id == c.Guild })
	p = c.overwrite(p, func(id string, kind int) bool { return kind == 0 && id != c.Guild && slices.Contains(me.Roles, id) })
	p = c.overwrite(p, func(id string, kind int) bool { return kind == 1 && id == a.me })
	if !p.Has(discord.ViewChannel) {
		return 0, nil
	}
	if me.Muted != nil && me.Muted.After(a.Clock.Now()) {
		p &= discord.ViewChannel | discord.ReadMessageHistory
	}
	return p, nil
}

// overwrite applies the overwrites that count together: what one allows wins.
func (c *discordChannel) overwrite(p discord.Permission, counts func(id string, kind int) bool) discord.Permission {
	var allow, deny discord.Permission
	for _, o := range c.Overwrites {
		if counts(o.ID, o.Kind) {
			allow |= o.Allow
			deny |= o.Deny
		}
	}
	return p&^deny | allow
}
