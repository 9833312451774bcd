package app

import (
	"context"
	"fmt"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/app/metrics"
	"rookery/internal/budget"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery"
	"rookery/internal/gifs"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/llm"
	"rookery/internal/mydata"
	"rookery/internal/operator"
	"rookery/internal/outbox"
	"rookery/internal/persona"
	"rookery/internal/publicnet"
	"rookery/internal/store"
	"rookery/internal/webpage"
	"rookery/internal/words"
)

// wire makes the parts on the open store, from those that know nobody to those
// that know most.
func (a *App) wire() error {
	cfg := a.cfg
	a.metrics = metrics.New(a.Version, a.snapshot, a.clock.Now)
	a.jobs = jobs.New(jobs.Config{Store: a.store, Clock: a.clock, Log: a.log,
		Workers: map[string]int{outbox.QueueName: 1, persona.QueueName: max(2, len(cfg.Accounts)+1), gifs.QueueName: max(2, len(cfg.Accounts)+1), gallery.QueueName: max(2, len(cfg.Accounts)+1)}})
	a.inbox = inbox.New(a.store, a.clock, a.log)
	a.outbox = outbox.New(outbox.Config{Store: a.store, Clock: a.clock, Log: a.log, Timeout: cfg.Outbox.RequestTimeout,
		SettleError: cfg.Outbox.SettleAfterError, SettleSilence: cfg.Outbox.SettleAfterSilence, Rehearse: a.Rehearse})
	a.outbox.Work(a.jobs)
	a.operator = operator.New(operator.Config{Store: a.store, Outbox: a.outbox, Clock: a.clock, Log: a.log,
		Fediverse: cfg.Operator.Fediverse, Language: words.Match(cfg.Operator.Language),
		Connected: func() []community.AccountID { return a.fedi.Connected() },
		Channel:   community.ChannelID(cfg.Discord.OperatorChannel), Discord: a.discordAccount})
	a.operator.Work(a.jobs)
	a.budget = budget.New(a.budgetConfig())
	if err := a.workBackups(); err != nil {
		return err
	}
	a.declareSettings()
	features, err := a.features()
	if err != nil {
		return err
	}
	if a.fedi, err = a.platform(features); err != nil {
		return err
	}
	a.mydata.Join(a.fedi)
	if a.persona != nil {
		a.persona.Join(a.fedi)
	}
	if a.gifs != nil {
		a.gifs.Join(a.fedi)
	}
	if a.gallery != nil {
		a.gallery.Join(a.fedi)
	} else {
		a.past.Join(a.fedi)
	}
	a.workWatch()
	return a.makeDiscord()
}

// features makes what any account does. A new feature is one entry here.
func (a *App) features() (map[string]inbox.Feature, error) {
	features := map[string]inbox.Feature{}
	var keepers []mydata.Keeper
	if a.cfg.Doing(config.FeaturePersona) {
		if err := a.makePersona(); err != nil {
			return nil, err
		}
		features[config.FeaturePersona] = a.persona
		keepers = append(keepers, a.persona)
		a.answers = append(a.answers, a.persona)
	}
	if a.cfg.Doing(config.FeatureGIFs) {
		if err := a.makeGIFs(); err != nil {
			return nil, err
		}
		features[config.FeatureGIFs] = a.gifs.Of(false)
		keepers = append(keepers, a.gifs)
		a.answers = append(a.answers, a.gifs)
	}
	if a.cfg.Doing(config.FeatureGallery) {
		if err := a.makeGallery(); err != nil {
			return nil, err
		}
		features[config.FeatureGallery] = a.gallery.Letters()
		keepers = append(keepers, a.gallery)
	} else {
		a.past = a.pastGallery()
		keepers = append(keepers, a.past)
	}
	if a.onDiscord != nil {
		keepers = append(keepers, settingsKeeper{a.onDiscord.book})
	}
	a.mydata = mydata.New(mydata.Config{
		Store: a.store, Inbox: a.inbox, Outbox: a.outbox, Budget: a.budget, Clock: a.clock, Log: a.log.With("feature", mydata.Name), Keepers: keepers,
		Operator: a.cfg.Operator.Fediverse, Processor: a.cfg.LLM.Host(), Language: a.languageOf, Does: a.doesOf,
	})
	a.mydata.Work(a.jobs)
	features[mydata.Name] = a.mydata
	return features, nil
}

func (a *App) makePersona() error {
	model, err := a.model()
	if err != nil {
		return err
	}
	c := a.cfg.Persona
	a.persona = persona.New(persona.Config{
		Store: a.store, Outbox: a.outbox, Clock: a.clock, Log: a.log.With("feature", persona.Name), Model: observed{model, a},
		Character: c.Character, Language: c.Language, Parallel: c.Parallel, MaxPromptChars: c.MaxPromptChars, MaxTokens: a.cfg.LLM.MaxTokens,
		ModelTimeout: a.cfg.LLM.Timeout, RequestTimeout: a.cfg.Outbox.RequestTimeout,
		Audience: persona.Audience(c.Audience), Thread: c.Thread, MaxPosts: c.MaxPosts,
		Budget: a.budget, ReadPage: a.pages(), Stopped: mydata.Stopped,
		Notices: c.Notices, NoticeAfter: c.NoticeAfter, NoticeLanguage: a.languageOf, Trouble: a.modelTrouble, Refused: a.answerRefused,
		Settings: a.personaSettings(), Forbidden: a.forbidden,
	})
	a.persona.Work(a.jobs)
	return nil
}

func (a *App) model() (*llm.Client, error) {
	c := a.cfg.LLM
	return llm.New(llm.Options{
		BaseURL: c.BaseURL, Key: c.APIKey.Reveal(), Model: c.Model, Timeout: c.Timeout, Retries: c.Retries,
		Temperature: float(c.Temperature), TopP: float(c.TopP), MaxTokens: c.MaxTokens,
		FrequencyPenalty: float(c.FrequencyPenalty), PresencePenalty: float(c.PresencePenalty), Stop: c.Stop,
		UserAgent: userAgent(a.Version), Now: a.clock.Now, Log: a.log,
	})
}

// observed is a model whose answers are counted.
type observed struct {
	*llm.Client
	a *App
}

func (o observed) Complete(ctx context.Context, conversation []llm.Message) (llm.Answer, error) {
	began := o.a.clock.Now()
	answer, err := o.Client.Complete(ctx, conversation)
	outcome := "answered"
	if err != nil {
		outcome = string(llm.ClassOf(err))
	}
	o.a.metrics.Answer(outcome, o.a.clock.Now().Sub(began), answer.PromptTokens, answer.CompletionTokens)
	return answer, err
}

// pages reads what posts link to, or is nil if nobody wants that.
func (a *App) pages() persona.Reader {
	if !a.cfg.Persona.ReadLinks {
		return nil
	}
	r := &webpage.Reader{Client: publicnet.New(publicnet.Options{UserAgent: userAgent(a.Version)}), Now: a.clock.Now}
	return func(ctx context.Context, address string) (title, text string, err error) {
		p, err := r.Read(ctx, address)
		if p.Text == "" {
			p.Text = p.Description
		}
		return p.Title, p.Text, err
	}
}

func float(v *float64) *float32 {
	if v == nil {
		return nil
	}
	f := float32(*v)
	return &f
}

func (a *App) budgetConfig() budget.Config {
	c := a.cfg.Budget
	b := budget.Config{Store: a.store, Clock: a.clock, Log: a.log, Zone: c.TimeZone, Currency: c.Currency, Limits: budget.Limits{
		RepliesPerMember: c.RepliesPerMember, TokensPerDay: c.TokensPerDay, TokensPerMember: c.TokensPerMember,
		TokensPerAccount: c.TokensPerAccount, TokensPerGuild: c.TokensPerGuild,
		MoneyPerDay: budget.Money(c.MoneyPerDay), MoneyPerMember: budget.Money(c.MoneyPerMember),
		MoneyPerAccount: budget.Money(c.MoneyPerAccount), MoneyPerGuild: budget.Money(c.MoneyPerGuild),
	}}
	if c.PricePrompt != nil && c.PriceCompletion != nil {
		b.Prices = budget.Prices{Prompt: budget.Money(*c.PricePrompt), Completion: budget.Money(*c.PriceCompletion), Set: true}
	}
	b.Notify = func(ctx context.Context, tx store.Tx, n budget.Notice) error {
		return a.operator.Tell(ctx, tx, operator.Notice{
			Key:  fmt.Sprintf("budget/%s/%s/%s/%d/%s", n.Scope, n.Account, n.Unit, n.Percent, n.Day),
			Text: n.Say(a.operator.Language, a.nameOf(n.Account)),
		})
	}
	return b
}

func (a *App) platform(features map[string]inbox.Feature) (*fedi.Fedi, error) {
	var logins []fedi.LoginConfig
	for _, acc := range a.cfg.Accounts {
		l := fedi.LoginConfig{
			Name: acc.Name, Server: acc.Server, Token: acc.Token.Reveal(), Poll: acc.Poll, MaxAge: acc.MaxAge, Backlog: acc.Backlog,
			NoRateLimits: !acc.RateLimits, NoStream: !acc.Streaming, StreamURL: acc.StreamURL,
			TokenHelp: fmt.Sprintf("run rookery login %s, or make a new access token at %s and put it where the configuration says (token_env or token_file); then start again", acc.Name, acc.Server),
			// What members may ask about themselves comes before all else.
			Features: []inbox.Feature{features[mydata.Name]},
		}
		// The persona takes whatever is left: a request for a picture says so.
		if acc.Doing(config.FeatureGIFs) {
			l.Features = append(l.Features, a.gifs.Of(acc.Doing(config.FeaturePersona)))
		}
		if acc.Doing(config.FeaturePersona) {
			l.Features = append(l.Features, a.persona)
		}
		if acc.Doing(config.FeatureGallery) {
			l.Features = append(l.Features, features[config.FeatureGallery])
		}
		logins = append(logins, l)
	}
	return fedi.NewFedi(fedi.Config{
		Store: a.store, Inbox: a.inbox, Outbox: a.outbox, Clock: a.clock, Log: a.log,
		UserAgent: userAgent(a.Version), Timeout: a.cfg.Outbox.RequestTimeout, Logins: logins, Trouble: a.accountTrouble,
		NoDismissals: a.Rehearse != nil,
		Observe: func(r fedi.Request) {
			outcome := "ok"
			if r.Class != "" {
				outcome = string(r.Class)
			}
			a.metrics.Request(r.Account, r.Family, outcome, r.Took)
		},
	})
}

// nameOf is what the operator calls an account; its id if it has none yet.
func (a *App) nameOf(id community.AccountID) string {
	if discord.IsAccount(id) {
		return discordName
	}
	for _, s := range a.fedi.Status() {
		if s.ID == id && id != "" {
			return s.Name
		}
	}
	return string(id)
}

// languageOf is the language in which an account speaks to members, if set. On
// Discord each guild sets its own, and mentions come with it.
func (a *App) languageOf(id community.AccountID) string {
	if discord.IsAccount(id) {
		return ""
	}
	name := a.nameOf(id)
	for _, acc := range a.cfg.Accounts {
		if acc.Name == name {
			return acc.Language
		}
	}
	return ""
}

// doesOf is what an account does for members.
func (a *App) doesOf(id community.AccountID) mydata.Does {
	if discord.IsAccount(id) {
		return a.doesOnDiscord()
	}
	name := a.nameOf(id)
	for _, acc := range a.cfg.Accounts {
		if acc.Name == name {
			return mydata.Does{Answers: acc.Doing(config.FeaturePersona), Pictures: acc.Doing(config.FeatureGIFs), Shares: acc.Doing(config.FeatureGallery), Word: a.cfg.GIFs.Word}
		}
	}
	return mydata.Does{Answers: a.persona != nil, Pictures: a.gifs != nil, Word: a.cfg.GIFs.Word}
}

// onceLimit bounds a whole pass, so that a cron job never piles up.
func onceLimit(cfg *config.Config) time.Duration {
	d := cfg.LLM.Timeout + 4*cfg.Outbox.RequestTimeout + time.Minute
	if cfg.Doing(config.FeatureGIFs) {
		d += cfg.GIFs.FFmpegTimeout + 3*time.Minute // a file is fetched, converted, uploaded and worked on by the server
	}
	return d
}
