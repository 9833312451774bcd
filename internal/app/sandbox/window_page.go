package sandbox

import (
	"html/template"
	"net/http"
	"slices"

	"rookery/internal/sim/discordsim"
)

// seenPage is what a window shows.
type seenPage struct {
	As      string
	Threads []seenThread
	Private []seenMessage
	Modal   *discordsim.Modal
	Failed  []string
	Files   []int // the numbers of the form's files
}

type seenThread struct {
	Name     string
	Messages []seenMessage
}

type seenMessage struct {
	ID, Author, Text string
	Boxes            []string
	Pictures         []discordsim.Attachment
	Controls         []control
}

// control is a button, or a menu if it has options.
type control struct {
	ID, Label string
	Options   []option
}

type option struct{ Label, Value string }

// page is what the viewer sees now, the newest first.
func (win *window) page(r *http.Request) seenPage {
	who, name := win.viewer(r)
	view := win.world.discord.View(who)
	p := seenPage{As: name, Modal: view.Modal, Failed: view.Failed}
	for n := range fileFields {
		p.Files = append(p.Files, n+1)
	}
	for _, c := range view.Channels {
		if c.Kind != discordsim.PublicThread {
			continue
		}
		t := seenThread{Name: c.Name}
		for _, m := range c.Messages {
			t.Messages = append(t.Messages, win.message(m))
		}
		p.Threads = append(p.Threads, t)
	}
	slices.Reverse(p.Threads)
	for _, m := range slices.Concat(view.Direct, view.Private) {
		p.Private = append(p.Private, win.message(m))
	}
	slices.Reverse(p.Private)
	return p
}

func (win *window) message(m discordsim.Message) seenMessage {
	names := map[string]string{win.guild.ada: "Ada", win.guild.ben: "Ben", win.guild.olga: "Olga", win.guild.cleo: "Cleo", win.world.discord.AppID(): "Elelem, the bot"}
	s := seenMessage{ID: m.ID, Author: names[m.Author], Text: m.Content, Pictures: m.Attachments}
	for _, e := range m.Embeds {
		if text, _ := e["description"].(string); text != "" {
			s.Boxes = append(s.Boxes, text)
		}
	}
	s.Controls = controls(m.Components)
	return s
}

// controls are the buttons and menus of a message, in their order.
func controls(v any) []control {
	var all []control
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			all = append(all, controls(one)...)
		}
	case map[string]any:
		id, _ := v["custom_id"].(string)
		label, _ := v["label"].(string)
		if label == "" {
			label, _ = v["placeholder"].(string)
		}
		if id != "" {
			c := control{ID: id, Label: label}
			options, _ := v["options"].([]any)
			for _, one := range options {
				o, _ := one.(map[string]any)
				label, _ := o["label"].(string)
				value, _ := o["value"].(string)
				c.Options = append(c.Options, option{label, value})
			}
			all = append(all, c)
		}
		all = append(all, controls(v["components"])...)
	}
	return all
}

// shownTo is a message, and who looks at it.
type shownTo struct {
	M  seenMessage
	As string
}

// windowPage is the page. Its text is of the simulation, not of the bot.
var windowPage = template.Must(template.New("window").Funcs(template.FuncMap{
	"args": func(m seenMessage, as string) shownTo { return shownTo{m, as} },
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Discord, simulated: #art</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 1rem auto; padding: 0 1rem }
section, form.new { border: 1px solid #888; border-radius: 6px; padding: .5rem 1rem; margin: 1rem 0 }
form { display: inline-block; margin: .2rem .4rem .2rem 0 } form.new { display: block }
p, blockquote { white-space: pre-wrap; overflow-wrap: anywhere } img { max-width: 12rem; display: block }
label { display: block }
</style></head><body>
<h1>#art, as {{.As}} sees it</h1>
<p>A simulated Discord. Look as <a href="/?as=ada">Ada</a>, <a href="/?as=ben">Ben</a> or <a href="/?as=olga">Olga</a>, who manages the server. <a href="/?as={{.As}}">Look again</a></p>
{{range .Failed}}<p role="alert">The bot did not answer: {{.}}</p>{{end}}
{{with .Modal}}<section><h2>{{.Title}}</h2><form class="new" method="post" action="/form"><input type="hidden" name="as" value="{{$.As}}">
{{range .Fields}}<label>{{.Label}}<br><textarea name="{{.CustomID}}" rows="3" cols="60">{{.Value}}</textarea></label>{{end}}
<button>Submit</button> <button name="cancel" value="1">Cancel</button></form></section>{{end}}
{{if .Private}}<section><h2>Only {{.As}} sees this</h2>{{range .Private}}{{template "message" (args . $.As)}}{{end}}</section>{{end}}
<form class="new" method="post" action="/thread" enctype="multipart/form-data"><h2>Open a thread</h2><input type="hidden" name="as" value="{{.As}}">
<label>Title <input name="title" value="A wheel"></label><label>Text <input name="text" size="50" value="Look what I made."></label>
{{range .Files}}<fieldset><legend>File {{.}}</legend><input type="file" name="file{{.}}" aria-label="File {{.}}"> <label>Description <input name="description{{.}}" size="40"></label><label><input type="checkbox" name="spoiler{{.}}"> It is a spoiler</label></fieldset>{{end}}
<p>Without a file, a drawing is made for you.</p><button>Open the thread</button></form>
<form class="new" method="post" action="/delete"><h2>/delete_fedi</h2><input type="hidden" name="as" value="{{.As}}"><label>Address of the post, or the delete code <input name="post" size="50"></label><button>Give the command</button></form>
{{range .Threads}}<section><h2>{{.Name}}</h2>{{range .Messages}}{{template "message" (args . $.As)}}{{end}}</section>{{end}}
</body></html>
{{define "message"}}<p><strong>{{.M.Author}}</strong>: {{.M.Text}}</p>
{{range .M.Boxes}}<blockquote>{{.}}</blockquote>{{end}}
{{range .M.Pictures}}<img src="{{.URL}}" alt="{{if .Description}}{{.Description}}{{else}}{{.Name}}, not described{{end}}">{{end}}
{{$m := .M}}{{$as := .As}}{{range .M.Controls}}<form method="post" action="/press"><input type="hidden" name="as" value="{{$as}}"><input type="hidden" name="message" value="{{$m.ID}}"><input type="hidden" name="id" value="{{.ID}}">
{{if .Options}}<input type="hidden" name="menu" value="1"><select name="value" aria-label="{{.Label}}">{{range .Options}}<option value="{{.Value}}">{{.Label}}</option>{{end}}</select> {{end}}<button>{{.Label}}</button></form>{{end}}{{end}}
`))
