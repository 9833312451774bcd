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
	if !d.On || d.API != DiscordAPI || !d.MessageContent || !d.DirectMessages || len(c.Accounts) != 0 {
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
	if c.Discord.On || c.Discord.Doing(FeaturePersona) || c.Discord.API != "" {
		t.Errorf("got %+v", c.Discord)
	}
}

func TestMistakesOfDiscord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, token, want string }{
		"no token":         {"token_env = \"BOT\"\n", "", "QUJD.x.y", `2: token_env is missing in [discord]: write token_env = "DISCORD_TOKEN"`},
		"token itself":     {`token_env = "BOT"`, `token = "QUJD.x.y"`, "", `3: token in [discord]: a secret is not written in this file.`},
		"not a bot's":      {"", "", "0123456789abcdef", "3: the token that [discord] names is not that of a bot: it has three parts"},
		"not set":          {"", "", "", "3: token_env: the environment variable BOT is not set"},
		"does nothing":     {`["gifs"]`, `[]`, "QUJD.x.y", `4: does in [discord]: the list is empty`},
		"does is missing":  {"does = [\"gifs\"]\n", "", "QUJD.x.y", `2: does is missing in [discord]: write does = ["persona", "gifs"]`},
		"does the unknown": {`["gifs"]`, `["gif"]`, "QUJD.x.y", `4: does in [discord]: "gif" is not known: did you mean "gifs"?`},
		"channel's name":   {"does =", "operator_channel = \"#mods\"\ndoes =", "QUJD.x.y", `4: operator_channel in [discord]: "#mods" is not an id of Discord's`},
		"api elsewhere":    {"does =", "api = \"http://discord.example/api/v10\"\ndoes =", "QUJD.x.y", `4: api in [discord]: plain http would show the token`},
		"api's version":    {"does =", "api = \"https://discord.com/api\"\ndoes =", "QUJD.x.y", `4: api in [discord]: the address ends in /v10`},
		"no character":     {`["gifs"]`, `["persona"]`, "QUJD.x.y", `llm.base_url is missing, which the feature persona needs`},
		"two brackets":     {"[discord]", "[[discord]]", "QUJD.x.y", `2: [[discord]] has too many brackets`},
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
