package config

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// sprintf takes any format, which vet would not let fmt.Sprintf do.
var sprintf = fmt.Sprintf

// parseText checks a configuration that is in no file and names none.
func parseText(data string, env func(string) (string, bool)) (*Config, error) {
	return parse("rookery.toml", "/etc/rookery/rookery.toml", []byte(data), env, func(path string) ([]byte, error) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}, true)
}

// good is a right configuration; a case puts its mistakes into it.
const good = `data_dir = "data"
[llm]
base_url = "http://127.0.0.1:11434/v1"
model = "llama3.2"
[persona]
character = "Elelem"
[[account]]
name = "elelem"
server = "https://social.example"
token_env = "TOKEN"
does = ["persona"]
`

func TestMistakes(t *testing.T) {
	t.Parallel()
	checkMistakes(t, map[string]wrongFile{
		"three at once": {
			swap: []string{"model =", "modle =", `"https://social`, `"ftp://social`, "[persona]", "[persona]\nparallel = \"4\""},
			want: []string{
				`2: model is missing in [llm]: write model = "llama3.2"`,
				`4: unknown key "modle" in [llm]: did you mean "model"?`,
				`6: parallel in [persona]: expected a whole number, not a text: take the quotes away`,
				`10: server in [[account]]: a URL starts with https://: write it like https://social.example`,
			}},
		"nothing": {text: "", want: []string{
			`1: data_dir is missing: write data_dir = "data" at the top of the file`,
			`1: there is no account: write [[account]] with name, server, token_file and does, or [discord] with token_file and does`,
		}},
		"empty account": {text: "data_dir='d'\n[[account]]\n", want: []string{
			`2: name is missing in [[account]]: write name = "elelem"`,
			`2: server is missing in [[account]]: write server = "https://social.example"`,
			`2: does is missing in [[account]]: write does = ["persona"]`,
			`2: token_env is missing in [[account]]: write token_env = "NAME" and put the access token into the environment variable NAME`,
		}},
		"no model and character": {text: "data_dir='d'\n[[account]]\nname='a'\nserver='https://a.example'\ntoken_env='TOKEN'\ndoes=['persona']", want: []string{
			`6: llm.base_url is missing, which the feature persona needs: write [llm] with base_url = "http://127.0.0.1:11434/v1"`,
			`6: llm.model is missing, which the feature persona needs: write [llm] with model = "llama3.2"`,
			`6: persona.character is missing, which the feature persona needs: write [persona] with character = "Elelem, a witty …"`,
		}},
		"syntax, with what came before": {
			swap: []string{"model = ", "modle = ", `character = "Elelem"`, `character = Elelem`},
			want: []string{
				`4: unknown key "modle" in [llm]: did you mean "model"?`,
				`6: * (a text needs quotes: key = "text")`,
			}},
		"a path of Windows in double quotes": {
			swap: []string{`"data"`, `"C:\Users\ada"`},
			want: []string{`1: * (a backslash is special in double quotes: write a Windows path in single quotes, 'C:\data', or with slashes)`}},
		"a path of Windows with a tab in it": {
			swap: []string{`"data"`, `"C:\temp"`},
			want: []string{`1: data_dir: the path holds a line break or tab*`}},
		"home":                 {swap: []string{`"data"`, `"~/data"`}, want: []string{`1: data_dir: ~ is not understood here: write the whole path`}},
		"key twice":            {swap: []string{"[persona]", "model = 'b'\n[persona]"}, want: []string{`5: "model" is here twice, first on line 4`}},
		"section twice":        {text: good + "[llm]\nretries = 1\n", want: []string{`12: [llm] is here twice, first on line 2: put its keys together`}},
		"one bracket":          {swap: []string{"[[account]]", "[account]"}, want: []string{`7: [account] needs two pairs of brackets: write [[account]]`}},
		"two brackets":         {swap: []string{"[llm]", "[[llm]]"}, want: []string{`2: [[llm]] has too many brackets: there is one such section, write [llm]`}},
		"section as key":       {text: "llm = 3\n" + strings.Replace(good, "[llm]", "[outbox]", 1), want: []string{`1: "llm" is a section: write [llm] on a line of its own and its keys below`, `*`, `*`, `*`, `*`}},
		"unknown section":      {swap: []string{"[llm]", "[lmm]"}, want: []string{`2: unknown section [lmm]: did you mean [llm]?`, `*`, `*`}},
		"unknown section, far": {text: good + "[matrix]\na=1", want: []string{`12: unknown section [matrix]: the sections are [store], [log], [llm], [persona], [gifs], [[gifs.source]], [gallery], [gallery.vision], [budget], [operator], [backup], [web], [outbox], [discord], [[account]]`}},
		"key of the top":       {text: strings.TrimPrefix(good, "data_dir = \"data\"\n") + "data_dir = 'd'", want: []string{`*`, `11: unknown key "data_dir" in [[account]]: it belongs at the top of the file, before the first [section]`}},
		"key of another":       {swap: []string{"[persona]", "parallel = 3\n[persona]"}, want: []string{`5: unknown key "parallel" in [llm]: it belongs in [persona]`}},
		"another's spelling":   {swap: []string{"base_url", "baseURL"}, want: []string{`*`, `3: unknown key "baseURL" in [llm]: did you mean "base_url"?`}},
		"far from any key":     {swap: []string{"[persona]", "zebra = 3\n[persona]"}, want: []string{`5: unknown key "zebra" in [llm]: its keys are base_url, *`}},
		"inline token":         {swap: []string{`token_env = "TOKEN"`, `token = "hunter2"`}, want: []string{`10: token in [[account]]: a secret is not written in this file. Put it into an environment variable and name that: token_env = "NAME", or into a file: token_file = "path"`}},
		"inline key":           {swap: []string{"[persona]", "api-key = 'hunter2'\n[persona]"}, want: []string{`5: api-key in [llm]: a secret is not written in this file.*api_key_env*`}},
		"secret for a name":    {swap: []string{`"TOKEN"`, `"hunter2-hunter2"`}, want: []string{`10: token_env in [[account]]: this is not the name of an environment variable: write the name (letters, digits and _), not the secret itself`}},
		"secret like a name":   {swap: []string{`"TOKEN"`, `"hunter2hunter2"`}, want: []string{`10: token_env: the environment variable that it names is not set: set it, or write it into the file that env_file names`}},
		"secret for a path":    {swap: []string{`token_env = "TOKEN"`, `token_file = "hunter2"`}, want: []string{`10: token_file: the file that it names is not there (a relative path starts at *): rookery login writes it, *`}},
		"variable not set":     {swap: []string{`"TOKEN"`, `"OTHER"`}, want: []string{`10: token_env: the environment variable OTHER is not set: *`}},
		"variable empty":       {swap: []string{`"TOKEN"`, `"EMPTY"`}, want: []string{`10: token_env: the environment variable EMPTY is empty: *`}},
		"two lines":            {swap: []string{`"TOKEN"`, `"TWO_LINES"`}, want: []string{`10: token_env: the secret has more than one line, *`}},
		"both":                 {swap: []string{`"TOKEN"`, "\"TOKEN\"\ntoken_file = 'x'"}, want: []string{`11: token_env and token_file say the same: keep one of the two`}},
		"no env_file":          {swap: []string{`"data"`, "\"data\"\nenv_file = 'x.env'"}, want: []string{`2: env_file: * cannot be read: there is no such file *`}},
		"key of a far model":   {swap: []string{"http://127.0.0.1:11434", "https://api.llm.example", "[persona]", "api_key_env = 'NONE'\n[persona]"}, want: []string{`5: api_key_env: the environment variable NONE is not set: *`}},
		"wrong database":       {text: good + "[store]\npostgres_url_env = 'TOKEN'", want: []string{`13: the value that [store] names is not the URL of a PostgreSQL database: *`}},
		"password in URL":      {swap: []string{"https://social", "https://ada:hunter2@social"}, want: []string{`9: server in [[account]]: a name or password does not belong into the URL: *`}},
		"path in server":       {swap: []string{"social.example", "social.example/@elelem"}, want: []string{`9: server in [[account]]: "/@elelem" does not belong here: *`}},
		"query in server":      {swap: []string{"social.example", "social.example?x=hunter2"}, want: []string{`9: server in [[account]]: take away what follows *`}},
		"bare host":            {swap: []string{"https://social", "social"}, want: []string{`9: server in [[account]]: a URL starts with https://: *`}},
		"plain http":           {swap: []string{"https://social", "http://social"}, want: []string{`9: server in [[account]]: plain http would show the token *`}},
		"whole endpoint":       {swap: []string{"11434/v1", "11434/v1/chat/completions"}, want: []string{`3: base_url in [llm]: leave /chat/completions out: *`}},
		"feature":              {swap: []string{`["persona"]`, `["Persona"]`}, want: []string{`11: does in [[account]]: "Persona" is not known: did you mean "persona"?`}},
		"feature as text":      {swap: []string{`["persona"]`, `"persona"`}, want: []string{`11: does in [[account]]: expected a list: write does = ["persona"]`}},
		"no feature":           {swap: []string{`["persona"]`, `[]`}, want: []string{`11: does in [[account]]: the list is empty: *`}},
		"features, all wrong":  {swap: []string{`["persona"]`, `["persona", "gif", 1, "weather"]`}, want: []string{`11: does in [[account]]: "gif" is not known: did you mean "gifs"?`, `11: does in [[account]]: expected a text in quotes, not a whole number`, `11: does in [[account]]: "weather" is not known: it is one of "persona", "gifs" or "gallery"`}},
		"feature twice":        {swap: []string{`["persona"]`, `["persona", "persona"]`}, want: []string{`11: does in [[account]]: "persona" is in the list twice`}},
		"list of other things": {swap: []string{`["persona"]`, `[1]`}, want: []string{`11: does in [[account]]: expected a text in quotes, not a whole number`}},
		"number for a text":    {swap: []string{`"llama3.2"`, `3.2`}, want: []string{`4: model in [llm]: expected a text in quotes, not a number: write model = "3.2"`}},
		"numbers for texts":    {swap: []string{"[persona]", "stop = [1]\n[persona]"}, want: []string{`5: stop in [llm]: expected a text in quotes, not a whole number: write "1"`}},
		"number for a path":    {swap: []string{`token_env = "TOKEN"`, "token_file = 4711"}, want: []string{`10: token_file in [[account]]: expected a text in quotes, not a whole number`}},
		"curly quotes":         {swap: []string{`"Elelem"`, "“Elelem”"}, want: []string{`6: unexpected character U+201C '“' at start of value (only straight quotes count: key = "text")`}},
		"curly quote in list":  {swap: []string{`["persona"]`, `[„persona“]`}, want: []string{`11: unexpected character U+201E '„' at start of value (only straight quotes count: key = "text")`}},
		"curly quote at end":   {swap: []string{`"Elelem"`, `"Elelem” # who`}, want: []string{`6: * (only straight quotes count: key = "text")`}},
		"Cyrillic, no quotes":  {swap: []string{`"Elelem"`, `Эля`}, want: []string{`6: unexpected character U+042D 'Э' at start of value (a text needs quotes: key = "text")`}},
		"Cyrillic after value": {swap: []string{`"Elelem"`, `"Elelem" Эля`}, want: []string{`6: expected newline but got U+042D 'Э'`}},
		"Cyrillic escape":      {swap: []string{`"Elelem"`, `"\э"`}, want: []string{`6: invalid escape character U+044D 'э' (a backslash is special *`}},
		"key in Cyrillic":      {swap: []string{`character =`, `имя =`}, want: []string{`6: invalid character at start of key: U+0438 'и'`}},
		"blank that is none":   {swap: []string{`= "Elelem"`, "=\u00a0\"Elelem\""}, want: []string{`6: unexpected character U+00A0 at start of value*`}},
		"name":                 {swap: []string{`"elelem"`, `"El Elem"`}, want: []string{`8: name in [[account]]: "El Elem" is not a name: *`}},
		"poll too often":       {text: good + "poll = '1s'", want: []string{`12: poll in [[account]]: "1s" is out of range: from "5s" to "1h" for a server that is not on this machine`}},
		"poll out of range":    {text: good + "poll = '2h'", want: []string{`12: poll in [[account]]: "2h" is out of range: from "10ms" to "1h"`}},
		"settling too short":   {text: good + "[outbox]\nsettle_after_error='0.5s'", want: []string{`13: settle_after_error in [outbox]: "500ms" is out of range: from "1s" to "1h" for *`}},
		"duration in words":    {text: good + "max_age = '1 day'", want: []string{`12: max_age in [[account]]: "1 day" is not a duration: write it like "10s", "3m" or "24h"`}},
		"duration, no unit":    {text: good + "max_age = 10", want: []string{`12: max_age in [[account]]: a duration needs its unit: *`}},
		"first_run":            {text: good + "first_run = 'later'", want: []string{`12: first_run in [[account]]: "later" is not known: it is one of "now" or "backlog"`}},
		"level":                {text: good + "[log]\nlevel = 'warning'", want: []string{`13: level in [log]: "warning" is not known: it is one of "debug", "info", "warn" or "error"`}},
		"too hot":              {swap: []string{"[persona]", "temperature = 2.5\n[persona]"}, want: []string{`5: temperature in [llm]: 2.5 is out of range: from 0 to 2`}},
		"not a number":         {swap: []string{"[persona]", "temperature = nan\n[persona]"}, want: []string{`5: temperature in [llm]: nan is out of range: from 0 to 2`}},
		"parallel":             {swap: []string{`"Elelem"`, "\"Elelem\"\nparallel = 65"}, want: []string{`7: parallel in [persona]: 65 is out of range: from 1 to 64`}},
		"half":                 {swap: []string{`"Elelem"`, "\"Elelem\"\nparallel = 1.5"}, want: []string{`7: parallel in [persona]: 1.5 is not a whole number`}},
		"blank character":      {swap: []string{`"Elelem"`, `" "`}, want: []string{`6: character in [persona]: it is empty: *`}},
		"NUL":                  {swap: []string{`"Elelem"`, `"E\u0000"`}, want: []string{`6: character in [persona]: the text holds a NUL character: take it out`}},
		"language":             {swap: []string{`"Elelem"`, "\"Elelem\"\nlanguage = 'klingonisch!'"}, want: []string{`7: language in [persona]: "klingonisch!" is not a language tag: *`}},
		"stops":                {swap: []string{"[persona]", "stop = ['a','b','c','d','e']\n[persona]"}, want: []string{`5: stop in [llm]: 5 are too many: at most 4`}},
		"unlimited misspelt":   {text: good + "[budget]\ntokens_per_day = 'none'", want: []string{`13: tokens_per_day in [budget]: expected a whole number or "unlimited", not a text`}},
		"negative limit":       {text: good + "[budget]\nreplies_per_member = -1", want: []string{`13: replies_per_member in [budget]: -1 is out of range: *`}},
		"money without prices": {text: good + "[budget]\nmoney_per_day = 1", want: []string{`13: money_per_day in [budget]: without prices it cannot be kept: *`}},
		"too many decimals":    {text: good + "[budget]\nprice_prompt = 0.0000001", want: []string{`13: price_prompt in [budget]: 0.0000001 is out of range: *`}},
		"infinite price":       {text: good + "[budget]\nprice_prompt = inf", want: []string{`13: price_prompt in [budget]: inf is not an amount: *`}},
		"time zone":            {text: good + "[budget]\ntime_zone = 'Berlin'", want: []string{`13: time_zone in [budget]: "Berlin" is not a time zone: *`}},
		"handle":               {text: good + "[operator]\nfediverse = 'me'", want: []string{`13: fediverse in [operator]: "me" is not a whole handle: *`}},
		"operator's language":  {text: good + "[operator]\nlanguage = 'de'", want: []string{`13: language in [operator]: "de" is not known: it is one of "en" or "ru"`}},
		"true as text":         {text: good + "[backup]\ndaily = 'true'", want: []string{`13: daily in [backup]: expected true or false, not a text: take the quotes away`}},
		"time of day":          {text: good + "[backup]\nat = '4am'", want: []string{`13: at in [backup]: "4am" is not a time of day: *`}},
		"listen to all":        {text: good + "[web]\nlisten = ':9464'", want: []string{`13: listen in [web]: without a host everyone could reach it: *`}},
		"listen, no port":      {text: good + "[web]\nlisten = 'localhost'", want: []string{`13: listen in [web]: "localhost" is not an address to listen on: *`}},
		"stream over ws":       {text: good + "streaming_url = 'ws://social.example'", want: []string{`12: streaming_url in [[account]]: plain ws would show the token *`}},
		"stream over https":    {text: good + "streaming_url = 'https://social.example'", want: []string{`12: streaming_url in [[account]]: "https://social.example" is no address of a stream: *`}},
		"audience":             {swap: []string{`"Elelem"`, "\"Elelem\"\naudience = 'friends'"}, want: []string{`7: audience in [persona]: "friends" is not known: *`}},
		"not UTF-8":            {text: "data_dir = 'd'\n# caf\xe9\n", want: []string{`2: this line holds a character that is not UTF-8: *`}},
		"UTF-16":               {text: "\xff\xfed\x00", want: []string{`1: the file is UTF-16: save it as UTF-8`}},
		"account twice": {text: good + "[[account]]\nname='elelem'\nserver='https://other.example'\ntoken_env='TOKEN'\ndoes=['persona']", want: []string{
			`13: name in [[account]]: "elelem" is already the account on line 8: give this one another name`}},
		"login twice": {text: good + "[[account]]\nname='b'\nserver='https://Social.example/'\ntoken_env='TOKEN'\ndoes=['persona']", want: []string{
			`15: the accounts "elelem" and "b" have the same server and token: *`}},
	})
}

// wrongFile is a configuration with mistakes, and what is said of it.
type wrongFile struct {
	swap []string // pairs of old and new text, into good
	text string   // or the whole file
	want []string
}

func checkMistakes(t *testing.T, files map[string]wrongFile) {
	t.Helper()
	checkMistakesWith(t, vars("TOKEN", "x", "EMPTY", " ", "TWO_LINES", "hunter2\nb"), files)
}

func checkMistakesWith(t *testing.T, env func(string) (string, bool), files map[string]wrongFile) {
	t.Helper()
	for name, c := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := c.text
			if c.swap != nil {
				text = good
				for i := 0; i < len(c.swap); i += 2 {
					if !strings.Contains(text, c.swap[i]) {
						t.Fatalf("%q is not in the file", c.swap[i])
					}
					text = strings.Replace(text, c.swap[i], c.swap[i+1], 1)
				}
			}
			_, err := parseText(text, env)
			if err == nil {
				t.Fatal("no mistake found")
			}
			t.Log(err)
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(c.want) {
				t.Errorf("%d mistakes, want %d:\n%v", len(got), len(c.want), err)
			}
			for i := range min(len(got), len(c.want)) {
				if !like(strings.TrimPrefix(got[i], "rookery.toml:"), c.want[i]) {
					t.Errorf("got  %s\nwant %s", got[i], c.want[i])
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the secret is in: %v", err)
			}
		})
	}
}

// like compares; a * in want stands for any text.
func like(got, want string) bool {
	parts := strings.Split(want, "*")
	if !strings.HasPrefix(got, parts[0]) {
		return false
	}
	got = got[len(parts[0]):]
	for i, p := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(got, p)
		}
		_, after, found := strings.Cut(got, p)
		if !found {
			return false
		}
		got = after
	}
	return got == ""
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"http://127.0.0.1:1/v1":   "rookery.toml:5: api_key_env: the environment variable NONE is not set: the model is asked without a key",
		"http://ollama:11434/v1":  "rookery.toml:5: api_key_env: the environment variable NONE is not set: the model is asked without a key",
		"https://10.0.0.7/v1":     "rookery.toml:5: api_key_env: the environment variable NONE is not set: the model is asked without a key",
		"http://llm.example/v1|X": "rookery.toml:3: the API key goes over plain http, where others can read it: use https:// if the server has it",
	} {
		name := "NONE"
		if url, other, ok := strings.Cut(host, "|"); ok {
			host, name = url, other
		}
		text := strings.Replace(good, "http://127.0.0.1:11434/v1", host, 1)
		text = strings.Replace(text, "[persona]", "api_key_env = '"+name+"'\n[persona]", 1)
		c, err := parseText(text, vars("TOKEN", "x", "X", "y"))
		if err != nil {
			t.Error(err)
			continue
		}
		if len(c.Warnings) != 1 || c.Warnings[0].String() != want {
			t.Errorf("%s: got %v, want %s", host, c.Warnings, want)
		}
	}
}

func TestPathsOfWindows(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{`C:\data`: "windows", `c:/data`: "windows", `data\sub`: "any", "/data": "any"} {
		if bad := pathRule(path, "windows"); bad != "" {
			t.Errorf("on Windows, %s: %s", path, bad)
		}
		if bad := pathRule(path, "linux"); (bad == "") != (want == "any") {
			t.Errorf("on Linux, %s: %q", path, bad)
		}
	}
	// In single quotes a backslash is only itself.
	rep := &report{}
	root, whole := readTree([]byte(`data_dir = 'C:\Users\new'`), rep)
	if !whole || root.find("data_dir").val.text != `C:\Users\new` {
		t.Errorf("%v %v", root.entries, rep.mistakes)
	}
}

func TestEnvFile(t *testing.T) {
	t.Parallel()
	got, bad := parseEnv("\ufeff# c\r\nA=1\r\nexport B=\"two words\\n\" # c\n C = 'it#s' \nD=a#b # c\nE=\nexported=x\nA=2\nF=\"x\ng h=3\nnothing\nG='a'b\nexport H=1=2")
	want := map[string]string{"A": "2", "B": "two words\n", "C": "it#s", "D": "a#b", "E": "", "exported": "x", "H": "1=2"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if fmt.Sprint(bad) != "[{9 the closing quote is missing} {10 expected NAME=value} {11 expected NAME=value} {12 there is something after the closing quote}]" {
		t.Errorf("problems: %v", bad)
	}
}

// A file that is only meant to be a burden is refused or read in no great time.
func TestDeepAndLongFiles(t *testing.T) {
	t.Parallel()
	var long strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&long, "k%d=1\n", i)
	}
	for name, text := range map[string]string{
		"deep lists":  "a=" + strings.Repeat("[", 100_000),
		"deep tables": "a=" + strings.Repeat("{a=", 50_000),
		"deep name":   strings.Repeat("a.", 50_000) + "a=1",
		"many keys":   long.String(),
	} {
		if _, err := parseText(text, vars()); err == nil {
			t.Errorf("%s: no mistake found", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(Example()))
	f.Add([]byte(pictures + "key_env = 'TOKEN'\n[[gifs.source]]\nkind = 'e621'\nfilter_id = '1'\n"))
	f.Add([]byte(shares + "[gallery.vision]\nmodel = 'x'\napi_key_env = 'TOKEN'\n[[gallery.vision]]\n"))
	f.Add([]byte("gifs.source = [{kind = 'danbooru'}, {}]\n[[gifs]]\n[[gifs.source]]\n[gifs.source.x]\n"))
	f.Add([]byte("a.b.c = {d = [1, {e = 'f'}]}\n[a.b]\n[[a]]\n"))
	f.Add([]byte("account = [{name='a'}, 3]\nllm = {model = 1979-05-27}"))
	f.Add([]byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseText(string(data), vars("TOKEN", "hunter2"))
		if (c == nil) == (err == nil) {
			t.Errorf("config %v, error %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") && !strings.Contains(string(data), "hunter2") {
			t.Errorf("the secret is in %v", err)
		}
	})
}

func FuzzParseEnv(f *testing.F) {
	f.Add("export A=\"b\\\"\" # c\nB='x'")
	f.Fuzz(func(t *testing.T, data string) {
		got, _ := parseEnv(data)
		for name := range got {
			if isVariable(name) != "" {
				t.Errorf("%q is no name", name)
			}
		}
	})
}

// A budget on which nobody ever gets an answer is hardly meant.
func TestBudgetTooSmallForAnyAnswerIsPointedOut(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"tokens_per_day = 0":         `tokens_per_day in [budget]: 0 means that nobody gets an answer`,
		"replies_per_member = 0":     `replies_per_member in [budget]: 0 means that nobody gets an answer`,
		"tokens_per_member = 100":    `tokens_per_member in [budget]: 100 is less than one answer may take`,
		"tokens_per_day = 5000":      "",
		`tokens_per_day="unlimited"`: "",
	} {
		c, err := parseText(good+"[budget]\n"+line, vars("TOKEN", "x"))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(c.Warnings) == 0 {
			continue
		}
		if len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0].Message, want) || want == "" {
			t.Errorf("%s: %v", line, c.Warnings)
		}
	}
}
