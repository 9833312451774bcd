package doctor

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"rookery/internal/app/config"
	"rookery/internal/discord"
	"rookery/internal/store"
	"rookery/internal/words"
)

// What the feature gallery needs on Discord.

// mostChannels bounds how many channels are looked at: each takes a request.
const mostChannels = 30

// hangings is what a guild has set for its gallery.
type hangings struct {
	id       string
	on       bool
	offers   bool // to who begins a thread in one of the channels
	channels []string
	review   string // channel of the moderators; "" for none
}

// galleries are the guilds that have the gallery on, as far as it is known: by
// what the settings keep. Guilds that the bot has left are left out.
func (a *discordApp) galleries(ctx context.Context, r *report) ([]hangings, bool) {
	if a.db == nil || !a.db.current {
		return nil, false // said of the database
	}
	rows, err := a.db.query(ctx, `select guild, field, value from settings_value where value is not null
		and field in ('gallery.enabled', 'gallery.offers', 'gallery.channels', 'gallery.review_channel')`)
	all := map[string]*hangings{}
	_, err = store.Collect(rows, err, func(row store.Row) (_ struct{}, err error) {
		var id, field, value string
		if err = row.Scan(&id, &field, &value); err != nil {
			return struct{}{}, err
		}
		h := all[id]
		if h == nil {
			h = &hangings{id: id, offers: true}
			all[id] = h
		}
		switch field {
		case "gallery.enabled":
			h.on = value == "true"
		case "gallery.offers":
			h.offers = value == "true"
		case "gallery.channels":
			h.channels = strings.Fields(value)
		case "gallery.review_channel":
			h.review = value
		}
		return struct{}{}, nil
	})
	if err != nil {
		r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseClosedHelp, words.Args{"dialect": a.dialect(), "reason": reason(err), "dir": a.cfg.DataDir})
		return nil, false
	}
	var on []hangings
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if _, in := a.guilds[id]; all[id].on && (in || a.guilds == nil) {
			on = append(on, *all[id])
		}
	}
	return on, true
}

// checkGallery looks whether the bot may do in the guilds what they have set up.
func (a *discordApp) checkGallery(ctx context.Context, r *report) {
	if !a.MessageContent {
		r.warn(words.DoctorGalleryContent, words.DoctorGalleryContentHelp, nil)
	}
	a.checkStrangers(r)
	on, known := a.galleries(ctx, r)
	switch {
	case !known:
		return
	case len(on) == 0:
		r.ok(words.DoctorGalleryOff, nil)
		return
	}
	r.ok(words.DoctorGalleryOn, words.Args{"n": len(on)})
	left, fine := mostChannels, 0
	over := 0
	for _, h := range on {
		args := words.Args{"guild": a.nameOf(h.id), "id": h.id}
		if !a.hasAccount(h.id) {
			r.warn(words.DoctorGalleryNowhere, words.DoctorGalleryNowhereHelp, args)
		}
		if len(h.channels) == 0 {
			r.ok(words.DoctorGalleryNoChannels, args)
		}
		type look struct {
			id    string
			needs []channelNeed
		}
		var looks []look
		if h.offers {
			for _, c := range h.channels {
				looks = append(looks, look{c, galleryNeeds(words.DiscordSendInThreads, discord.SendInThreads)})
			}
		}
		if h.review != "" {
			looks = append(looks, look{h.review, galleryNeeds(words.DiscordSendMessages, discord.SendMessages)})
		}
		for _, l := range looks {
			if left == 0 {
				over++
				continue
			}
			left--
			if a.checkHanging(ctx, r, h.id, l.id, l.needs) {
				fine++
			}
		}
	}
	if fine > 0 {
		r.ok(words.DoctorGalleryChannels, words.Args{"n": fine})
	}
	if over > 0 {
		r.ok(words.DoctorGalleryUnlooked, words.Args{"n": over})
	}
}

// galleryNeeds are what the gallery must be allowed where it writes.
func galleryNeeds(send words.Key, may discord.Permission) []channelNeed {
	return []channelNeed{
		{discord.ViewChannel, words.DiscordViewChannel}, {may, send},
		{discord.ReadMessageHistory, words.DiscordReadHistory}, {discord.EmbedLinks, words.DiscordEmbedLinks},
	}
}

// checkHanging looks at one channel, and reports whether it is in order.
func (a *discordApp) checkHanging(ctx context.Context, r *report, guild, id string, needs []channelNeed) bool {
	args := words.Args{"guild": a.nameOf(guild), "id": id}
	unclear := func(err error) bool {
		args["reason"] = reason(err)
		r.warn(words.DoctorGalleryUnclear, words.DoctorDiscordUnclearHelp, args)
		return false
	}
	var c discordChannel
	err := a.get(ctx, "/channels/"+id, &c)
	if e, ok := errors.AsType[*discordError](err); ok && (e.status == http.StatusNotFound || e.status == http.StatusForbidden) || err == nil && c.Guild != guild {
		r.warn(words.DoctorGalleryGone, words.DoctorGalleryGoneHelp, args)
		return false
	}
	if err != nil {
		return unclear(err)
	}
	may, err := a.mayIn(ctx, &c)
	if err != nil {
		return unclear(err)
	}
	if lacks := a.lacking(may, needs); lacks != nil {
		args["channel"], args["permissions"] = c.title(), strings.Join(lacks, ", ")
		r.warn(words.DoctorGalleryMay, words.DoctorDiscordChannelMayHelp, args)
		return false
	}
	return true
}

// checkStrangers finds the guilds that an account is for and the bot is not in.
func (a *discordApp) checkStrangers(r *report) {
	if a.guilds == nil {
		return
	}
	for _, acc := range a.cfg.Accounts {
		for _, id := range acc.Guilds {
			if _, in := a.guilds[id]; !in {
				r.warn(words.DoctorGalleryStranger, words.DoctorGalleryStrangerHelp, words.Args{"account": acc.Name, "id": id})
			}
		}
	}
}

// hasAccount tells whether members of a guild may share to any account.
func (a *discordApp) hasAccount(guild string) bool {
	return slices.ContainsFunc(a.cfg.Accounts, func(acc config.Account) bool {
		return acc.Doing(config.FeatureGallery) && (len(acc.Guilds) == 0 || slices.Contains(acc.Guilds, guild))
	})
}

// nameOf is a guild's name, or its number if that is not known.
func (a *discordApp) nameOf(guild string) string {
	if name := a.guilds[guild]; name != "" {
		return name
	}
	return guild
}
