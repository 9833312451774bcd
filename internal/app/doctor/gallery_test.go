package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/words"
)

// hung is a world with a gallery alone: an account on the Fediverse, a guild
// on Discord with one forum, and a model for pictures.
type hung struct {
	*world
	discord *discordsim.Server
	guild   string
	forum   string
}

// gallery makes that world, without a database.
func gallery(t *testing.T, f fedisim.Options, m llmsim.Options) *hung {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the fakes are programs for a shell")
	}
	s, err := discordsim.New(discordsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := &hung{world: newWorld(t, f, m), discord: s, guild: s.AddGuild("Owls")}
	s.BotJoins(h.guild)
	h.forum = s.AddForum(h.guild, "art")
	h.env["DISCORD_TOKEN"] = s.Token()
	h.bot.Edit(fedisim.Note("<p>Pictures of our guild. Write to art@home.example.</p>"))
	h.text = fmt.Sprintf(`data_dir = "data"
[discord]
token_env = "DISCORD_TOKEN"
does = ["gallery"]
operator_channel = %q
api = %q
[gifs]
ffmpeg = %q
[gallery.vision]
base_url = %q
model = "owl-1"
processor = "Owls (Norway)"
api_key_env = "MODEL_KEY"
[[account]]
name = "art"
server = %q
token_env = "BOT_TOKEN"
does = ["gallery"]
contact = "art@home.example"
poll = "50ms"
`, s.AddChannel(h.guild, "keepers", discordsim.Text), s.URL(), filepath.Join(fakeDir, "good"), h.model.URL(), h.fedi.URL())
	return h
}

// set stores what guilds have chosen: guild, field and value, three by three.
func (h *hung) set(values ...string) {
	h.t.Helper()
	h.database(func(ctx context.Context, tx store.Tx) error {
		for v := range slices.Chunk(values, 3) {
			if _, err := tx.Exec(ctx, `insert into settings_value (guild, field, value, revision, at, member, name, via) values ($1, $2, $3, 1, 1, '', '', '')`, v[0], v[1], v[2]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *hung) turnedOn() {
	h.set(h.guild, "gallery.enabled", "true", h.guild, "gallery.channels", h.forum)
}

func TestAGalleryInOrder(t *testing.T) {
	t.Parallel()
	h := gallery(t, fedisim.Options{}, llmsim.Options{Models: []string{"owl-1"}, Key: "sk-model-key"})
	h.turnedOn()
	f := h.run()
	f.only("gallery", OK, "takes 4 files a post")
	f.has("gallery", OK, "lets descriptions of pictures be changed")
	f.has("gallery", OK, "60 uploads, 100 posts and 60 deletions")
	f.has("gallery", OK, "1 Discord server has its gallery turned on")
	f.has("gallery", OK, "in the 1 channel of the gallery")
	f.has("profile", OK, "")
	f.has("vision", OK, "go to Owls (Norway)")
	f.has("vision", OK, "has the model owl-1. Whether it understands pictures was not tried")
	f.has("ffmpeg", OK, "ffmpeg 7.1-test")
	f.has("tmp", OK, "Pictures on their way")
	f.has("scopes", OK, "")
	f.lacks("board")
	f.lacks("model")
	f.lacks("texts")
	if n := h.model.Count(); n != 0 {
		t.Errorf("the model was asked %d times, which costs", n)
	}
	for _, q := range h.discord.Requests() {
		if q.Method != http.MethodGet {
			t.Errorf("it does not only look: %s %s", q.Method, q.Path)
		}
	}
}

// sight is a line that a round must have.
type sight struct {
	check string
	level Level
	text  string
}

// Each world is out of order in several ways that have nothing to do with each
// other: making one takes longer than looking at it.
func TestAGalleryOutOfOrder(t *testing.T) {
	t.Parallel()
	const elsewhere = "123456789012345678"
	for name, c := range map[string]struct {
		fedi  fedisim.Options
		spoil func(h *hung)
		want  []sight
		not   string // in no line
	}{
		"off everywhere": {
			spoil: func(h *hung) {
				away := h.discord.AddGuild("Away") // the bot has left it
				h.set(h.guild, "gallery.enabled", "false", h.guild, "gallery.channels", elsewhere, away, "gallery.enabled", "true")
			},
			want: []sight{{"gallery", OK, "No Discord server has turned its gallery on"}},
			not:  elsewhere,
		},
		"a guild without channels and accounts": {
			spoil: func(h *hung) {
				h.set(h.guild, "gallery.enabled", "true")
				h.replace("contact =", "guilds = [\""+elsewhere+"\"]\ncontact =")
			},
			want: []sight{
				{"gallery", OK, "In Owls no channel is chosen"},
				{"gallery", Warning, "Owls has its gallery turned on, but no account is for that Discord server"},
				{"gallery", Warning, "art is for the Discord server " + elsewhere},
			},
		},
		"channels that are of no use": {
			spoil: func(h *hung) {
				h.set(h.guild, "gallery.enabled", "true", h.guild, "gallery.channels", elsewhere+" "+h.forum, h.guild, "gallery.review_channel",
					h.discord.AddChannel(h.guild, "mods", discordsim.Text, discordsim.Deny(h.guild, discordsim.SendMessages)))
				h.discord.ChangeChannel(h.forum, discordsim.Deny(h.guild, discordsim.SendMessagesInThreads|discordsim.EmbedLinks))
			},
			want: []sight{
				{"gallery", Warning, "The channel " + elsewhere + ", chosen for the gallery of Owls, does not exist any more"},
				{"gallery", Warning, "#art of Owls, which was chosen for the gallery: Send Messages in Threads, Embed Links."},
				{"gallery", Warning, "#mods of Owls, which was chosen for the gallery: Send Messages."},
			},
			not: "The bot may do what it must",
		},
		"threads are not heard of": {
			spoil: func(h *hung) {
				h.set(h.guild, "gallery.enabled", "true", h.guild, "gallery.channels", elsewhere, h.guild, "gallery.offers", "false")
				h.replace("[discord]\n", "[discord]\nmessage_content = false\n")
			},
			want: []sight{{"gallery", Warning, "members share only with the menu of a message."}, {"gallery", OK, "1 Discord server has"}},
			not:  elsewhere, // nobody is offered anything there
		},
		"little room": {
			spoil: func(h *hung) {
				h.bot.Edit(fedisim.Note("Pictures."))
				h.fedi.Limit(func(l *fedisim.Limits) { l.Description = 100 })
				h.replace("contact =", "ai = \"never\"\nmax_upload_mb = 3\nposts_per_hour = 5\npost_tail = \""+strings.Repeat("x", 251)+"\"\ncontact =")
				h.replace(filepath.Join(fakeDir, "good"), "off")
				h.texts("[en]\na = 'b'\n")
			},
			want: []sight{
				{"profile", Warning, "rookery gallery about"},
				{"gallery", Warning, "descriptions of 100 characters at most"},
				{"gallery", Warning, "251 characters, of the 500"},
				{"gallery", OK, "more than 3 MB"},
				{"gallery", OK, "60 uploads, 5 posts"},
				{"vision", OK, "No account of the gallery has pictures described"},
				{"ffmpeg", Warning, "ffmpeg is switched off, so that the gallery"},
				{"ffmpeg", Warning, "take the line with ffmpeg out under [gifs]"},
				{"texts", OK, "can be read"},
			},
			not: "has turned its gallery on", // which nobody can know without a database
		},
		"another make": {
			fedi: fedisim.Options{Profile: fedisim.Snac},
			spoil: func(h *hung) {
				h.replace("/good", "/no-films")
				h.replace("processor = \"Owls (Norway)\"\n", "")
				h.texts("[en]\na = b\n")
			},
			want: []sight{
				{"gallery", OK, "is not known of"},
				{"ffmpeg", Warning, "it lacks libx264. So the gallery cannot share films"},
				{"vision", OK, "your own computer"},
				{"texts", Error, "line 2: "},
			},
			not: "60 uploads",
		},
		"no pictures there": {
			spoil: func(h *hung) {
				h.env["BOT_TOKEN"] = h.fedi.AddAccount("narrow", fedisim.Bot(), fedisim.AcceptStrangers(), fedisim.WithToken("narrow-1"), fedisim.Note("art@home.example"),
					fedisim.WithScopes("read", "write:statuses", "write:notifications")).Token
				h.fedi.Limit(func(l *fedisim.Limits) { l.Types = []string{"video/mp4", "image/gif"} })
				h.replace("processor = \"Owls (Norway)\"\n", "")
				h.replace(h.model.URL(), "https://llm.example/v1")
				h.Transport = answering("llm.example", 404, "")
				h.replace("[gallery.vision]", "[gallery]\ntexts = \"my.toml\"\n[gallery.vision]")
			},
			want: []sight{
				{"gallery", Error, "neither JPEG nor PNG"},
				{"scopes", Error, "lacks the scope write:media"},
				{"vision", Warning, "go to llm.example"},
				{"vision", OK, "lists no models"},
				{"texts", Error, "there is no file "},
			},
		},
		"texts that the gallery refuses": {
			spoil: func(h *hung) {
				h.texts("")
				h.Texts = func(file string) error {
					return fmt.Errorf("%s: %w", file, errors.Join(errors.New("line 7: there is no text of that name"), errors.New("line 8: "+strings.Repeat("long ", 200)+"end")))
				}
				h.replace("/good", "/none")
			},
			want: []sight{
				{"texts", Error, "my.toml: line 7: there is no text of that name\n"},
				{"texts", Error, "my.toml: line 8: long"},
				{"texts", Error, "long end\n"},
				{"ffmpeg", Warning, "ffmpeg cannot be used"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := gallery(t, c.fedi, llmsim.Options{Models: []string{"owl-1"}})
			c.spoil(h)
			f := h.run()
			for _, s := range c.want {
				f.has(s.check, s.level, s.text)
			}
			if n := len(f.of("ffmpeg")); n > 1 {
				t.Errorf("ffmpeg is spoken of %d times: %v", n, f.of("ffmpeg"))
			}
			for _, l := range f.lines {
				if c.not != "" && strings.Contains(l.Text, c.not) {
					t.Errorf("there is %+v", l)
				}
				if l.Level != OK && !slices.ContainsFunc(c.want, func(s sight) bool { return s.check == l.Check && s.level == l.Level }) {
					t.Errorf("not in order: %+v", l)
				}
			}
		})
	}
}

// texts writes the operator's own.
func (h *hung) texts(text string) {
	h.t.Helper()
	file := filepath.Join(h.dir, "my.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.replace("[gallery.vision]", fmt.Sprintf("[gallery]\ntexts = %q\n[gallery.vision]", file))
}

// answering stands in for one host.
func answering(host string, status int, body string) rewriting {
	return func(r *http.Request) (*http.Response, error) {
		if r.URL.Hostname() != host {
			return http.DefaultTransport.RoundTrip(r)
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func TestTheModelForPictures(t *testing.T) {
	t.Parallel()
	const list = `{"data":[{"id":"other"},%s]}`
	for name, c := range map[string]struct {
		status int
		body   string
		level  Level
		text   string
	}{
		"sees, by OpenRouter":  {200, fmt.Sprintf(list, `{"id":"owl-1","architecture":{"input_modalities":["text","image"]}}`), OK, "which understands pictures"},
		"blind, by OpenRouter": {200, fmt.Sprintf(list, `{"id":"owl-1","architecture":{"input_modalities":["text"]}}`), Warning, "does not understand pictures"},
		"sees, by Mistral":     {200, fmt.Sprintf(list, `{"id":"owl-1","capabilities":{"vision":true,"completion_chat":true}}`), OK, "which understands pictures"},
		"blind, by Mistral":    {200, fmt.Sprintf(list, `{"id":"owl-1","capabilities":{"vision":false}}`), Warning, "does not understand pictures"},
		"odd capabilities":     {200, fmt.Sprintf(list, `{"id":"owl-1","capabilities":["x"],"architecture":"y"}`), OK, "was not tried"},
		"by Google":            {200, fmt.Sprintf(list, `{"id":"models/owl-1"}`), OK, "was not tried"},
		"by Ollama":            {200, fmt.Sprintf(list, `{"id":"owl-1:latest"}`), OK, "was not tried"},
		"by Together":          {200, `[{"id":"owl-1"}]`, OK, "has the model owl-1"},
		"another model":        {200, fmt.Sprintf(list, `{"id":"owl-2"}`), Warning, "the model owl-1 is not in its list"},
		"no list":              {404, `{}`, OK, "lists no models"},
		"an empty list":        {200, `{"data":[]}`, OK, "lists no models"},
		"a web page":           {200, "<!doctype html>", Warning, "usually ends in /v1"},
		"a wrong key":          {401, `{"error":{"message":"Incorrect API key provided: sk-model-key"}}`, Warning, "401 Unauthorized"},
		"in trouble":           {503, "", Warning, "503 Service Unavailable"},
		"elsewhere":            {302, "", Warning, "302 Found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &doctor{Config: Config{Language: words.English, Transport: answering("llm.example", c.status, c.body)}.withDefaults(), cfg: &config.Config{
				Gallery: config.Gallery{Vision: config.Vision{BaseURL: "https://llm.example/v1", Model: "owl-1", APIKey: config.NewSecret("sk-model-key")}}}}
			d.check(t.Context(), "vision", "", d.lookForModel)
			if len(d.lines) != 1 || d.lines[0].Level != c.level || !strings.Contains(d.lines[0].Text+d.lines[0].Help, c.text) || strings.Contains(d.lines[0].Text, "sk-") {
				t.Errorf("got %+v", d.lines)
			}
		})
	}
}

func TestTheModelIsShownAPictureIfThatIsWanted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options llmsim.Options
		level   Level
		text    string
	}{
		"it sees":       {llmsim.Options{Key: "sk-model-key"}, OK, "was shown a red square and asked for its colour"},
		"a wrong key":   {llmsim.Options{Key: "another"}, Warning, "gallery.vision.api_key_env or gallery.vision.api_key_file"},
		"no such model": {llmsim.Options{Models: []string{"owl-2"}}, Warning, "check gallery.vision.model"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model := llmsim.New(c.options)
			if err := model.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = model.Close() })
			d := &doctor{Config: Config{Language: words.English, ShowPicture: true}.withDefaults(), cfg: &config.Config{
				Accounts: []config.Account{{Does: []string{config.FeatureGallery}, AI: config.AIAsk}},
				Gallery: config.Gallery{MaxTokens: 300, VisionSection: "gallery.vision", Vision: config.Vision{
					BaseURL: model.URL(), Model: "owl-1", APIKey: config.NewSecret("sk-model-key"), Timeout: 20 * time.Second}}}}
			d.checkVision(t.Context())
			last := d.lines[len(d.lines)-1]
			if len(d.lines) != 2 || last.Level != c.level || !strings.Contains(last.Text+last.Help, c.text) || strings.Contains(last.Text, "sk-") {
				t.Errorf("got %+v", d.lines)
			}
			rs := model.Requests()
			if len(rs) > 1 || len(rs) == 1 && (!strings.Contains(string(rs[0].Body), "data:image/jpeg;base64,") || rs[0].MaxTokens != 300) {
				t.Errorf("the model was asked %+v", rs)
			}
		})
	}
}
