package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// What FediverseBot's options mean here. Its write-up shows some of their
// names; of the others it is known what the bot needs, so that each may have
// any of several.
const (
	botToken     = "discord token"
	botGuild     = "guild"
	botKey       = "openai key"
	botModel     = "openai model"
	botAPI       = "openai address"
	botTokens    = "openai tokens"
	botPrompt    = "prompt"
	botServer    = "server"
	botAccess    = "access token"
	botTail      = "tail"
	botLevel     = "level"
	botSeen      = "visibility"
	botData      = "data"     // no place here: where things are kept
	botDatabase  = "database" // no place here, but it is what comes next
	botLog       = "log"      // no place here: the file of the log
	botLogin     = "login"    // no place here: rookery login gets a token of its own
	botInDiscord = "settings" // each guild sets it on Discord
)

// botOptions are the names of options in the sections of that kind, with
// neither spaces nor _ nor that kind's own name before them.
func botOptions() map[string]map[string]string {
	return map[string]map[string]string{
		"discord": {
			"token": botToken, "bottoken": botToken, "apitoken": botToken, "clienttoken": botToken,
			"guild": botGuild, "guildid": botGuild, "guildids": botGuild, "guilds": botGuild, "server": botGuild, "serverid": botGuild,
			"acceptedcontenttypes": botInDiscord, "contenttypes": botInDiscord, "acceptedtypes": botInDiscord, "acceptedmediatypes": botInDiscord,
			"channel": botInDiscord, "channelid": botInDiscord, "channelids": botInDiscord, "channels": botInDiscord,
			"forum": botInDiscord, "forumid": botInDiscord, "forumchannelid": botInDiscord,
		},
		"openai": {
			"key": botKey, "apikey": botKey, "token": botKey, "apitoken": botKey, "secret": botKey, "secretkey": botKey,
			"model": botModel, "baseurl": botAPI, "apibase": botAPI, "apibaseurl": botAPI, "url": botAPI, "maxtokens": botTokens,
			"prompt": botPrompt, "messageprompt": botPrompt, "imageprompt": botPrompt, "descriptionprompt": botPrompt, "alttextprompt": botPrompt,
		},
		"fediverse": {
			"server": botServer, "serverurl": botServer, "url": botServer, "baseurl": botServer, "apibaseurl": botServer, "apiurl": botServer,
			"instance": botServer, "instanceurl": botServer, "instancebaseurl": botServer, "host": botServer, "domain": botServer, "address": botServer,
			"token": botAccess, "accesstoken": botAccess, "usertoken": botAccess, "bearertoken": botAccess, "apitoken": botAccess,
			"tokenfile": botAccess, "accesstokenfile": botAccess, "tokenlocation": botAccess, "accesstokenlocation": botAccess, "tokenpath": botAccess,
			"usercred": botAccess, "usercredfile": botAccess, "usercredlocation": botAccess, "usercreds": botAccess, "usercredentials": botAccess,
			"usercredentialsfile": botAccess, "usercredentialslocation": botAccess, "credentials": botAccess, "credentialsfile": botAccess,
			"clientid": botLogin, "clientsecret": botLogin, "clientcred": botLogin, "clientcredfile": botLogin, "clientcredlocation": botLogin,
			"clientcredentials": botLogin, "clientcredentialsfile": botLogin, "clientcredentialslocation": botLogin, "clientidfile": botLogin,
			"appname": botLogin, "clientname": botLogin, "user": botLogin, "username": botLogin, "login": botLogin, "email": botLogin, "mail": botLogin,
			"password": botLogin, "pass": botLogin, "visibility": botSeen,
		},
		"": {
			"posttail": botTail, "loglevel": botLevel, "visibility": botSeen, "postvisibility": botSeen,
			"datadirectory": botData, "datadir": botData, "tempdirectory": botData, "emojidirectory": botData,
			"databaselocation": botDatabase, "databasefile": botDatabase, "dblocation": botDatabase, "database": botDatabase,
			"logfilelocation": botLog, "logfile": botLog, "loglocation": botLog,
			"acceptedcontenttypes": botInDiscord, "guildid": botGuild,
		},
	}
}

// botKinds are words that sections, or options before their own name, are known
// by.
func botKinds() [][2]string {
	return [][2]string{
		{"openai", "openai"}, {"chatgpt", "openai"}, {"gpt", "openai"}, {"discord", "discord"}, {"ds", "discord"},
		{"akkoma", "fediverse"}, {"pleroma", "fediverse"}, {"mastodon", "fediverse"}, {"fediverse", "fediverse"}, {"fedi", "fediverse"}, {"instance", "fediverse"},
	}
}

// meaning is what an option is here; "" for one that nothing is made of.
func meaning(o *option) string {
	section, key := folded(o.section), folded(o.key)
	kind := ""
	for _, k := range botKinds() {
		if kind == "" && strings.HasPrefix(section, k[0]) {
			kind = k[1]
		}
	}
	known := botOptions()
	if m := known[kind][key]; m != "" {
		return m
	}
	for _, k := range botKinds() {
		if rest, ok := strings.CutPrefix(key, k[0]); ok {
			if m := known[k[1]][rest]; m != "" {
				return m
			}
			if m := known[""][rest]; m != "" {
				return m
			}
		}
	}
	return known[""][key]
}

// folded is a name without what does not make another.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// botSettings are what the INI file says, in the terms of Rookery.
type botSettings struct {
	discord, access, key string // secrets; empty where there is none
	server               string
	guilds               []string
	tail, prompt         string
	model, api           string
	lines                map[string]string // further lines of the configuration, by what they mean
	database             string            // where the database is
	taken                []string          // names of what was taken over
	idle                 map[string][]string
	unknown              []string
	wrong                []error
}

// parseFediverseBot makes settings of an INI file; dir is where it stands. All
// that is wrong is told at once, without any value.
func parseFediverseBot(data []byte, dir string) (botSettings, error) {
	f, err := parseINI(string(data))
	if err != nil {
		return botSettings{}, err
	}
	if len(f.options) == 0 {
		return botSettings{}, errors.New("it has no settings in it: " + botFiles)
	}
	s := botSettings{idle: map[string][]string{}, lines: map[string]string{}}
	known := 0
	seen := map[string]bool{}
	for _, o := range f.options {
		m := meaning(o)
		switch {
		case m == "" || o.value != "" && seen[m] && !several(m):
			s.unknown = append(s.unknown, shownOption(o))
			continue
		case o.value == "": // as good as not there
		case several(m):
			s.idle[m] = append(s.idle[m], shownOption(o))
			if m == botDatabase {
				s.database = beside(dir, o.value)
			}
		default:
			seen[m] = true
			s.take(m, o, dir)
		}
		known++
	}
	switch {
	case known == 0:
		return s, errors.New("nothing in it is a setting of the bot's: " + botFiles)
	case s.server == "" && len(s.wrong) == 0:
		s.bad("the address of the instance is missing: add a line server = https://art.example to its section [Akkoma]")
	}
	return s, errors.Join(s.wrong...)
}

// several tells what there may be more than one of, because it has no place
// here.
func several(meaning string) bool {
	return slices.Contains([]string{botData, botDatabase, botLog, botLogin, botInDiscord}, meaning)
}

// shownOption is an option's name, with its section.
func shownOption(o *option) string {
	if o.section == defaults {
		return printable(o.key)
	}
	return "[" + printable(o.section) + "] " + printable(o.key)
}

func (s *botSettings) bad(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Errorf(format, args...))
}

func (s *botSettings) take(m string, o *option, dir string) {
	name := shownOption(o)
	before := len(s.wrong)
	switch m {
	case botToken:
		s.discord = s.secret(name, o.value)
		if s.discord != "" && !discordToken.MatchString(s.discord) {
			s.bad("%s is not that of a bot: it has three parts with dots between them; copy it again from the developer portal, under Bot, Reset Token", name)
		}
	case botKey:
		s.key = s.secret(name, o.value)
	case botAccess:
		s.accessToken(o, dir)
	case botServer:
		s.address(name, o.value)
	case botGuild:
		s.guild(name, o.value)
	case botTail:
		s.tail = o.value
		if n := utf8.RuneCountInString(o.value); n > 500 {
			s.bad("%s has %d characters: 500 are the most, for every post ends with them", name, n)
		}
	case botPrompt:
		s.prompt = o.value
	case botModel:
		s.model = o.value
	case botAPI:
		s.api = o.value
	case botTokens:
		s.number(name, o.value)
	case botLevel:
		s.level(o.value)
	case botSeen:
		s.visibility(name, o.value)
	}
	if len(s.wrong) == before && !slices.Contains(s.idle[botLogin], name) {
		s.taken = append(s.taken, name)
	}
}

// discordToken is the shape of a bot's token: three parts, the first of which
// is its id.
var discordToken = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

func (s *botSettings) secret(name, v string) string {
	if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'`\\", r) }) {
		s.bad("%s holds a space, a quote or another character that does not belong there: write the secret itself, copied again", name)
		return ""
	}
	return v
}

// address takes what the bot's library does: also a host alone.
func (s *botSettings) address(name, v string) {
	if !strings.Contains(v, "://") {
		v = "https://" + v
	}
	at, err := origin(name, strings.TrimRight(v, "/"))
	if err != nil {
		s.wrong = append(s.wrong, err)
		return
	}
	if s.server != "" && s.server != at {
		s.bad("%s names another server than the rest: give the token and the address of one account", name)
	}
	s.server = at
}

// accessToken takes a token, or the file that the bot's library has written
// (https://git.mastodont.cat/spla/Akkoma.py): the token, then the address of
// the server, a line each.
func (s *botSettings) accessToken(o *option, dir string) {
	name, key := shownOption(o), folded(o.key)
	path := beside(dir, o.value)
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		isFile := strings.ContainsAny(o.value, `/\`) || strings.Contains(key, "cred") ||
			slices.ContainsFunc([]string{"file", "location", "path"}, func(end string) bool { return strings.HasSuffix(key, end) })
		if !isFile {
			s.access = s.secret(name, o.value)
			return
		}
		s.idle[botLogin] = append(s.idle[botLogin], name) // the file is not here; rookery login makes another
		return
	}
	data, err := readStart(path)
	if err != nil {
		s.bad("the file that %s names cannot be read: make it readable, or take the line away", name)
		return
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	s.access = s.secret("the file that "+name+" names", strings.TrimSpace(lines[0]))
	if len(lines) > 1 && strings.TrimSpace(lines[1]) != "" {
		s.address("the second line of the file that "+name+" names", strings.TrimSpace(lines[1]))
	}
}

func readStart(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// beside is where a path of the INI file leads: the bot ran in its folder.
func beside(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func (s *botSettings) guild(name, v string) {
	for _, id := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(", \n\t[]\"'", r) }) {
		if len(id) < 17 || !validID(id, false) {
			s.bad("%s is not the id of a Discord server: it is a number of 17 to 20 digits; switch on the developer mode in Discord, then Copy Server ID", name)
			return
		}
		if !slices.Contains(s.guilds, id) {
			s.guilds = append(s.guilds, id)
		}
	}
}

func (s *botSettings) number(name, v string) {
	if len(v) > 5 || strings.Trim(v, "0123456789") != "" || v[0] == '0' || len(v) < 2 || v < "20" && len(v) == 2 || len(v) == 5 && v > "10000" {
		s.bad("%s is not a number of tokens: write one from 20 to 10000, like 300", name)
		return
	}
	s.lines[botTokens] = "max_tokens = " + v
}

func (s *botSettings) level(v string) {
	level, ok := map[string]string{"notset": "debug", "debug": "debug", "info": "info", "warn": "warn", "warning": "warn", "error": "error", "critical": "error", "fatal": "error"}[strings.ToLower(v)]
	if !ok {
		level = "info"
	}
	s.lines[botLevel] = "level = " + tomlText(level)
}

func (s *botSettings) visibility(name, v string) {
	v = strings.ToLower(v)
	if !slices.Contains([]string{"public", "unlisted", "private"}, v) {
		s.bad("%s is not an audience of posts: write public, unlisted or private", name)
		return
	}
	s.lines[botSeen] = "visibility = " + tomlText(v)
}

// tomlText is a text as TOML has them, in one line.
func tomlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
