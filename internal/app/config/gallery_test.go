package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
)

// shares is a right configuration whose only account is that of a gallery,
// without any model.
const shares = `data_dir = "data"
[discord]
token_env = "BOT"
does = ["gallery"]
[[account]]
name = "art"
server = "https://art.example"
token_env = "TOKEN"
does = ["gallery"]
[gallery]
max_tokens = 100
`

func galleryVars() func(string) (string, bool) {
	return vars("TOKEN", "x", "BOT", "QUJD.x.y", "KEY", "k", "LLM_KEY", "l")
}

func TestTheSmallestGallery(t *testing.T) {
	t.Parallel()
	c, err := parseText(shares, galleryVars())
	if err != nil {
		t.Fatal(err)
	}
	a := c.Accounts[0]
	if a.Visibility != community.Public || a.AI != AIAsk || a.MaxUpload != 0 || a.PostsPerHour != 0 || a.Contact != "" || a.PostTail != "" || a.Guilds != nil {
		t.Errorf("the account has %+v", a)
	}
	if c.Vision() != (Vision{}) || c.Vision().Processor() != "" {
		t.Errorf("without a model there is %+v", c.Vision())
	}
	if c.Gallery.ExpireAfter != 72*time.Hour || c.Gallery.Texts != "" || c.GIFs.FFmpeg != "ffmpeg" || c.GIFs.MaxDownload == 0 {
		t.Errorf("got %+v and %+v", c.Gallery, c.GIFs)
	}
	if !c.Doing(FeatureGallery) || len(c.Warnings) > 0 {
		t.Error(c.Warnings)
	}
}

func TestTheContactIsTheOperatorByDefault(t *testing.T) {
	t.Parallel()
	c, err := parseText(shares+"[operator]\nfediverse = 'me@social.example'\n", galleryVars())
	if err != nil || c.Accounts[0].Contact != "@me@social.example" {
		t.Errorf("got %+v, %v", c, err)
	}
	c, err = parseText(strings.Replace(shares, "[gallery]", "contact = 'Ada, ada@example.org'\n[gallery]\ntexts = 'my.toml'", 1)+"[operator]\nfediverse = 'me@social.example'\n", galleryVars())
	if err != nil || c.Accounts[0].Contact != "Ada, ada@example.org" || c.Gallery.Texts != filepath.Join(inDir("", "/etc/rookery"), "my.toml") {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestMistakesInGallery(t *testing.T) {
	t.Parallel()
	const alone = "2: model is missing in [gallery.vision]: write the name of a model that understands pictures, as * knows it"
	for name, f := range map[string]struct {
		swap []string // pairs of old and new text
		add  string   // after the last line, 11
		want []string
	}{
		"another feature beside it": {swap: []string{"[\"gallery\"]\n[gallery]", "['gifs', 'gallery']\n[gallery]"}, want: []string{
			`9: does in [[account]]: an account that does "gallery" does nothing else, for what people write to it is for you to answer: give "gifs" an [[account]] of its own`}},
		"not on Discord": {swap: []string{"[\"gallery\"]\n[[account", "['gifs']\n[[account"}, want: []string{
			`9: does in [[account]]: "gallery" posts what members share on Discord: write "gallery" into does in [discord] as well`}},
		"no Discord": {swap: []string{"[discord]\ntoken_env = \"BOT\"\ndoes = [\"gallery\"]\n", ""}, want: []string{
			`6: does in [[account]]: "gallery" posts what members share on Discord: write [discord] with token_file and does = ["gallery"] as well`}},
		"no account": {swap: []string{"[\"gallery\"]\n[gallery]", "['gifs']\n[gallery]"}, want: []string{
			`4: does in [discord]: "gallery" needs an account on the Fediverse to post to: write [[account]] with name, server, token_file and does = ["gallery"]`}},
		"keys of another account": {swap: []string{"[\"gallery\"]\n[gallery]", "['gifs']\nvisibility = 'public'\npost_tail = ''\nguilds = []\n[gallery]"}, want: []string{
			`4: does in [discord]: "gallery" needs an account *`,
			`10: visibility in [[account]]: only an account that does "gallery" has it: take this line away`,
			`11: post_tail in [[account]]: only *`, `12: guilds in [[account]]: only *`}},
		"a typing mistake is said once": {swap: []string{"[\"gallery\"]\n[gallery]", "['galery']\nai = 'never'\n[gallery]"}, want: []string{
			`4: does in [discord]: "gallery" needs an account *`, `9: does in [[account]]: "galery" is not known: did you mean "gallery"?`}},
		"two features at once": {swap: []string{"[\"gallery\"]\n[gallery]", "['gallery', 'persona']\n[gallery]"}, want: []string{
			`9: does in [[account]]: an account that does "gallery" does nothing else, for what people write to it is for you to answer: give "persona" an [[account]] of its own`}},
		"two features at once, and a persona elsewhere": {swap: []string{"[\"gallery\"]\n[gallery]", "['persona', 'gallery']\n[gallery]", "[\"gallery\"]\n[[account", "['gallery', 'persona']\n[[account"}, want: []string{
			`9: does in [[account]]: an account that does "gallery" does nothing else, *`,
			`9: llm.base_url is missing, *`, `9: llm.model is missing, *`, `9: persona.character is missing, *`}},
		"Discord without does": {swap: []string{"does = [\"gallery\"]\n[[account", "[[account"}, want: []string{
			`2: does is missing in [discord]: write does = ["gallery"]`}},
		"Discord does nothing": {swap: []string{"[\"gallery\"]\n[[account", "[]\n[[account"}, want: []string{
			`4: does in [discord]: the list is empty: write what the bot can do, like does = ["gallery"]`}},
		"placeholder":         {add: "prompt = 'In {langage}, briefly'", want: []string{`12: prompt in [gallery]: "{langage}" is no placeholder: there is only {language}, which becomes the language of the post; *`}},
		"placeholder, spaced": {add: "prompt = '{language}, { language }'", want: []string{`12: prompt in [gallery]: "{ language }" is no placeholder: *`}},
		"visibility":          {swap: []string{"[gallery]\nmax", "visibility = 'direct'\n[gallery]\nmax"}, want: []string{`10: visibility in [[account]]: "direct" is not known: it is one of "public", "unlisted" or "private"`}},
		"ai":                  {swap: []string{"[gallery]\nmax", "ai = 'always'\n[gallery]\nmax"}, want: []string{`10: ai in [[account]]: "always" is not known: it is one of "ask" or "never"`}},
		"ai as a switch":      {swap: []string{"[gallery]\nmax", "ai = false\n[gallery]\nmax"}, want: []string{`10: ai in [[account]]: expected a text in quotes, not true or false`}},
		"upload":              {swap: []string{"[gallery]\nmax", "max_upload_mb = 501\n[gallery]\nmax"}, want: []string{`10: max_upload_mb in [[account]]: 501 is out of range: from 0 to 500`}},
		"upload, no unit":     {swap: []string{"[gallery]\nmax", "max_upload = 5\n[gallery]\nmax"}, want: []string{`10: unknown key "max_upload" in [[account]]: did you mean "max_upload_mb"?`}},
		"posts":               {swap: []string{"[gallery]\nmax", "posts_per_hour = -1\n[gallery]\nmax"}, want: []string{`10: posts_per_hour in [[account]]: -1 is out of range: from 0 to 1000`}},
		"contact":             {swap: []string{"[gallery]\nmax", "contact = ' '\n[gallery]\nmax"}, want: []string{`10: contact in [[account]]: it is empty: *`}},
		"contact, lines":      {swap: []string{"[gallery]\nmax", "contact = \"a\\nb\"\n[gallery]\nmax"}, want: []string{`10: contact in [[account]]: "a\nb" holds a line break *: write one line, like *`}},
		"long tail":           {swap: []string{"[gallery]\nmax", "post_tail = '" + strings.Repeat("я", 501) + "'\n[gallery]\nmax"}, want: []string{`10: post_tail in [[account]]: 501 characters are too many: at most 500, for every post ends with them`}},
		"strange tail":        {swap: []string{"[gallery]\nmax", "post_tail = \"a\\u001b\"\n[gallery]\nmax"}, want: []string{`10: post_tail in [[account]]: the text holds a control character: take it out`}},
		"guild's name":        {swap: []string{"[gallery]\nmax", "guilds = ['Owls']\n[gallery]\nmax"}, want: []string{`10: guilds in [[account]]: "Owls" is not an id of Discord's: *`}},
		"guild unquoted":      {swap: []string{"[gallery]\nmax", "guilds = [123456789012345678]\n[gallery]\nmax"}, want: []string{`10: guilds in [[account]]: expected a text in quotes, not a whole number: write "123456789012345678"`}},
		"expires at once":     {add: "expire_after = '10m'", want: []string{`12: expire_after in [gallery]: "10m" is out of range: from "1h" to "336h"`}},
		"expires never":       {add: "expire_after = '1000h'", want: []string{`12: expire_after in [gallery]: "1000h" is out of range: *`}},
		"blank prompt":        {add: "prompt = ''", want: []string{`12: prompt in [gallery]: it is empty: *`}},
		"short answers":       {swap: []string{"max_tokens = 100", "max_tokens = 1"}, want: []string{`11: max_tokens in [gallery]: 1 is out of range: from 20 to 10000`}},
		"texts at home":       {add: "texts = '~/my.toml'", want: []string{`12: texts in [gallery]: ~ is not understood here: *`}},
		"misspelt":            {add: "expire_afer = '2h'", want: []string{`12: unknown key "expire_afer" in [gallery]: did you mean "expire_after"?`}},
		"ffmpeg":              {add: "ffmpeg = 'off'", want: []string{`12: unknown key "ffmpeg" in [gallery]: it belongs in [gifs], and counts for the gallery too`}},
		"an account's":        {add: "visibility = 'public'", want: []string{`12: unknown key "visibility" in [gallery]: it belongs in [[account]]`}},
		"a model's":           {add: "model = 'x'", want: []string{`12: unknown key "model" in [gallery]: it belongs in [gallery.vision]`}},
		"section":             {swap: []string{"[gallery]\nmax", "[galery]\nmax"}, want: []string{`10: unknown section [galery]: did you mean [gallery]?`}},
		"brackets":            {add: "[[gallery.vision]]\nbase_url = 'http://localhost/v1'\nmodel = 'x'", want: []string{`12: [[gallery.vision]] has too many brackets: there is one such section, write [gallery.vision]`}},
		"part at the top":     {add: "[vision]\nmodel = 'x'", want: []string{`12: unknown section [vision]: did you mean [gallery.vision]?`}},
		"part misspelt":       {add: "[gallery.vison]\nmodel = 'x'", want: []string{`12: unknown section [gallery.vison]: did you mean [gallery.vision]?`}},
		"part as text":        {add: "vision = 'gpt'", want: []string{`12: "gallery.vision" is a section: write [gallery.vision] on a line of its own and its keys below`}},
		"part twice":          {add: "[gallery.vision]\nmodel = 'x'\nbase_url = 'http://localhost/v1'\n[gallery.vision]", want: []string{`15: [gallery.vision] is here twice, first on line 12: put its keys together`}},
		"no address":          {add: "[gallery.vision]\nmodel = 'x'", want: []string{`12: base_url is missing in [gallery.vision], and there is none in [llm]: write base_url = "https://api.openai.com/v1"`}},
		"no model":            {add: "[gallery.vision]\nbase_url = 'https://api.mistral.ai/v1'", want: []string{"1" + alone}},
		"no model there":      {add: "[gallery.vision]\nbase_url = 'https://api.mistral.ai/v1'\n[llm]\nbase_url = 'http://localhost/v1'\nmodel = 'llama3.2'", want: []string{"1" + alone}},
		"whole endpoint":      {add: "[gallery.vision]\nmodel = 'x'\nbase_url = 'http://localhost/v1/chat/completions'", want: []string{`14: base_url in [gallery.vision]: leave /chat/completions out: *`}},
		"key in the file":     {add: "[gallery.vision]\nmodel = 'x'\nbase_url = 'http://localhost/v1'\napi_key = 'hunter2'", want: []string{`15: api_key in [gallery.vision]: a secret is not written in this file.*api_key_env*`}},
		"key not set":         {add: "[gallery.vision]\nmodel = 'x'\nbase_url = 'https://api.mistral.ai/v1'\napi_key_env = 'NONE'", want: []string{`15: api_key_env: the environment variable NONE is not set: *`}},
		"two keys":            {add: "[gallery.vision]\nmodel = 'x'\nbase_url = 'https://api.mistral.ai/v1'\napi_key_env = 'TOKEN'\napi_key_file = 'k'", want: []string{`16: api_key_env and api_key_file say the same: keep one of the two`}},
		"key not there":       {add: "[gallery.vision]\nmodel = 'x'\nbase_url = 'https://api.mistral.ai/v1'\napi_key_file = 'hunter2'", want: []string{`15: api_key_file: the file that it names cannot be read: *`}},
		"processor, long":     {add: "[gallery.vision]\nmodel = 'x'\nbase_url = 'http://localhost/v1'\nprocessor = '" + strings.Repeat("x", 81) + "'", want: []string{`15: processor in [gallery.vision]: * is too long: at most 80 characters, *`}},
		"processor there":     {add: "processor = 'OpenAI (USA)'", want: []string{`12: unknown key "processor" in [gallery]: it belongs in [gallery.vision], or, if that section is not there, in [llm]`}},
	} {
		text := shares + f.add
		for i := 0; i < len(f.swap); i += 2 {
			if !strings.Contains(text, f.swap[i]) {
				t.Fatalf("%s: %q is not in the file", name, f.swap[i])
			}
			text = strings.Replace(text, f.swap[i], f.swap[i+1], 1)
		}
		checkMistakesWith(t, galleryVars(), map[string]wrongFile{name: {text: text, want: f.want}})
	}
}

// The model that describes pictures is that of [llm], as far as nothing else is
// said; but a key goes to the address alone that it was written for.
func TestVisionIsThatOfTheModelByDefault(t *testing.T) {
	t.Parallel()
	const model = "[llm]\nbase_url = 'https://LLM.example/v1/'\nmodel = 'talks'\napi_key_env = 'LLM_KEY'\ntimeout = '50s'\nprocessor = 'Somebody (USA)'\n"
	for name, c := range map[string]struct {
		add  string
		want Vision
	}{
		"no section":       {model, Vision{"https://LLM.example/v1", "talks", NewSecret("l"), 50 * time.Second, "Somebody (USA)"}},
		"empty section":    {model + "[gallery.vision]\n", Vision{"https://LLM.example/v1", "talks", NewSecret("l"), 50 * time.Second, "Somebody (USA)"}},
		"another model":    {model + "[gallery.vision]\nmodel = 'sees'", Vision{"https://LLM.example/v1", "sees", NewSecret("l"), 50 * time.Second, "Somebody (USA)"}},
		"same address":     {model + "[gallery.vision]\nmodel = 'sees'\nbase_url = 'https://LLM.example/v1'", Vision{"https://LLM.example/v1", "sees", NewSecret("l"), 50 * time.Second, "Somebody (USA)"}},
		"the same in full": {model + "[gallery.vision]\nbase_url = 'https://LLM.example/v1'", Vision{"https://LLM.example/v1", "talks", NewSecret("l"), 50 * time.Second, "Somebody (USA)"}},
		"own key and name": {model + "[gallery.vision]\napi_key_env = 'KEY'\ntimeout = '1s'\nprocessor = 'S'", Vision{"https://LLM.example/v1", "talks", NewSecret("k"), time.Second, "S"}},
		"another address":  {model + "[gallery.vision]\nmodel = 'sees'\nbase_url = 'https://api.mistral.ai/v1/'", Vision{"https://api.mistral.ai/v1", "sees", Secret{}, 50 * time.Second, ""}},
		"alone":            {"[gallery.vision]\nmodel = 'sees'\nbase_url = 'https://api.mistral.ai/v1'\napi_key_env = 'KEY'", Vision{"https://api.mistral.ai/v1", "sees", NewSecret("k"), 3 * time.Minute, ""}},
		"an address alone": {"[llm]\nbase_url = 'https://llm.example/v1'", Vision{}},
	} {
		cfg, err := parseText(shares+c.add, galleryVars())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := cfg.Vision()
		if got.APIKey.Reveal() != c.want.APIKey.Reveal() {
			t.Errorf("%s: the wrong key goes to %s", name, got.BaseURL)
		}
		got.APIKey, c.want.APIKey = Secret{}, Secret{}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if len(cfg.Warnings) > 0 {
			t.Errorf("%s: %v", name, cfg.Warnings)
		}
	}
}

func TestVisionWarnsOfAKeyInTheOpen(t *testing.T) {
	t.Parallel()
	c, err := parseText(shares+"[gallery.vision]\nmodel = 'x'\nbase_url = 'http://sees.example/v1'\napi_key_env = 'KEY'", galleryVars())
	if err != nil || len(c.Warnings) != 1 || !like(c.Warnings[0].String(), "rookery.toml:14: the API key goes over plain http*") {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestProcessorNamesWhoGetsThePictures(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://api.openai.com/v1":                               "OpenAI (USA)",
		"https://API.OpenAI.com./v1":                              "OpenAI (USA)",
		"https://api.mistral.ai/v1":                               "Mistral (France)",
		"https://api.anthropic.com/v1":                            "Anthropic (USA)",
		"https://generativelanguage.googleapis.com/v1beta/openai": "Google (USA)",
		"https://openrouter.ai/api/v1":                            "OpenRouter (USA)",
		"https://owls.openai.azure.com/openai/v1":                 "Microsoft (USA)",
		"https://notopenai.com/v1":                                "notopenai.com",
		"https://openai.com.evil.example/v1":                      "openai.com.evil.example",
		"https://ec2-1-2-3-4.compute-1.amazonaws.com/v1":          "ec2-1-2-3-4.compute-1.amazonaws.com",
		"http://127.0.0.1:11434/v1":                               "",
		"http://192.168.1.5/v1":                                   "",
		"http://ollama:11434/v1":                                  "",
		"https://dashscope-intl.aliyuncs.com/compatible-mode/v1":  "Alibaba Cloud (China)",
		"https://oai.endpoints.kepler.ai.cloud.ovh.net/v1":        "OVHcloud (France)",
	} {
		if got := (Vision{BaseURL: url, Model: "m"}).Processor(); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
		if got := (Vision{BaseURL: url, Model: "m", Named: "Somebody"}).Processor(); got != "Somebody" {
			t.Errorf("%s: %q", url, got)
		}
		if got := (Vision{BaseURL: url, Named: "Somebody"}).Processor(); got != "" {
			t.Errorf("%s, without a model: %q", url, got)
		}
	}
}

func TestBracesThatAreNoPlaceholder(t *testing.T) {
	t.Parallel()
	for _, prompt := range []string{"Write {language}.", `Answer {"alt": "…"} in {language}`, "{} { } {1} }{"} {
		if bad := isPrompt(prompt); bad != "" {
			t.Errorf("%q: %s", prompt, bad)
		}
	}
}

func TestCheckTexts(t *testing.T) {
	t.Parallel()
	const named = "texts = 'my.toml'\n"
	for name, c := range map[string]struct {
		add, own string // what the configuration has more, and what the file of texts holds; "": there is none
		look     func(string) error
		want     []string
	}{
		"none":          {},
		"in order":      {add: named, own: "[en]\na = 'b'\n"},
		"with a mark":   {add: named, own: "\ufeff[en]\n"},
		"missing":       {add: named, want: []string{"*rookery.toml:12: texts in [gallery]: there is no file *my.toml; rookery gallery texts prints what belongs there, or take the line away"}},
		"no TOML":       {add: named, own: "[en]\na = b\n", want: []string{"*my.toml: line 2: *"}},
		"far too large": {add: named, own: strings.Repeat("# text\n", 50_000), want: []string{"*rookery.toml:12: texts in [gallery]: the file *my.toml cannot be read: larger than 256 KiB*"}},
		"several": {add: named, own: "[en]\n", look: func(f string) error {
			return fmt.Errorf("%s: %w", f, errors.Join(errors.New("line 1: a"), errors.New("line 2: b")))
		}, want: []string{"*my.toml: line 1: a", "*my.toml: line 2: b"}},
		"missing to all": {add: named, look: func(f string) error { return fmt.Errorf("look: %w", fs.ErrNotExist) }, want: []string{"*rookery.toml:12: texts in [gallery]: there is no file *"}},
		"of no gallery":  {add: named + "[x]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := shares + c.add
			if strings.HasSuffix(text, "[x]") {
				text = pictures + "[gallery]\n" + named
			}
			files := []string{"rookery.toml", text}
			if c.own != "" {
				files = append(files, "my.toml", c.own)
			}
			cfg, err := Load(write(t, files...), galleryVars())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if err := cfg.CheckTexts(c.look); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if !slices.EqualFunc(got, c.want, like) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
