package importer

import (
	"fmt"
	"slices"
	"strings"

	"rookery/internal/words"
)

// The files of secrets that are written beside the configuration.
const (
	gifferToken = "giffer.token"
	furbooruKey = "furbooru.key"
)

// config is the configuration. Its comments say what became of giffer's ways.
func (s gifferSettings) config() string {
	lines := func(section string, more ...string) string {
		all := append(more, s.section[section]...)
		if len(all) == 0 {
			return ""
		}
		return strings.Join(all, "\n") + "\n"
	}
	var key []string
	if s.key != "" {
		key = append(key, fmt.Sprintf("key_file = %q   # was %s", furbooruKey, furbooruAPIKey))
	}
	log := lines(inLog)
	if log != "" {
		log = "\n\n[log]\n" + log
	}
	nsfw := ""
	if !strings.Contains(strings.Join(s.section[inSource], "\n"), "nsfw_filter_id") {
		nsfw = "#nsfw_filter_id = 2   # for NSFW pictures: the number of a filter of the board's that hides less than its default\n"
	}
	return strings.NewReplacer(
		"{log}", log, "{gifs}", lines(inGIFs), "{source}", lines(inSource, key...)+nsfw, "{account}", lines(inAccount),
		"{board}", s.board, "{server}", s.server, "{token}", gifferToken).Replace(gifferTemplate)
}

const gifferTemplate = `# Made from the settings of giffer. What each key means, and what else there is:
# docs/configuration.md.

data_dir = "data"{log}


# Pictures on request. What stands here is giffer's; for the rest see
# rookery config example.
[gifs]
{gifs}

[[gifs.source]]
kind = "philomena"
url = "{board}"
{source}

[[account]]
name = "giffer"
server = "{server}"
token_file = "{token}"
does = ["gifs"]
{account}# giffer showed NSFW pictures to whoever asked with the word nsfw. Here that is
# off until you turn it on: read the rules of the server, then take the # away.
#nsfw = true
# giffer spoke Russian to everybody. Here a member gets the language of their
# post, English or Russian; to keep to Russian take the # away.
#language = "ru"

# What changes besides: the reply names its asker; one to a direct message is
# direct, NSFW or not; a member who asks too often waits instead of getting
# nothing; and no answer is lost or given twice when the program is killed.
`

// tellGiffer says what became of every variable, by its name.
func (c Config) tellGiffer(r Result, g *Giffer) {
	if c.Out == nil {
		return
	}
	s := g.settings
	say := func(k words.Key, a words.Args) { fmt.Fprintln(c.Out, c.Language.Say(k, a)) }
	say(words.ImportGifferWritten, words.Args{"config": r.Config, "token": r.Env})
	say(words.ImportGifferTaken, words.Args{"names": strings.Join(s.taken, ", ")})
	for _, one := range s.changed {
		say(words.ImportGifferChanged, words.Args{"name": one.name, "now": one.now})
	}
	for _, group := range []struct {
		names []string
		why   words.Key
	}{
		{gifferTimeouts(), words.ImportGifferTimeouts},
		{[]string{processingWait}, words.ImportGifferProcessing},
		{gifferMemory(), words.ImportGifferMemory},
		{[]string{logFile}, words.ImportGifferLog},
		{[]string{gifferAgent}, words.ImportGifferAgent},
	} {
		names := slices.DeleteFunc(slices.Clone(group.names), func(n string) bool { return !slices.Contains(s.idle, n) })
		if len(names) > 0 {
			say(group.why, words.Args{"names": strings.Join(names, ", ")})
		}
	}
	if len(r.Unknown) > 0 {
		say(words.ImportUnknown, words.Args{"names": strings.Join(r.Unknown, ", ")})
	}
	say(words.ImportGifferNSFW, nil)
	if !g.HasState() {
		say(words.ImportGifferNext, nil)
	}
}
