package sandbox

import "html/template"

// shownTo is a message, and who looks at it.
type shownTo struct {
	M  seenMessage
	As person
}

// shownPrivate is what only one sees of a place, and who that is.
type shownPrivate struct {
	P  seenPrivate
	As person
}

// windowPage is the page. Its text is of the simulation, not of the bot.
var windowPage = template.Must(template.New("window").Funcs(template.FuncMap{
	"message": func(m seenMessage, as person) shownTo { return shownTo{m, as} },
	"private": func(p seenPrivate, as person) shownPrivate { return shownPrivate{p, as} },
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>#art, as {{.As.Name}} sees it – Discord, simulated</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 0 auto; padding: .5rem 1rem 3rem }
h1 { margin: .3rem 0 } h2 { margin: .3rem 0; font-size: 1.3rem } nav { margin-bottom: 1rem }
section { border: 1px solid #888; border-radius: 6px; padding: .5rem 1rem; margin: 1rem 0 }
.press { display: inline-block; margin: .2rem .4rem .2rem 0 }
.text, blockquote { white-space: pre-wrap; overflow-wrap: anywhere } .text { margin: .6rem 0 }
blockquote { margin: .6rem 0; padding-left: .8rem; border-left: 4px solid #888 }
.private { border-left: 4px solid #5865f2; padding-left: .8rem; margin: .8rem 0 } .private h3 { margin: 0; font-size: 1rem }
code { background: #8883; border-radius: 3px; padding: 0 .2rem } .mention { background: #5865f233; border-radius: 3px }
.spoiler { display: inline-block; vertical-align: top; background: #8883; border-radius: 3px; padding: 0 .3rem }
img { max-width: min(12rem, 100%); display: block; margin: .3rem 0 } label { display: block }
input, textarea, select { font: inherit; max-width: 100%; box-sizing: border-box } button { font: inherit; min-height: 2.2rem }
input:not([type]), textarea { width: 100% } fieldset { min-width: 0; margin: .5rem 0 }
div[id^="m"] { scroll-margin-top: 14rem }
:target { outline: 3px solid #5865f2; outline-offset: 4px }
</style></head><body>
<header><h1>#art, as {{.As.Name}} sees it</h1>
<nav>A simulated Discord. Look as {{range $i, $p := .People}}{{if $i}}, {{end}}<a href="/?as={{.Short}}"{{if eq .Short $.As.Short}} aria-current="page"{{end}}>{{.Name}}</a>{{with .Note}} ({{.}}){{end}}{{end}}.
Below: <a href="#new">open a thread</a>, <a href="#direct">give /delete_fedi</a>. <a href="/?as={{.As.Short}}&amp;again={{.Again}}">Look again</a></nav></header>
<main>{{if .Unanswered}}<p id="unanswered" role="alert" tabindex="-1"><strong>The bot did not respond.</strong> It may be starting again: wait a moment, and press again.</p>{{end}}
{{if .Thinking}}<p role="status">The bot is thinking. <a href="/?as={{.As.Short}}&amp;again={{.Again}}">Look again</a></p>{{end}}
{{with .Modal}}<section id="form" tabindex="-1" role="dialog" aria-labelledby="form-title"><h2 id="form-title">{{.Title}}</h2><form method="post" action="/form"><input type="hidden" name="as" value="{{$.As.Short}}">
{{range .Fields}}<label>{{.Label}}<br><textarea name="{{.CustomID}}" rows="3">{{.Value}}</textarea></label>{{end}}
<button>Submit</button> <button name="cancel" value="1">Cancel</button></form></section>{{end}}
{{range .Threads}}<section id="t{{.ID}}" tabindex="-1" aria-labelledby="h{{.ID}}"><h2 id="h{{.ID}}">{{.Name}}</h2>{{range .Messages}}{{template "message" (message . $.As)}}{{end}}
{{template "private" (private .Private $.As)}}<p>{{if .Silent}}The bot has no message here now. {{end}}<a href="/?as={{$.As.Short}}&amp;again={{$.Again}}#t{{.ID}}">Look again</a></p></section>{{end}}
<section id="new" tabindex="-1" aria-labelledby="new-title"><h2 id="new-title">Open a thread</h2><form method="post" action="/thread" enctype="multipart/form-data"><input type="hidden" name="as" value="{{.As.Short}}">
<label>Title <input name="title" value="A wheel"></label><label>Text <input name="text" value="Look what I made."></label>
{{template "file" 1}}<details><summary>More files</summary>{{range .Files}}{{template "file" .}}{{end}}</details>
<p>Without a file, a drawing is made for you.</p><button>Open the thread</button></form></section>
<section id="direct" tabindex="-1" aria-labelledby="direct-title"><h2 id="direct-title">Outside the threads</h2>{{template "private" (private .Direct .As)}}
<form method="post" action="/delete"><input type="hidden" name="as" value="{{.As.Short}}"><label><code>/delete_fedi</code>, in a direct message to the bot: the address of a post, or its delete code <input name="post"></label><button>Give the command</button></form></section>
</main></body></html>
{{define "file"}}<fieldset><legend>File {{.}}</legend><input type="file" name="file{{.}}" aria-label="File {{.}}"><label>Description <input name="description{{.}}"></label><label><input type="checkbox" name="spoiler{{.}}"> It is a spoiler</label></fieldset>{{end}}
{{define "private"}}{{$as := .As}}{{range .P.Latest}}<div class="private" role="status"><h3>Only {{$as.Name}} sees this</h3>{{template "message" (message . $as)}}</div>{{end}}
{{with .P.Earlier}}<details><summary>What only {{$as.Name}} saw earlier: {{len .}}</summary>{{range .}}<div class="private">{{template "message" (message . $as)}}</div>{{end}}</details>{{end}}{{end}}
{{define "message"}}<div id="m{{.M.ID}}" tabindex="-1"><div class="text"><strong>{{.M.Author}}</strong>: {{template "marked" .M.Text}}</div>
{{range .M.Boxes}}<blockquote>{{template "marked" .}}</blockquote>{{end}}
{{range .M.Files}}{{if .Spoiler}}<details class="spoiler"><summary>Spoiler</summary>{{template "shown" .}}</details>{{else}}{{template "shown" .}}{{end}}{{end}}
{{$m := .M}}{{$as := .As}}{{range .M.Controls}}<form class="press" method="post" action="/press"><input type="hidden" name="as" value="{{$as.Short}}"><input type="hidden" name="message" value="{{$m.ID}}"><input type="hidden" name="id" value="{{.ID}}">
{{if .Options}}<input type="hidden" name="menu" value="1"><select name="value" aria-label="{{.Label}}">{{range .Options}}<option value="{{.Value}}">{{.Label}}</option>{{end}}</select> {{end}}<button{{if .Disabled}} disabled{{end}}>{{.Label}}</button></form>{{end}}</div>{{end}}
{{define "shown"}}{{if .Picture}}<img src="{{.URL}}" alt="{{if .Description}}{{.Description}}{{else}}{{.Name}}, not described{{end}}">{{else}}<p><a href="{{.URL}}">{{.Name}}</a>{{with .Description}}: {{.}}{{end}}</p>{{end}}{{end}}
{{define "marked"}}{{range .}}{{if eq .Look "bold"}}<strong>{{template "marked" .Inside}}</strong>{{else if eq .Look "italic"}}<em>{{template "marked" .Inside}}</em>{{else if eq .Look "underline"}}<u>{{template "marked" .Inside}}</u>{{else if eq .Look "strike"}}<s>{{template "marked" .Inside}}</s>{{else if eq .Look "spoiler"}}<details class="spoiler"><summary>Spoiler</summary>{{template "marked" .Inside}}</details>{{else if eq .Look "code"}}<code>{{.Text}}</code>{{else if eq .Look "mention"}}<span class="mention">{{.Text}}</span>{{else if eq .Look "link"}}<a href="{{.Link}}" rel="noreferrer">{{template "marked" .Inside}}</a>{{else}}{{.Text}}{{end}}{{end}}{{end}}
`))
