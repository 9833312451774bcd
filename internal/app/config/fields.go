package config

import (
	"time"
)

// draft is a configuration on its way from the file, with the keys that only
// say where something is.
type draft struct {
	cfg       *Config
	storeURL  source
	apiKey    source
	visionKey source
	tokens    []*source // one for each account
	known     map[string]*table
	accounts  []*table  // where each account stands
	boardKeys []*source // one for each source of pictures

	discordToken source
	boards       []*table // where each of these stands
}

// source is where a secret comes from.
type source struct{ env, file string }

// features are the words for an account's "does".
func features() []string { return []string{FeaturePersona, FeatureGIFs, FeatureGallery} }

func (d *draft) sections() []section {
	c := d.cfg
	return []section{
		{name: "", fields: []field{
			text("data_dir", &c.DataDir, "", "path", "Folder of everything the program keeps. A relative path starts at this file's folder. Required.", isPath),
			text("env_file", &c.EnvFile, "", "path", "File of NAME=value lines, for the secrets that the keys ending in _env name. The real environment goes first.", isPath),
		}},
		{name: "store", secrets: secretWords("postgres_url", "url", "dsn", "database_url", "postgres", "password"), fields: []field{
			text("postgres_url_env", &d.storeURL.env, "", "name of a variable", "Variable that holds the URL of a PostgreSQL database, for more than one machine. Without it SQLite in data_dir is used.", isVariable),
			text("postgres_url_file", &d.storeURL.file, "", "path", "File that holds that URL, instead of a variable.", isPath),
		}},
		{name: "log", fields: []field{
			choice("level", "info", "The least that is logged.", []string{"debug", "info", "warn", "error"}, func(s string) {
				_ = c.Log.Level.UnmarshalText([]byte(s)) // only the four words come here
			}),
			choice("format", "text", "How a line looks.", []string{"text", "json"}, func(s string) { c.Log.Format = s }),
			text("file", &c.Log.File, "", "path", "File to log to, put aside when it is full. Without it the log goes to standard error.", isPath),
			whole("max_size_mb", &c.Log.MaxSizeMB, 10, 1, 1000, "Size at which the log file is put aside, in megabytes."),
			whole("max_files", &c.Log.MaxFiles, 5, 1, 1000, "So many log files put aside are kept."),
		}},
		llmSection(&c.LLM, &d.apiKey),
		{name: "persona", fields: []field{
			text("character", &c.Persona.Character, "", "text", "Who answers: the words that the model is given as its character. Required for the feature persona.", notBlank),
			whole("parallel", &c.Persona.Parallel, 1, 1, 64, "Answers that are made at once."),
			whole("max_prompt_chars", &c.Persona.MaxPromptChars, 24000, 500, 2_000_000, "Longest prompt, in characters. When a thread is longer its oldest posts are left out."),
			text("language", &c.Persona.Language, "", "language tag", `Language of the answers' posts, like "en". Without it that of the asker's post.`, isLanguage),
			choice("audience", "anyone", "Who is answered: anyone, those who follow the account, or members of its own server.", []string{"anyone", "followers", "local"}, func(s string) { c.Persona.Audience = s }),
			choice("long_answers", "cut", `What becomes of an answer that is too long for one post: "cut" at the end of a sentence, or continued in a "thread".`, []string{"cut", "thread"}, func(s string) { c.Persona.Thread = s == "thread" }),
			whole("max_posts", &c.Persona.MaxPosts, 4, 2, 20, "So many posts at most make one answer's thread."),
			boolean("read_links", &c.Persona.ReadLinks, true, "Whether the pages that posts link to are read, for their titles and their text. Only public addresses are."),
			choice("unavailable", "notice", `When the budget is used up or the model is down: the asker gets a "notice", once, or "silence".`, []string{"notice", "silence"}, func(s string) { c.Persona.Notices = s == "notice" }),
			duration("notice_after", &c.Persona.NoticeAfter, 15*time.Minute, 100*time.Millisecond, 24*time.Hour, "So long a mention waits for a model that is down before its asker gets that notice."),
		}},
		gifsSection(&c.GIFs),
		d.boardSections(),
		gallerySection(&c.Gallery),
		visionSection(&c.Gallery.Vision, &d.visionKey),
		budgetSection(&c.Budget),
		operatorSection(&c.Operator),
		backupSection(&c.Backup),
		webSection(&c.Web),
		{name: "outbox", fields: []field{
			duration("settle_after_error", &c.Outbox.SettleAfterError, 10*time.Second, 10*time.Millisecond, time.Hour, "Wait before a post is looked for, when the server said it failed: it may have been stored all the same. At least 1s, unless all servers are on this machine."),
			duration("settle_after_silence", &c.Outbox.SettleAfterSilence, time.Minute, 10*time.Millisecond, time.Hour, "The same wait when no answer came. At least 1s, unless all servers are on this machine."),
			duration("request_timeout", &c.Outbox.RequestTimeout, 30*time.Second, 100*time.Millisecond, 10*time.Minute, "Longest time for one request to a server."),
		}},
		discordSection(&c.Discord, &d.discordToken),
		d.accountSections(),
	}
}

func (d *draft) accountSections() section {
	s := accountSection(new(Account), new(source))
	s.next = func(t *table) (section, func()) {
		a, token := new(Account), new(source)
		return accountSection(a, token), func() {
			d.cfg.Accounts = append(d.cfg.Accounts, *a)
			d.tokens = append(d.tokens, token)
			d.accounts = append(d.accounts, t)
		}
	}
	return s
}

func llmSection(l *LLM, key *source) section {
	return section{name: "llm", secrets: secretWords("api_key", "apikey", "key", "token", "secret", "password"), fields: []field{
		text("base_url", &l.BaseURL, "", "URL", "Address of an OpenAI-compatible API, with its version: the part before /chat/completions. Required for the feature persona.", isBaseURL),
		text("model", &l.Model, "", "text", "Name of the model, as that API knows it. Required for the feature persona.", notBlank),
		text("api_key_env", &key.env, "", "name of a variable", "Variable that holds the API key. A model on one's own network may need none.", isVariable),
		text("api_key_file", &key.file, "", "path", "File that holds the API key, instead of a variable.", isPath),
		duration("timeout", &l.Timeout, 3*time.Minute, 100*time.Millisecond, time.Hour, "Longest time for one answer of the model."),
		whole("retries", &l.Retries, 2, 0, 10, "So many times a failed request is made again."),
		number("temperature", &l.Temperature, 0, 2, "How freely the model chooses its words. Without it the model's own default holds; so for the next three."),
		number("top_p", &l.TopP, 0, 1, "Part of the likely words that it chooses from."),
		number("frequency_penalty", &l.FrequencyPenalty, -2, 2, "How much it avoids words it has used often."),
		number("presence_penalty", &l.PresencePenalty, -2, 2, "How much it avoids words it has used at all."),
		whole("max_tokens", &l.MaxTokens, 500, 1, 1_000_000, "Longest answer, in tokens."),
		text("processor", &l.Processor, "", "text", "Who runs the model, as members are told who ask for help. Without it the host of base_url, or, for one on your own network, your own computer: write it if that one only passes on what it is asked.", notBlank),
		texts("stop", &l.Stop, 4, "Texts at which the answer ends; at most four.", notEmpty),
	}}
}

func accountSection(a *Account, token *source) section {
	return section{name: "account", many: true, secrets: secretWords("token", "access_token", "bearer_token", "api_key", "key", "secret", "password"), fields: append([]field{
		text("name", &a.Name, "", "text", "Your own name for the account: small letters, digits, - and _. Each is used once. Required.", isName),
		text("server", &a.Server, "", "URL", "Address of the account's server, like https://social.example. Plain http is taken for this machine only. Required.", isServer),
		text("token_env", &token.env, "", "name of a variable", "Variable that holds the account's access token. This key or the next is required.", isVariable),
		text("token_file", &token.file, "", "path", "File that holds the access token, instead of a variable.", isPath),
		texts("does", &a.Does, 20, "What the account does: the list of its features. Required. Known: "+list(features())+".", func(s string) string { return oneOf(s, features()) }),
		choice("first_run", "now", `Where to begin the first time: "now" with what comes, "backlog" with what is already there.`, []string{"now", "backlog"}, func(s string) { a.Backlog = s == "backlog" }),
		duration("max_age", &a.MaxAge, 24*time.Hour, time.Second, 30*24*time.Hour, "A mention older than this is not answered any more."),
		duration("poll", &a.Poll, 10*time.Second, 10*time.Millisecond, time.Hour, "Time between two looks for news. At least 5s, unless the server is on this machine."),
		choice("rate_limits", "auto", `"auto" keeps to the server's limits before it has to say so; "off" is for your own server only.`, []string{"auto", "off"}, func(s string) { a.RateLimits = s == "auto" }),
		choice("streaming", "auto", `"auto" has news told by the server where it can do that, and polls less; "off" only polls.`, []string{"auto", "off"}, func(s string) { a.Streaming = s == "auto" }),
		text("streaming_url", &a.StreamURL, "", "URL", "Address of the server's streaming service, like wss://streaming.social.example, if what the server says is wrong.", isStream),
		text("language", &a.Language, "", "language tag", "Language of notices to members, one of \"en\" and \"ru\". Without it that of the asker's post.", isCatalogue),
		boolean("nsfw", &a.NSFW, false, "Whether this account also shows NSFW pictures, to who asks with the word nsfw. For the feature gifs."),
	}, galleryFields(a)...)}
}

// secretWords maps what people write for a secret to the key that is right:
// the first word with _env.
func secretWords(words ...string) map[string]string {
	m := make(map[string]string, len(words))
	for _, w := range words {
		m[plain(w)] = words[0]
	}
	return m
}

// Keys lists every key of the file, in the order in which the file is best
// written.
func Keys() []Key {
	d := &draft{cfg: new(Config)}
	var all []Key
	for _, s := range d.sections() {
		for _, f := range s.fields {
			k := f.Key
			k.Path = s.path(k.Path)
			all = append(all, k)
		}
	}
	return all
}
