package config

import (
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// DiscordAPI is where Discord's own API is.
const DiscordAPI = "https://discord.com/api/v10"

// DiscordCDN is where Discord's own files are.
const DiscordCDN = "https://cdn.discordapp.com"

// Discord is the bot's application there. It is in force if On.
type Discord struct {
	On              bool   // there is a [discord] section
	Token           Secret // of the application's bot user
	TokenFile       string // where it is kept, if in a file
	Does            []string
	MessageContent  bool   // asks for the privileged intent
	DirectMessages  bool   // answers them
	OperatorChannel string // id of the channel that notices are sent to; empty: none
	Language        string // of a guild that has set none; empty: each member's own
	Backlog         bool   // first run answers what is already there, not only what comes
	MaxAge          time.Duration
	API             string // base of the REST API, without a slash at the end
	CDN             string // base of the addresses of emoji, without a slash at the end
}

// Doing reports whether the application may do the feature, in guilds that turn
// it on.
func (c Discord) Doing(feature string) bool { return c.On && slices.Contains(c.Does, feature) }

func discordSection(c *Discord, token *source) section {
	return section{name: "discord", secrets: secretWords("token", "bot_token", "key", "secret", "password"), secretFile: "discord.token", elsewhere: map[string]string{
		"nsfw": "on Discord each guild turns it on itself, with /settings: take this line away",
	}, fields: []field{
		text("token_env", &token.env, "", "name of a variable", "Variable that holds the token of your application's bot. This key or the next is required.", isVariable),
		text("token_file", &token.file, "", "path", "File that holds the token, instead of a variable.", isTokenFile),
		texts("does", &c.Does, 20, "What the bot can do on Discord: the list of its features. Each guild turns on what it wants of them. Required. Known: "+list(features())+".", func(s string) string { return oneOf(s, features()) }),
		boolean("message_content", &c.MessageContent, true, "Whether the bot reads the messages around the one that addresses it. It needs the Message Content intent, which you switch on in the developer portal."),
		boolean("direct_messages", &c.DirectMessages, true, "Whether the bot answers direct messages."),
		text("operator_channel", &c.OperatorChannel, "", "channel id", "Channel that what needs you is sent to, beside the log. Its id is a long number: switch on the developer mode in Discord, then Copy Channel ID.", isSnowflake),
		text("language", &c.Language, "", "language tag", `Language in guilds that have set none, one of "en" and "ru". Without it each member's own.`, isCatalogue),
		choice("first_run", "now", `Where to begin the first time: "now" with what comes, "backlog" with what is already there.`, []string{"now", "backlog"}, func(s string) { c.Backlog = s == "backlog" }),
		duration("max_age", &c.MaxAge, 24*time.Hour, time.Second, 30*24*time.Hour, "A message older than this is not answered any more."),
		text("api", &c.API, DiscordAPI, "URL", "Address of Discord's API. For a proxy of yours, or to try things out. Plain http is taken for this machine only.", isDiscordAPI),
		text("cdn", &c.CDN, DiscordCDN, "URL", "Address of Discord's files, from which the emoji of a server are fetched. To try things out. Plain http is taken for this machine only.", isDiscordCDN),
	}}
}

// isSnowflake is the rule for an id of Discord's.
func isSnowflake(s string) string {
	if len(s) < 17 || len(s) > 20 || strings.Trim(s, "0123456789") != "" {
		return shown(s) + " is not an id of Discord's: it is a number of 17 to 20 digits, in quotes"
	}
	return ""
}

func isDiscordAPI(s string) string {
	u, bad := webAddress(s, DiscordAPI)
	switch {
	case bad != "":
		return bad
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "plain http would show the token to everyone on the way: write https:// (http is for this machine only)"
	case !strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v10"):
		return "the address ends in /v10, the version of the API that this program speaks: write it like " + DiscordAPI
	}
	return ""
}

func isDiscordCDN(s string) string {
	u, bad := webAddress(s, DiscordCDN)
	switch {
	case bad != "":
		return bad
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "write https:// (http is for this machine only)"
	}
	return ""
}

// checkDiscord looks at what the section's keys say together.
func (d *draft) checkDiscord(rep *report) {
	t, c := d.known["discord"], &d.cfg.Discord
	if t == nil {
		*c = Discord{}
		return
	}
	c.On = true
	c.API = strings.TrimRight(strings.TrimSpace(c.API), "/")
	c.CDN = strings.TrimRight(strings.TrimSpace(c.CDN), "/")
	// An account of the gallery tells what is wanted here.
	several, one := []string{FeaturePersona, FeatureGIFs}, FeaturePersona
	if slices.ContainsFunc(d.cfg.Accounts, func(a Account) bool { return a.Doing(FeatureGallery) }) {
		several, one = []string{FeatureGallery}, FeatureGallery
	}
	e := t.find("does")
	switch {
	case e == nil:
		rep.mistake(t.line, "discord.does", `does is missing in [discord]: write does = ["%s"]`, strings.Join(several, `", "`))
	case e.val.kind == unstable.Array && len(e.val.items) == 0:
		rep.mistake(e.line, "discord.does", `does in [discord]: the list is empty: write what the bot can do, like does = ["%s"]`, one)
	}
}

// resolveDiscord fetches the token.
func (d *draft) resolveDiscord(s *secrets) {
	t, c := d.known["discord"], &d.cfg.Discord
	if t == nil {
		return
	}
	c.TokenFile = inDir(s.dir, d.discordToken.file)
	if t.find("token_env") == nil && t.find("token_file") == nil {
		if !hasInline(t, discordSection(new(Discord), new(source))) {
			s.rep.mistake(t.line, "discord.token_file", `token_file is missing in [discord]: write token_file = "discord.token" and put the bot's token into that file `+
				`(or token_env = "DISCORD_TOKEN" and put it into the environment variable DISCORD_TOKEN)`)
		}
		return
	}
	s = s.forTokens()
	got := s.fetch(t, "discord", "token", d.discordToken, true)
	if !got.IsSet() {
		return
	}
	token := bareToken(got.Reveal())
	if bad := badToken(token); bad != "" {
		s.rep.mistake(d.discordToken.line(t, "token"), "discord.token", "%s", bad)
		return
	}
	c.Token = NewSecret(token)
}
