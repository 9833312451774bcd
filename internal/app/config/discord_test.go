package config

import (
	"slices"
	"strings"
	"testing"
)

const onDiscord = `data_dir = "data"
[discord]
token_env = "BOT"
does = ["gifs"]
`

func TestDiscordAloneIsAConfiguration(t *testing.T) {
	t.Parallel()
	c, err := parseText(onDiscord, vars("BOT", "QUJD.x.y"))
	if err != nil {
		t.Fatal(err)
	}
	d := c.Discord
	if !d.On || d.API != DiscordAPI || d.CDN != DiscordCDN || !d.MessageContent || !d.DirectMessages || len(c.Accounts) != 0 {
		t.Errorf("got %+v", d)
	}
	if !c.Doing(FeatureGIFs) || c.Doing(FeaturePersona) || !slices.Equal(d.Does, []string{FeatureGIFs}) {
		t.Error("what it does is not what was written")
	}
	if strings.Contains(d.Token.String(), "QUJD") {
		t.Error("the token is shown")
	}
}

func TestWithoutDiscordNothingOfItIsInForce(t *testing.T) {
	t.Parallel()
	c, err := parseText(good, vars("TOKEN", "t"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Discord.On || c.Discord.Doing(FeaturePersona) || c.Discord.API != "" || c.Discord.CDN != "" {
		t.Errorf("got %+v", c.Discord)
	}
}

func TestMistakesOfDiscord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, token, want string }{
		"no token":          {"token_env = \"BOT\"\n", "", "QUJD.x.y", `2: token_file is missing in [discord]: write token_file = "discord.token" and put the bot's token into that file (or token_env = "DISCORD_TOKEN"`},
		"token itself":      {`token_env = "BOT"`, `token = "QUJD.x.y"`, "", `3: token in [discord]: a secret is not written in this file. Put it into a file of its own and name that: token_file = "discord.token", or into`},
		"not a bot's":       {"", "", "0123456789abcdef", "3: the token that [discord] names is not that of a bot: it has three parts"},
		"two parts":         {"", "", "QUJD.x", "3: the token that [discord] names is not that of a bot: it has three parts"},
		"an empty part":     {"", "", "QUJD..x", "3: the token that [discord] names is not that of a bot: it has three parts"},
		"other letters":     {"", "", "QUJD.x.y=", "3: the token that [discord] names is not that of a bot: it has three parts"},
		"one quote":         {"", "", `"QUJD.x.y`, "3: the token that [discord] names is not that of a bot: it has three parts"},
		"Bot alone":         {"", "", "BOT", "3: the token that [discord] names is not that of a bot: it has three parts"},
		"quotes alone":      {"", "", `""`, "3: the token that [discord] names is not that of a bot: it has three parts"},
		"a blank":           {"", "", "QUJD.x .y", "3: the token that [discord] names has a blank or an invisible character in it: put the token there alone"},
		"a blank of print":  {"", "", "QUJD.x\u00a0.y", "3: the token that [discord] names has a blank or an invisible character in it"},
		"something unseen":  {"", "", "QUJD.x\u200b.y", "3: the token that [discord] names has a blank or an invisible character in it"},
		"another header":    {"", "", "Authorization: Bot QUJD.x.y", "3: the token that [discord] names has a blank or an invisible character in it"},
		"two lines":         {"", "", "QUJD.x.y\nQUJD.x.y", "3: token_env: the secret has more than one line"},
		"token for a file":  {`token_env = "BOT"`, `token_file = "MTIz.abc.def"`, "MTIz.abc.def", `3: token_file in [discord]: this is a token itself, and here belongs the name of a file: write token_file = "discord.token", and put the token into that file`},
		"Bot for a file":    {`token_env = "BOT"`, `token_file = "Bot MTIz.abc.def"`, "MTIz.abc.def", `3: token_file in [discord]: this is a token itself`},
		"no name of a file": {`token_env = "BOT"`, `token_file = ""`, "", `3: token_file in [discord]: it is empty: write token_file = "discord.token"`},
		"no such file":      {`token_env = "BOT"`, `token_file = "my.bot.token"`, "", `3: token_file: the file that it names is not there (a relative path starts at /etc/rookery): put the bot's token into it`},
		"NSFW":              {"does =", "nsfw = true\ndoes =", "QUJD.x.y", `4: unknown key "nsfw" in [discord]: on Discord each guild turns it on itself, with /settings: take this line away`},
		"channel, unquoted": {"does =", "operator_channel = 1573738816668172292\ndoes =", "QUJD.x.y", `4: operator_channel in [discord]: expected a text in quotes, not a whole number: write operator_channel = "1573738816668172292"`},
		"not a channel":     {"does =", "operator_channel = 15\ndoes =", "QUJD.x.y", `4: operator_channel in [discord]: expected a text in quotes, not a whole number`},
		"does two unknown":  {`["gifs"]`, `["persona", "gif", "weather"]`, "QUJD.x.y", "4: does in [discord]: \"gif\" is not known: did you mean \"gifs\"?\nrookery.toml:4: does in [discord]: \"weather\" is not known: it is one of"},
		"not set":           {"", "", "", "3: token_env: the environment variable BOT is not set"},
		"does nothing":      {`["gifs"]`, `[]`, "QUJD.x.y", `4: does in [discord]: the list is empty`},
		"does is missing":   {"does = [\"gifs\"]\n", "", "QUJD.x.y", `2: does is missing in [discord]: write does = ["persona", "gifs"]`},
		"does the unknown":  {`["gifs"]`, `["gif"]`, "QUJD.x.y", `4: does in [discord]: "gif" is not known: did you mean "gifs"?`},
		"channel's name":    {"does =", "operator_channel = \"#mods\"\ndoes =", "QUJD.x.y", `4: operator_channel in [discord]: "#mods" is not an id of Discord's`},
		"api elsewhere":     {"does =", "api = \"http://discord.example/api/v10\"\ndoes =", "QUJD.x.y", `4: api in [discord]: plain http would show the token`},
		"api's version":     {"does =", "api = \"https://discord.com/api\"\ndoes =", "QUJD.x.y", `4: api in [discord]: the address ends in /v10`},
		"cdn elsewhere":     {"does =", "cdn = \"http://cdn.example\"\ndoes =", "QUJD.x.y", `4: cdn in [discord]: write https://`},
		"cdn's question":    {"does =", "cdn = \"https://cdn.example/?a\"\ndoes =", "QUJD.x.y", `4: cdn in [discord]: take away what follows the ?`},
		"no character":      {`["gifs"]`, `["persona"]`, "QUJD.x.y", `llm.base_url is missing, which the feature persona needs`},
		"two brackets":      {"[discord]", "[[discord]]", "QUJD.x.y", `2: [[discord]] has too many brackets`},
	} {
		env := vars()
		if c.token != "" {
			env = vars("BOT", c.token)
		}
		_, err := parseText(strings.Replace(onDiscord, c.from, c.to, 1), env)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if err != nil && c.token != "" && strings.Contains(err.Error(), c.token) {
			t.Errorf("%s: the message shows the token: %v", name, err)
		}
	}
}

// What stands around a token where people copy it from does no harm.
func TestDiscordTokenAsItIsPasted(t *testing.T) {
	t.Parallel()
	const want = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gab-_1.x_Y-9"
	for _, pasted := range []string{
		want, " " + want + "\r\n", "Bot " + want, "bot " + want, "BOT  " + want, `"` + want + `"`, "'" + want + "'", "`" + want + "`", "“" + want + "”", "„" + want + "“",
		`"Bot ` + want + `"`, `Bot "` + want + `"`, "\ufeff" + `" ` + want + ` "`,
	} {
		dir := write(t, "rookery.toml", strings.Replace(onDiscord, `token_env = "BOT"`, `token_file = "discord.token"`, 1), "discord.token", pasted)
		c, err := Load(dir, vars())
		if err != nil || c.Discord.Token.Reveal() != want {
			t.Errorf("%q in a file: %v", pasted, err)
		}
		c, err = parseText(onDiscord, vars("BOT", strings.TrimPrefix(pasted, "\ufeff")))
		if err != nil || c.Discord.Token.Reveal() != want {
			t.Errorf("%q in a variable: %v", pasted, err)
		}
	}
}

func TestEmptyFileForTheDiscordToken(t *testing.T) {
	t.Parallel()
	_, err := Load(write(t, "rookery.toml", SmallestDiscord(), "discord.token", "\n"), vars())
	if err == nil || !strings.Contains(err.Error(), "rookery.toml:4: token_file: the file that it names is empty: put the bot's token into it, and nothing else; the developer portal shows it") {
		t.Errorf("got %v", err)
	}
}

func TestSmallestOnDiscordRuns(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, "rookery.toml", SmallestDiscord(), "discord.token", "QUJD.x.y\n"), vars())
	if err != nil || len(c.Warnings) > 0 || !c.Discord.Doing(FeatureGIFs) || len(c.Accounts) > 0 {
		t.Errorf("got %+v, %v", c, err)
	}
}
