package gallery

import (
	"context"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/words"
)

// Past makes the feature for what a database holds from the time when there was
// a gallery, though the configuration has none any more: members can still have
// it told, deleted and forgotten. It offers nothing, posts nothing and hears no
// press; JoinDiscord and Work are not to be called. Accounts are all that may
// delete what they have posted.
func Past(c Config) *Gallery {
	g := New(c)
	g.discord = absent{}
	return g
}

// absent stands for Discord where the gallery has no part in it.
type absent struct{ discordClient }

// Guild implements discordClient: none is known by its name.
func (absent) Guild(community.GuildID) (discord.Guild, bool) { return discord.Guild{}, false }

// JoinPast has the messages of the past say what became of their submissions.
// It is called before d runs.
func (g *Gallery) JoinPast(d interface {
	Renderer(name string, render discord.Rendering)
}) {
	d.Renderer(rendererName, g.renderPast)
}

// renderPast is renderOffer where nothing can be pressed.
func (g *Gallery) renderPast(ctx context.Context, id string) (discord.Message, error) {
	s, err := get(ctx, g.Store, id)
	if err != nil {
		return discord.Message{}, err
	}
	if s.State == Offered {
		return discord.Message{Content: g.say(g.language(ctx, s), words.GalleryOver, nil)}, nil
	}
	m := g.message(ctx, s)
	m.Rows = nil
	return m, nil
}
