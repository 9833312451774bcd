// Package config reads the one configuration file of the program: it decodes
// the file once into a Config, checks everything, and reports all mistakes
// together, each with its line.
//
// Secrets never stand in the file: a key ending in _env names an environment
// variable, one ending in _file names a file, and env_file names a file of
// variables. What the values are used for, and whether a server answers or a
// token is accepted, it leaves to the packages that get them.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rookery/internal/community"
)

// FileName is the file that is looked for in a folder.
const FileName = "rookery.toml"

// maxFile is the most that is read of a configuration or env_file.
const maxFile = 256 << 10

// FeaturePersona is the name in an account's "does" of the feature that answers
// mentions in character.
const FeaturePersona = "persona"

// Config is a whole, checked configuration. All paths in it are absolute.
type Config struct {
	File     string // the file it was read from
	DataDir  string // folder of everything the program keeps
	EnvFile  string // file of variables; empty when there is none
	Store    Store
	Log      Log
	LLM      LLM
	Persona  Persona
	GIFs     GIFs
	Gallery  Gallery
	Outbox   Outbox
	Budget   Budget
	Operator Operator
	Backup   Backup
	Web      Web
	Discord  Discord
	Accounts []Account

	// Warnings are worth telling the operator, but nothing stops for them.
	Warnings []Problem
}

// Store says where the data is kept.
type Store struct {
	PostgresURL Secret // not set: SQLite in the data folder
}

// Log says what is logged, how and where to.
type Log struct {
	Level     slog.Level
	Format    string // "text" or "json"
	File      string // empty: standard error
	MaxSizeMB int    // a file of this size is put aside
	MaxFiles  int    // so many put aside are kept
}

// LLM is the language model's endpoint and how it is asked. A nil number is
// left out of the request, so that the model's own default holds.
type LLM struct {
	BaseURL          string // without a slash at the end
	Model            string
	APIKey           Secret // not set: no key is sent
	Timeout          time.Duration
	Retries          int
	Temperature      *float64
	TopP             *float64
	MaxTokens        int
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Stop             []string
	Processor        string // who runs the model, as members are told; empty: see Host
}

// Host is who runs the model, as members are told: what the operator says, else
// the endpoint's host, empty if that is this machine or its own network.
func (l LLM) Host() string {
	if l.Processor != "" {
		return l.Processor
	}
	host := hostOf(l.BaseURL)
	if nearby(host) {
		return ""
	}
	return host
}

// Persona is the character that answers mentions.
type Persona struct {
	Character      string // who it is, in the words the model is given
	Parallel       int    // answers made at once
	MaxPromptChars int    // longest prompt, in characters
	Language       string // BCP 47; empty: the asker's
	Audience       string // "anyone", "followers" or "local"
	Thread         bool   // a long answer goes on in a thread
	MaxPosts       int    // of such a thread
	ReadLinks      bool   // pages that posts link to are read
	Notices        bool   // the asker is told when there will be no answer for now
	NoticeAfter    time.Duration
}

// Unlimited is the value of a limit that is none.
const Unlimited = -1

// Budget is what may be spent in a day. Amounts of money are in millionths of
// the currency's unit. Each limit may be Unlimited; 0 allows nothing.
type Budget struct {
	TimeZone         *time.Location // whose midnight begins a day
	RepliesPerMember int64
	TokensPerDay     int64 // of all together
	TokensPerAccount int64
	TokensPerMember  int64
	TokensPerGuild   int64
	MoneyPerDay      int64
	MoneyPerAccount  int64
	MoneyPerMember   int64
	MoneyPerGuild    int64
	Currency         string
	PricePrompt      *int64 // of a million tokens; nil: not known
	PriceCompletion  *int64
}

// Operator is who runs the bot.
type Operator struct {
	Fediverse string // handle that notices are sent to, user@host; empty: they are only logged
	Language  string // of what the operator is told: "en" or "ru"
}

// Backup says when the database is copied, and how many copies are kept.
type Backup struct {
	Daily bool
	At    string // "04:00", by the machine's clock
	Keep  int
	Dir   string
}

// Web is the optional address for metrics and health checks.
type Web struct {
	Listen string // host:port; empty: none
}

// Outbox says how long the fate of a post is waited for.
type Outbox struct {
	SettleAfterError   time.Duration // after a complete error answer
	SettleAfterSilence time.Duration // after no answer
	RequestTimeout     time.Duration // of one request
}

// Account is one of our accounts on one server.
type Account struct {
	Name       string
	Server     string // scheme and host alone
	Token      Secret
	Does       []string // features; at least one
	Backlog    bool     // first run answers what is already there, not only what comes
	MaxAge     time.Duration
	Poll       time.Duration
	RateLimits bool   // keep to the usual limits before the server has to say so
	Streaming  bool   // news come over a stream where the server has one
	StreamURL  string // of that stream, if the server's word is wrong
	Language   string // of notices to members; empty: the asker's
	TokenFile  string // where the token is kept, if in a file
	NSFW       bool   // also shows NSFW pictures, to who asks for them

	// The rest is for the feature gallery.
	Visibility   community.Visibility // of its posts: Public, Unlisted or Followers
	MaxUpload    int64                // bytes of a file; 0: what the server takes
	PostsPerHour int                  // 0: no such limit
	AI           string               // AIAsk or AINever
	Contact      string               // how people reach the operator about posts; may be empty
	PostTail     string               // at the end of every post
	Guilds       []string             // ids of the Discord servers that may post to it; none: all
}

// Doing reports whether the account does the feature.
func (a Account) Doing(feature string) bool { return slices.Contains(a.Does, feature) }

// Doing reports whether any account, or the application on Discord, does the
// feature.
func (c *Config) Doing(feature string) bool {
	return c.Discord.Doing(feature) || slices.ContainsFunc(c.Accounts, func(a Account) bool { return a.Doing(feature) })
}

// Load reads and checks the file at path. A path that is a folder means the
// FileName in it, an empty one that in the current folder. env looks up a
// variable, as os.LookupEnv does, which is used when it is nil.
//
// A missing file gives an error that wraps fs.ErrNotExist and shows the
// smallest files that would do; mistakes in the file give an Errors.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	return load(path, env, true)
}

// LoadForLogin is Load for those who are about to get the accounts' tokens: it
// does not mind that they, or that of Discord, are missing or cannot be right.
// Those that are there are in the Config.
func LoadForLogin(path string, env func(string) (string, bool)) (*Config, error) {
	return load(path, env, false)
}

func load(path string, env func(string) (string, bool), tokens bool) (*Config, error) {
	if env == nil {
		env = os.LookupEnv
	}
	if path == "" {
		path = FileName
	}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, FileName)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", path, err)
	}
	data, err := readFile(full)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration file: looked for %s (%w).\n"+
			"Make one, or say where yours is.\n\nThe smallest one for the Fediverse is:\n\n%s\nThe smallest one for Discord is:\n\n%s", full, fs.ErrNotExist, smallest, smallestDiscord)
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return parse(path, full, data, env, readFile, tokens)
}

// readFile reads a file of at most maxFile bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d KiB", maxFile>>10)}
	}
	return data, nil
}
