package app

import (
	"context"
	"fmt"

	"rookery/internal/app/config"
	"rookery/internal/community"
	"rookery/internal/gallery"
	"rookery/internal/gallery/ledger"
	"rookery/internal/gallery/texts"
	"rookery/internal/llm"
	"rookery/internal/media"
	"rookery/internal/mydata"
	"rookery/internal/operator"
	"rookery/internal/store"
	"rookery/internal/words"
)

// makeMedia makes the kit that fetches and converts files, once for all
// features.
func (a *App) makeMedia() (err error) {
	if a.media != nil {
		return nil
	}
	o := mediaKit(a.cfg, a.Version, a.clock, a.AllowLoopback)
	o.Log = a.log
	a.media, err = media.New(o)
	return err
}

func (a *App) makeGallery() error {
	if err := a.makeMedia(); err != nil {
		return err
	}
	c := a.cfg.Gallery
	own, err := a.galleryTexts()
	if err != nil {
		return err
	}
	model, err := a.vision()
	if err != nil {
		return err
	}
	conf := gallery.Config{
		Store: a.store, Outbox: a.outbox, Clock: a.clock, Log: a.log.With("feature", gallery.Name), Ledger: ledger.New(a.store, a.clock), Texts: own,
		Settings: a.gallerySettings(), Media: a.media, Budget: a.budget, Accounts: a.galleryAccounts,
		ModelName: a.cfg.Vision().Model, Processor: a.cfg.Vision().Processor(), Prompt: c.Prompt, MaxTokens: c.MaxTokens, ModelTimeout: a.cfg.Vision().Timeout,
		ExpireAfter: c.ExpireAfter, RequestTimeout: a.cfg.Outbox.RequestTimeout, ConvertTimeout: a.cfg.GIFs.FFmpegTimeout,
		Language: a.guildLanguage, Observe: a.metrics.Submission, Tell: a.tellOperator, TellGuild: a.tellGuild,
		Stopped: mydata.Stopped, Terms: c.Terms, Privacy: c.Privacy,
	}
	if model != nil {
		conf.Model = observedModel{model, a}
	}
	a.gallery = gallery.New(conf)
	a.gallery.Work(a.jobs)
	return nil
}

// pastGallery is what members can still have done about what they shared while
// there was a gallery. Any account that is still there may delete its posts.
func (a *App) pastGallery() *gallery.Gallery {
	return gallery.Past(gallery.Config{
		Store: a.store, Outbox: a.outbox, Clock: a.clock, Log: a.log.With("feature", gallery.Name), Ledger: ledger.New(a.store, a.clock), Budget: a.budget,
		Accounts: func() (all []gallery.Account) {
			if a.fedi == nil {
				return nil
			}
			for _, s := range a.fedi.Status() {
				all = append(all, gallery.Account{Name: s.Name, ID: s.ID, Handle: s.Handle})
			}
			return all
		},
		RequestTimeout: a.cfg.Outbox.RequestTimeout, Language: a.guildLanguage, Tell: a.tellOperator,
	})
}

// purgeGallery lets go of what the gallery keeps for a guild that was left.
func (a *App) purgeGallery(ctx context.Context, tx store.Tx, guild community.GuildID) error {
	if a.gallery != nil {
		return a.gallery.PurgeGuild(ctx, tx, guild)
	}
	return a.past.PurgeGuild(ctx, tx, guild)
}

// galleryTexts are the texts that the operator has changed; nil for none.
func (a *App) galleryTexts() (*texts.Texts, error) {
	var own *texts.Texts
	err := a.cfg.CheckTexts(func(file string) (err error) {
		own, err = gallery.LoadTexts(file)
		return err
	})
	return own, err
}

// vision is the model that describes pictures; nil if there is none.
func (a *App) vision() (*llm.Client, error) {
	v := a.cfg.Vision()
	if v.Model == "" {
		return nil, nil
	}
	c, err := llm.New(llm.Options{BaseURL: v.BaseURL, Key: v.APIKey.Reveal(), Model: v.Model, Timeout: v.Timeout, MaxTokens: a.cfg.Gallery.MaxTokens,
		Section: a.cfg.Gallery.VisionSection, TokensKey: "gallery.max_tokens",
		UserAgent: userAgent(a.Version), Now: a.clock.Now, Log: a.log})
	if err != nil {
		return nil, fmt.Errorf("the model that describes pictures: %w", err)
	}
	return c, nil
}

// observedModel is the model that describes pictures, whose answers are
// counted with the other one's.
type observedModel struct {
	*llm.Client
	a *App
}

func (o observedModel) Complete(ctx context.Context, conversation []llm.Message) (llm.Answer, error) {
	return observed(o).Complete(ctx, conversation)
}

// galleryAccounts are the accounts that show the gallery, as they stand now.
func (a *App) galleryAccounts() []gallery.Account {
	known := map[string]community.AccountID{}
	handles := map[string]string{}
	if a.fedi != nil {
		for _, s := range a.fedi.Status() {
			known[s.Name], handles[s.Name] = s.ID, s.Handle
		}
	}
	var all []gallery.Account
	for _, acc := range a.cfg.Accounts {
		if !acc.Doing(config.FeatureGallery) {
			continue
		}
		g := gallery.Account{
			Name: acc.Name, ID: known[acc.Name], Handle: handles[acc.Name], Visibility: acc.Visibility, Language: acc.Language, MaxUpload: acc.MaxUpload,
			PerHour: acc.PostsPerHour, AI: acc.AI != config.AINever, Contact: acc.Contact, Tail: acc.PostTail,
		}
		for _, id := range acc.Guilds {
			g.Guilds = append(g.Guilds, community.GuildID(id))
		}
		all = append(all, g)
	}
	return all
}

// gallerySettings are nil where guilds have no gallery.
func (a *App) gallerySettings() *gallery.Settings {
	if a.onDiscord == nil {
		return nil
	}
	return a.onDiscord.gallery
}

// guildLanguage is the language that a guild has set; "" for each member's own.
func (a *App) guildLanguage(ctx context.Context, guild community.GuildID) string {
	if a.onDiscord == nil {
		return ""
	}
	return a.onDiscord.general.LanguageOf(ctx, guild)
}

// tellOperator tells the operator something, in the caller's transaction.
func (a *App) tellOperator(ctx context.Context, tx store.Tx, key string, say func(l words.Language) string) error {
	return a.operator.Tell(ctx, tx, operator.Notice{Key: key, Text: say(a.operator.Language)})
}

// tellGuild tells those who manage a guild something, in the caller's
// transaction.
func (a *App) tellGuild(ctx context.Context, tx store.Tx, guild community.GuildID, key string, say func(l words.Language) string) error {
	if a.onDiscord == nil || a.onDiscord.guild == nil {
		return nil
	}
	return a.onDiscord.guild.Tell(ctx, tx, guild, key, say)
}
