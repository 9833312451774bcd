package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rookery/internal/app/config"
	"rookery/internal/words"
)

// FediverseBot is what the bot of that name has left behind: one of its two
// files, or both.
type FediverseBot struct {
	database, iniFile string // as they were named; empty if not given
	posts             botPosts
	settings          botSettings
}

// ReadFediverseBot reads the bot's files, its database (db.sqlite) and its
// settings (an INI file), and finds out by itself which is which. The bot
// should be stopped; nothing beside the files is changed. Errors say what to do
// and hold nothing of the files' values.
func ReadFediverseBot(paths ...string) (*FediverseBot, error) {
	b := &FediverseBot{}
	for _, name := range paths {
		data, err := readBotFile(name)
		if err != nil {
			return nil, err
		}
		isDatabase := bytes.HasPrefix(data, []byte(sqliteMagic))
		before := &b.iniFile
		if isDatabase {
			before = &b.database
		}
		if *before != "" {
			return nil, fmt.Errorf("%s and %s are of one kind: give the bot's database and its INI file, each once", *before, name)
		}
		*before = name
		if isDatabase {
			b.posts, err = readSubmissions(name)
		} else {
			b.settings, err = parseFediverseBot(data, filepath.Dir(name))
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if b.database == "" && b.iniFile == "" {
		return nil, errors.New(botFiles)
	}
	return b, nil
}

// HasPosts tells whether the bot's database was among the files.
func (b *FediverseBot) HasPosts() bool { return b.database != "" }

// HasSettings tells whether the bot's settings were among the files.
func (b *FediverseBot) HasSettings() bool { return b.iniFile != "" }

// readBotFile reads a text whole, and of a database enough to know it.
func readBotFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read what the bot has left: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read what the bot has left: %w", err)
	}
	if bytes.HasPrefix(data, []byte(sqliteMagic)) {
		return data[:len(sqliteMagic)], nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimSpace(data)
	switch {
	case len(text) == 0:
		return nil, fmt.Errorf("%s is empty: %s", name, botFiles)
	case bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data):
		return nil, fmt.Errorf("%s is neither a SQLite database nor text: %s", name, botFiles)
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s is larger than %d KiB: %s", name, maxFile>>10, botFiles)
	case text[0] == '<':
		return nil, fmt.Errorf("%s is a web page: save the file itself, not the page that shows it", name)
	case text[0] == '{':
		return nil, fmt.Errorf("%s is neither a database nor an INI file: %s", name, botFiles)
	}
	return data, nil
}

// The files of secrets that are written beside the configuration, and the name
// of the account.
const (
	botAccount  = "gallery"
	botDiscord  = "discord.token"
	botFediKey  = "gallery.token"
	botModelKey = "openai.key"
)

// Write makes the configuration and the files with the secrets from the bot's
// settings, and tells what became of each of them. Like Elelem it overwrites no
// file, and writes all or nothing. A token that the settings did not have is
// asked for in what it tells.
func (b *FediverseBot) Write(ctx context.Context, c Config) (Result, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return Result{}, fmt.Errorf("find %s: %w", c.Dir, err)
	}
	s := b.settings
	r := Result{Config: filepath.Join(dir, configFile), Unknown: s.unknown}
	var files []file
	var secrets []string
	for _, f := range []struct{ name, secret string }{{botDiscord, s.discord}, {botFediKey, s.access}, {botModelKey, s.key}} {
		if f.secret != "" {
			files = append(files, file{filepath.Join(dir, f.name), f.secret + "\n"})
			secrets = append(secrets, f.name)
		}
	}
	files = append(files, file{r.Config, s.config()})
	load := config.Load
	if s.discord == "" || s.access == "" {
		load = config.LoadForLogin
	}
	if err := writeFor(ctx, dir, files, load); err != nil {
		return Result{}, err
	}
	c.tellFediverseBot(r, b, secrets)
	return r, nil
}

// config is the configuration. Its comments say what became of the bot's ways.
func (s botSettings) config() string {
	section := func(title string, lines ...string) string {
		lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
		if len(lines) == 0 {
			return ""
		}
		return "\n\n" + title + "\n" + strings.Join(lines, "\n")
	}
	text := func(key, value string) string {
		if value == "" {
			return ""
		}
		return key + " = " + tomlText(value)
	}
	model := text("model", first(s.model, botsModel))
	api := text("base_url", first(strings.TrimRight(s.api, "/"), openAI))
	key := text("api_key_file", botModelKey)
	vision := section("# Nobody describes pictures. For that take the # away, and put the key of the service into the file.\n#[gallery.vision]",
		"#"+api, "#"+model, "#"+key)
	if s.key != "" || s.api != "" {
		if s.key == "" {
			key = "" // a model of one's own may need none
		}
		vision = section("# Who describes pictures, for artists who ask for it.\n[gallery.vision]", api, model, key)
	}
	guilds := make([]string, len(s.guilds))
	for i, g := range s.guilds {
		guilds[i] = tomlText(g)
	}
	guild := ""
	if len(guilds) > 0 {
		guild = "guilds = [" + strings.Join(guilds, ", ") + "]"
	}
	return strings.NewReplacer(
		"{log}", section("[log]", s.lines[botLevel]),
		"{gallery}", section("[gallery]", text("prompt", s.prompt), s.lines[botTokens]),
		"{vision}", vision,
		"{account}", section("[[account]]", text("name", botAccount), text("server", s.server), text("token_file", botFediKey), `does = ["gallery"]`,
			s.lines[botSeen], text("post_tail", s.tail), guild),
	).Replace(botTemplate)
}

// What the bot asks, and where.
const (
	botsModel = "gpt-4o"
	openAI    = "https://api.openai.com/v1"
)

const botTemplate = `# Made from the settings of FediverseBot. What each key means, and what else
# there is: docs/configuration.md.

data_dir = "data"{log}

[discord]
token_file = "discord.token"
does = ["gallery"]{gallery}{vision}{account}

# What changes: pictures go to no model until the artist turns it on for that
# post; any spoiler makes the whole post sensitive; an offer that nobody answers
# goes away by itself; and each Discord server says with /settings in which
# channels it wants the gallery, which files are taken and who may share.
`

// tellFediverseBot says what became of every option, by its name.
func (c Config) tellFediverseBot(r Result, b *FediverseBot, secrets []string) {
	if c.Out == nil {
		return
	}
	s := b.settings
	say := func(k words.Key, a words.Args) { fmt.Fprintln(c.Out, c.Language.Say(k, a)) }
	say(words.ImportFediversebotWritten, words.Args{"config": r.Config})
	if len(secrets) > 0 {
		say(words.ImportFediversebotSecrets, words.Args{"names": strings.Join(secrets, ", ")})
	}
	if len(s.taken) > 0 {
		say(words.ImportFediversebotTaken, words.Args{"names": strings.Join(s.taken, ", ")})
	}
	reasons := map[string]words.Key{
		botData: words.ImportFediversebotData, botDatabase: words.ImportFediversebotDatabase, botLog: words.ImportFediversebotLog,
		botLogin: words.ImportFediversebotLogin, botInDiscord: words.ImportFediversebotSettings,
	}
	for _, m := range slices.Sorted(maps.Keys(reasons)) {
		if names := s.idle[m]; len(names) > 0 {
			say(reasons[m], words.Args{"names": strings.Join(names, ", ")})
		}
	}
	if len(r.Unknown) > 0 {
		say(words.ImportFediversebotUnknown, words.Args{"names": strings.Join(r.Unknown, ", ")})
	}
	if s.discord == "" {
		say(words.ImportFediversebotNoDiscord, words.Args{"file": filepath.Join(filepath.Dir(r.Config), botDiscord)})
	}
	if s.access == "" {
		say(words.ImportFediversebotNoToken, words.Args{"account": botAccount})
	}
	if !b.HasPosts() {
		say(words.ImportFediversebotNext, words.Args{"file": first(visible(s.database), "db.sqlite")})
	}
}

// visible is a path from a file, fit for a terminal.
func visible(path string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '?'
		}
		return r
	}, path)
}
