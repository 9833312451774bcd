package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// pictures is a right configuration whose only account shows pictures alone:
// it needs no model and no character.
const pictures = `data_dir = "data"
[[account]]
name = "giffer"
server = "https://social.example"
token_env = "TOKEN"
does = ["gifs"]
[gifs]
word = "gif"
[[gifs.source]]
kind = "philomena"
url = "https://furbooru.org"
`

func TestMistakesInGIFs(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		swap []string // pairs of old and new text
		add  string   // after the last line, 11
		want []string
	}{
		"feature misspelt":       {swap: []string{`["gifs"]`, `["gif"]`}, want: []string{`6: does in [[account]]: "gif" is not known: did you mean "gifs"?`}},
		"key misspelt":           {swap: []string{"word =", "wrod ="}, want: []string{`8: unknown key "wrod" in [gifs]: did you mean "word"?`}},
		"section misspelt":       {swap: []string{"[gifs]", "[gif]"}, want: []string{`7: unknown section [gif]: did you mean [gifs]?`}},
		"key of a source":        {swap: []string{"url =", "ulr ="}, want: []string{`11: unknown key "ulr" in [[gifs.source]]: did you mean "url"?`}},
		"key of no meaning":      {add: "x = 1", want: []string{`12: unknown key "x" in [[gifs.source]]: its keys are kind, url, filter_id, *`}},
		"sources":                {swap: []string{"[[gifs.source]]", "[[gifs.sources]]"}, want: []string{`9: unknown section [gifs.sources]: did you mean [[gifs.source]]?`}},
		"source at the top":      {swap: []string{"[[gifs.source]]", "[[source]]"}, want: []string{`9: unknown section [source]: did you mean [[gifs.source]]?`}},
		"account in the wrong":   {swap: []string{"[[gifs.source]]", "[[gifs.account]]"}, want: []string{`9: unknown section [gifs.account]: did you mean [[account]]?`}},
		"no section of any name": {swap: []string{"[[gifs.source]]", "[[gifs.weather]]"}, want: []string{`9: unknown section [gifs.weather]: the sections are *[[gifs.source]]*`}},
		"one bracket":            {swap: []string{"[[gifs.source]]", "[gifs.source]"}, want: []string{`9: [gifs.source] needs two pairs of brackets: write [[gifs.source]]`}},
		"two brackets":           {swap: []string{"[gifs]", "[[gifs]]"}, want: []string{`7: [[gifs]] has too many brackets: there is one such section, write [gifs]`}},
		"source as text":         {swap: []string{"[[gifs.source]]\n", "source = 'furbooru'\n[persona]\ncharacter = 'x'\n#", "url", "#url", "kind", "#kind"}, want: []string{`9: "gifs.source" is a section: write [[gifs.source]] on a line of its own and its keys below`}},
		"sources as texts":       {swap: []string{"[[gifs.source]]\n", "source = ['furbooru']\n#", "url", "#url", "kind", "#kind"}, want: []string{`9: "gifs.source" is a section: write [[gifs.source]] *`}},
		"empty list of sources":  {swap: []string{"[[gifs.source]]\n", "source = []\n#", "url", "#url", "kind", "#kind"}, want: []string{`9: "gifs.source" is an empty list: write [[gifs.source]] *`}},
		"source and table": {swap: []string{"[[gifs.source]]", "source = 'x'\n[[gifs.source]]"}, want: []string{
			`9: "gifs.source" is a section: *`, `10: "gifs.source" is already something else on line 9`}},
		"a source's key too far up": {swap: []string{"word =", "filter_id = 3\nword ="}, want: []string{
			`8: unknown key "filter_id" in [gifs]: it belongs in [[gifs.source]]`}},
		"the account's key":    {swap: []string{"word =", "nsfw = true\nword ="}, want: []string{`8: unknown key "nsfw" in [gifs]: it belongs in [[account]]; on Discord each guild turns it on itself, with /settings`}},
		"nsfw as text":         {swap: []string{`["gifs"]`, "[\"gifs\"]\nnsfw = 'true'"}, want: []string{`7: nsfw in [[account]]: expected true or false, not a text: take the quotes away`}},
		"two words":            {swap: []string{`"gif"`, `"show gif"`}, want: []string{`8: word in [gifs]: "show gif" is not such a word: write one word of letters and digits, at most 30, like "gif"`}},
		"no word":              {swap: []string{`"gif"`, `""`}, want: []string{`8: word in [gifs]: "" is not such a word: *`}},
		"long word":            {swap: []string{`"gif"`, `"` + strings.Repeat("ж", 31) + `"`}, want: []string{`8: word in [gifs]: * is not such a word: *`}},
		"word with a stroke":   {swap: []string{`"gif"`, `"/gif"`}, want: []string{`8: word in [gifs]: "/gif" is not such a word: *`}},
		"a command":            {swap: []string{`"gif"`, `"STOP"`}, want: []string{`8: word in [gifs]: "STOP" is a command that members send already: choose another word`}},
		"a command in Russian": {swap: []string{`"gif"`, `"стоп"`}, want: []string{`8: word in [gifs]: "стоп" is a command that members send already: choose another word`}},
		"a word of a request":  {swap: []string{`"gif"`, `"Random"`}, want: []string{`8: word in [gifs]: "Random" means something within a request already: choose another word`}},
		"cooldown":             {swap: []string{"word", "cooldown = '25h'\nword"}, want: []string{`8: cooldown in [gifs]: "25h" is out of range: from "0s" to "24h"`}},
		"cooldown, no unit":    {swap: []string{"word", "cooldown = 20\nword"}, want: []string{`8: cooldown in [gifs]: a duration needs its unit: *`}},
		"rate 0":               {swap: []string{"word", "rate = 0.0\nword"}, want: []string{`8: rate in [gifs]: 0 would never send a picture: for none at all take "gifs" out of does in [[account]]`}},
		"rate too high":        {swap: []string{"word", "rate = 101\nword"}, want: []string{`8: rate in [gifs]: 101 is out of range: from 0.001 to 100`}},
		"rate below nothing":   {swap: []string{"word", "rate = -1\nword"}, want: []string{`8: rate in [gifs]: -1 is out of range: *`}},
		"rate without end":     {swap: []string{"word", "rate = inf\nword"}, want: []string{`8: rate in [gifs]: inf is out of range: *`}},
		"rate as text":         {swap: []string{"word", "rate = '1'\nword"}, want: []string{`8: rate in [gifs]: expected a number, not a text: take the quotes away`}},
		"burst":                {swap: []string{"word", "burst = 0\nword"}, want: []string{`8: burst in [gifs]: 0 is out of range: from 1 to 100`}},
		"queue":                {swap: []string{"word", "queue = 101\nword"}, want: []string{`8: queue in [gifs]: 101 is out of range: from 1 to 100`}},
		"no_repeat":            {swap: []string{"word", "no_repeat = '1000h'\nword"}, want: []string{`8: no_repeat in [gifs]: "1000h" is out of range: from "0s" to "720h"`}},
		"blocked tag as text":  {swap: []string{"word", "blocklist = 'gore'\nword"}, want: []string{`8: blocklist in [gifs]: expected a list: write blocklist = ["gore"]`}},
		"blocked pair":         {swap: []string{"word", "blocklist = ['a, b']\nword"}, want: []string{`8: blocklist in [gifs]: "a, b" holds a comma: write each tag in quotes of its own, ["one", "two"]`}},
		"blocked wildcard":     {swap: []string{"word", "blocklist = ['gor*']\nword"}, want: []string{`8: blocklist in [gifs]: "gor*" holds a *, *`}},
		"blocked minus":        {swap: []string{"word", "blocklist = ['-gore']\nword"}, want: []string{`8: blocklist in [gifs]: "-gore" begins with a -: *`}},
		"blocked twice":        {swap: []string{"word", "blocklist = ['gore', 'gore']\nword"}, want: []string{`8: blocklist in [gifs]: "gore" is in the list twice`}},
		"blocked nothing":      {swap: []string{"word", "blocklist = [' ']\nword"}, want: []string{`8: blocklist in [gifs]: an empty text is of no use here`}},
		"blocked line break":   {swap: []string{"word", "blocklist = [\"a\\nb\"]\nword"}, want: []string{`8: blocklist in [gifs]: "a\nb" holds a line break *`}},
		"too wide":             {swap: []string{"word", "nsfw_visibility = 'public'\nword"}, want: []string{`8: nsfw_visibility in [gifs]: "public" is not known: it is one of "unlisted", "private" or "direct"`}},
		"download":             {swap: []string{"word", "max_download_mb = 501\nword"}, want: []string{`8: max_download_mb in [gifs]: 501 is out of range: from 1 to 500`}},
		"ffmpeg false":         {swap: []string{"word", "ffmpeg = false\nword"}, want: []string{`8: ffmpeg in [gifs]: expected a text in quotes, not true or false`}},
		"ffmpeg none":          {swap: []string{"word", "ffmpeg = 'none'\nword"}, want: []string{`8: ffmpeg in [gifs]: "none" is not known: to do without it write "off"`}},
		"ffmpeg with options":  {swap: []string{"word", "ffmpeg = 'ffmpeg -y'\nword"}, want: []string{`8: ffmpeg in [gifs]: "ffmpeg -y" is not a program: *`}},
		"ffmpeg at home":       {swap: []string{"word", "ffmpeg = '~/ffmpeg'\nword"}, want: []string{`8: ffmpeg in [gifs]: ~ is not understood here: write the whole path`}},
		"ffmpeg_timeout":       {swap: []string{"word", "ffmpeg_timeout = '0s'\nword"}, want: []string{`8: ffmpeg_timeout in [gifs]: "0s" is out of range: from "100ms" to "30m"`}},
		"notice_after":         {swap: []string{"word", "notice_after = 'soon'\nword"}, want: []string{`8: notice_after in [gifs]: "soon" is not a duration: *`}},
		"no kind":              {swap: []string{"kind", "#kind"}, want: []string{`9: kind is missing in [[gifs.source]]: write kind = "philomena", or another of "philomena", "danbooru" or "e621"`}},
		"kind":                 {swap: []string{`"philomena"`, `"philomina"`}, want: []string{`10: kind in [[gifs.source]]: "philomina" is not known: did you mean "philomena"?`}},
		"another kind":         {swap: []string{`"philomena"`, `"giphy"`}, want: []string{`10: kind in [[gifs.source]]: "giphy" is not known: it is one of *`}},
		"plain http":           {swap: []string{"https://furbooru", "http://furbooru"}, want: []string{`11: url in [[gifs.source]]: plain http would show *`}},
		"no address":           {swap: []string{"https://furbooru", "furbooru"}, want: []string{`11: url in [[gifs.source]]: a URL starts with https://: write it like https://furbooru.org`}},
		"path of the API":      {swap: []string{"furbooru.org", "furbooru.org/api/v1"}, want: []string{`11: url in [[gifs.source]]: "/api/v1" does not belong here: *`}},
		"key in the address":   {swap: []string{"furbooru.org", "furbooru.org?key=hunter2"}, want: []string{`11: url in [[gifs.source]]: take away what follows *`}},
		"filter by name":       {add: "filter_id = 'Everything'", want: []string{`12: filter_id in [[gifs.source]]: "Everything" is not such a number: *`}},
		"filter below nothing": {add: "nsfw_filter_id = -3", want: []string{`12: nsfw_filter_id in [[gifs.source]]: "-3" is not such a number: *`}},
		"half a filter":        {add: "filter_id = 1.5", want: []string{`12: filter_id in [[gifs.source]]: expected a whole number, not a number`}},
		"key in the file":      {add: "api_key = 'hunter2'", want: []string{`12: api_key in [[gifs.source]]: a secret is not written in this file. *key_env = "NAME"*`}},
		"key for a variable":   {add: "key_env = 'hunter-2'\n#hunter2", want: []string{`12: key_env in [[gifs.source]]: this is not the name of an environment variable: *`}},
		"key by another name":  {add: "token_env = 'KEY'", want: []string{`12: unknown key "token_env" in [[gifs.source]]: did you mean "key_env"?`}},
		"key not set":          {add: "key_env = 'OTHER'", want: []string{`12: key_env: the environment variable OTHER is not set: *`}},
		"key from two places":  {add: "key_env = 'KEY'\nkey_file = 'key'", want: []string{`13: key_env and key_file say the same: keep one of the two`}},
		"key not there":        {add: "key_file = 'hunter2'", want: []string{`12: key_file: the file that it names cannot be read: *`}},
		"login at Philomena":   {add: "login = 'ada'", want: []string{`12: login in [[gifs.source]]: the kind philomena knows its members by the key alone: *`}},
		"login alone":          {swap: []string{"philomena", "danbooru"}, add: "login = 'ada'", want: []string{`12: login in [[gifs.source]]: it is of no use without its API key: *`}},
		"key alone":            {swap: []string{"philomena", "danbooru"}, add: "key_env = 'TOKEN'", want: []string{`12: key_env in [[gifs.source]]: the key is of no use without the account's name: *`}},
		"login with the key":   {swap: []string{"philomena", "danbooru"}, add: "login = 'ada:hunter2'", want: []string{`12: login in [[gifs.source]]: this is not a login: *`, `12: login in *`}},
		"filter elsewhere":     {swap: []string{"philomena", "danbooru"}, add: "filter_id = 3\nnsfw_filter_id = '4'", want: []string{`12: filter_id in [[gifs.source]]: only the kind philomena has filters: *`, `13: nsfw_filter_id in *`}},
		"no contact":           {swap: []string{"philomena", "e621"}, want: []string{`9: contact is missing in [[gifs.source]]: e621 refuses those who *: write contact = "me@social.example", an address of yours`}},
		"contact in brackets":  {swap: []string{"philomena", "e621"}, add: "contact = 'me (Ada)'", want: []string{`12: contact in [[gifs.source]]: "me (Ada)" cannot be sent as a contact: *`}},
		"contact in Cyrillic":  {swap: []string{"philomena", "e621"}, add: "contact = 'Ада'", want: []string{`12: contact in [[gifs.source]]: "Ада" cannot be sent as a contact: *`}},
		"blank contact":        {swap: []string{"philomena", "e621"}, add: "contact = ' '", want: []string{`12: contact in [[gifs.source]]: it is empty: *`}},
		"source twice": {add: "[[gifs.source]]\nkind = 'philomena'\nurl = 'https://Furbooru.org:443/'\n[[gifs.source]]\nkind = 'philomena'", want: []string{
			`12: [[gifs.source]]: philomena at https://furbooru.org is already the source on line 9: keep one of the two`,
			`15: [[gifs.source]]: philomena at https://furbooru.org is already the source on line 9: *`}},
		"second source": {add: "[[gifs.source]]\nkind = 'danbooru'\nfilter_id = 1\n[[gifs.source]]\nkid = 'e621'", want: []string{
			`14: filter_id in [[gifs.source]]: only the kind philomena has filters: *`,
			`15: kind is missing in [[gifs.source]]: *`,
			`16: unknown key "kid" in [[gifs.source]]: did you mean "kind"?`}},
		"many at once": {swap: []string{"word =", "rate = 0\nwrod =", "philomena", "danboru"}, add: "token = 'hunter2'", want: []string{
			`8: rate in [gifs]: 0 would never *`, `9: unknown key "wrod" in [gifs]: *`, `11: kind in [[gifs.source]]: "danboru" is *`, `13: token in [[gifs.source]]: a secret is *`}},
		"persona as well": {swap: []string{`["gifs"]`, `["gifs", "persona"]`}, want: []string{
			`6: llm.base_url is missing, which the feature persona needs: *`, `6: llm.model is missing*`, `6: persona.character is missing*`}},
	} {
		text := pictures + f.add
		for i := 0; i < len(f.swap); i += 2 {
			if !strings.Contains(text, f.swap[i]) {
				t.Fatalf("%s: %q is not in the file", name, f.swap[i])
			}
			text = strings.Replace(text, f.swap[i], f.swap[i+1], 1)
		}
		checkMistakes(t, map[string]wrongFile{name: {text: text, want: f.want}})
	}
}

// What people write for other keys elsewhere is not sent to a source's keys.
func TestKeysOfASourceAreNotOfferedElsewhere(t *testing.T) {
	t.Parallel()
	_, err := parseText(strings.Replace(pictures, "server =", "url =", 1), vars("TOKEN", "x"))
	var all Errors
	if !errors.As(err, &all) || len(all) != 2 || !strings.HasPrefix(all[1].Message, `unknown key "url" in [[account]]: its keys are name, server, `) {
		t.Errorf("got %v", err)
	}
	if all[1].Key != "account.url" {
		t.Errorf("the key is %q", all[1].Key)
	}
	_, err = parseText(pictures+"x = 1", vars("TOKEN", "x"))
	if !errors.As(err, &all) || len(all) != 1 || all[0].Key != "gifs.source.x" {
		t.Errorf("got %v", err)
	}
}

func TestPicturesAloneNeedNoModel(t *testing.T) {
	t.Parallel()
	c, err := parseText(pictures, vars("TOKEN", "x"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 || !c.Doing(FeatureGIFs) || c.Doing(FeaturePersona) || c.Accounts[0].NSFW || len(c.GIFs.Sources) != 1 {
		t.Errorf("%v %+v", c.Warnings, c.GIFs)
	}
	// Keys may stand in dots and lists as the language allows.
	for name, text := range map[string]string{
		"inline": pictures[:strings.Index(pictures, "[[gifs")] + "source = [{kind = 'philomena', url = 'https://furbooru.org'}]\n",
		"before": strings.Replace(pictures, "[gifs]\nword = \"gif\"\n", "", 1) + "[gifs]\nword = \"gif\"\n",
		"none":   pictures[:strings.Index(pictures, "[gifs]")],
	} {
		other, err := parseText(text, vars("TOKEN", "x"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if g := other.GIFs; g.Word != "gif" || len(g.Sources) != 1 || g.Sources[0] != c.GIFs.Sources[0] {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

func TestFFmpegIsANameAPathOrOff(t *testing.T) {
	t.Parallel()
	dir, _ := filepath.Abs("/etc/rookery")
	for wrote, want := range map[string]string{
		"ffmpeg-7": "ffmpeg-7", "off": "off", "Off": "off", "./ffmpeg": filepath.Join(dir, "ffmpeg"), "my tools/ffmpeg": filepath.Join(dir, "my tools", "ffmpeg"),
		"/opt/ffmpeg": inDir(dir, "/opt/ffmpeg"),
	} {
		c, err := parseText(strings.Replace(pictures, "word =", "ffmpeg = '"+wrote+"'\nword =", 1), vars("TOKEN", "x"))
		if err != nil {
			t.Error(err)
			continue
		}
		if c.GIFs.FFmpeg != want {
			t.Errorf("%s: got %s, want %s", wrote, c.GIFs.FFmpeg, want)
		}
	}
}

func TestWarningsOfGIFs(t *testing.T) {
	t.Parallel()
	hides := "the board's own default filter may hide most NSFW pictures: write nsfw_filter_id*"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nsfw for nothing": {good + "nsfw = true\n", []string{`12: nsfw in [[account]]: it has no effect, because the account does not do "gifs"`}},
		"nsfw off":         {good + "nsfw = false\n", nil},
		"filtered away":    {strings.Replace(pictures, `["gifs"]`, "['gifs']\nnsfw = true", 1), []string{"10: [[gifs.source]]: " + hides}},
		"a filter":         {strings.Replace(pictures, `["gifs"]`, "['gifs']\nnsfw = true", 1) + "nsfw_filter_id = 2", nil},
		"no filters there": {strings.NewReplacer(`["gifs"]`, "['gifs']\nnsfw = true", "philomena", "danbooru").Replace(pictures), nil},
		"the board by default": {strings.Replace(pictures[:strings.Index(pictures, "[[gifs")], `["gifs"]`, "['gifs']\nnsfw = true", 1),
			[]string{"8: there is no [[gifs.source]], so pictures come from https://furbooru.org, and " + hides}},
		"all by default": {strings.Replace(pictures[:strings.Index(pictures, "[gifs")], `["gifs"]`, "['gifs']\nnsfw = true", 1),
			[]string{"1: there is no [[gifs.source]], *"}},
	} {
		got, err := parseText(c.text, vars("TOKEN", "x"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Warnings) != len(c.want) {
			t.Errorf("%s: got %v, want %v", name, got.Warnings, c.want)
			continue
		}
		for i, w := range got.Warnings {
			if !like(strings.TrimPrefix(w.String(), "rookery.toml:"), c.want[i]) {
				t.Errorf("%s: got %s, want %s", name, w, c.want[i])
			}
		}
	}
}
