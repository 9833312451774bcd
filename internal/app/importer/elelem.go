package importer

import (
	"fmt"
	"net/url"
	"strings"
)

// newModel takes the place of text-davinci-003, which was switched off on
// 4 January 2024 (https://developers.openai.com/api/docs/deprecations). It is
// the service's own recommendation for what the small models before it did.
// Those take all of elelem's parameters, but end on 14 January 2027.
const newModel = "gpt-6-luna"

// The variables of the written file.
const (
	tokenVariable = "ELELEM_TOKEN"
	keyVariable   = "LLM_API_KEY"
)

// closed tells that elelem's home, botsin.space, is the server: it was closed
// in December 2024.
func (s settings) closed() bool {
	u, err := url.Parse(s.server)
	return err == nil && u.Hostname() == "botsin.space"
}

// env is the file of secrets.
func (s settings) env() string {
	return fmt.Sprintf(`# The secrets of the bot, for %s. Nobody else should be able to read this.
# It was %s.
%s=%s
# It was %s.
%s=%s
`, configFile, mastodonToken, tokenVariable, s.token, openAIKey, keyVariable, s.key)
}

// config is the configuration. Its comments say what became of elelem's ways.
func (s settings) config(crontab string) string {
	server := fmt.Sprintf("server = %q   # was %s", s.server, mastodonURL)
	if s.closed() {
		server = "# This server was closed in December 2024: put the address of the bot's new one\n" +
			"# here, then run: rookery login elelem\n" + server
	}
	return strings.NewReplacer(
		"{server}", server, "{model}", newModel, "{key}", keyVariable, "{openai}", openAIKey, "{token}", tokenVariable, "{mastodon}", mastodonToken,
		"{env}", envFile, "{crontab}", crontab).Replace(template)
}

const template = `# Made from the settings of elelem. What each key means, and what else there is:
# docs/configuration.md.

data_dir = "data"
env_file = "{env}"   # the two secrets, in place of secrets.env


[llm]
base_url = "https://api.openai.com/v1"
# elelem asked text-davinci-003, which was switched off in January 2024, through
# the completion API. This is a chat model of the same service; any other will
# do, and so will any service or program that works like OpenAI's.
model = "{model}"
api_key_env = "{key}"   # was {openai}
# elelem's answers had 500 tokens at most. This model thinks before it answers,
# and its thoughts count.
max_tokens = 2000
# These were elelem's. A model that thinks takes none of them; for one that does
# not, take the # away.
#temperature = 0.9
#top_p = 1.0
#frequency_penalty = 0.0
#presence_penalty = 0.6
# elelem stopped the model at "@elelem:" and at the asker's name, or it would have
# gone on with the thread. A chat model is given each post as a turn of its own
# and stops by itself.


[persona]
# elelem's character. That the thread follows, and what its rules are, the
# program adds.
character = """
You are Elelem, a twenty-year-old student of computer science, very witty and
irreverent, with a quirky sense of humour and a very dry wit. Your answers are
always respectful and keep to the customs of the Fediverse, but there is always
an edge to them."""


[budget]
# elelem kept its cost down by answering one post every five minutes. So does the
# line below; these limits hold besides, and without cron too.
replies_per_member = 20
tokens_per_day = 200000


[[account]]
name = "elelem"
{server}
token_env = "{token}"   # was {mastodon}
does = ["persona"]
# elelem answered whatever was in its notifications. Here only what comes from
# now on is answered; "backlog" answers what is there already as well.
first_run = "now"

# What changes besides: answers are unlisted at most, and never wider than the
# question; a content warning is kept; mentions with one, with pictures, a poll
# or a link are answered too; and no other bot is.
#
# elelem was started by cron every five minutes and answered one post each time.
# The same, in place of the line with run.sh in your crontab:
#
#   {crontab}
#
# Or leave cron out and let it run all the time, with answers at once: rookery run
`
