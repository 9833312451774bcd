package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"rookery/internal/sim/discordsim"
)

// person is somebody as whom one can look through a window.
type person struct {
	id          string
	Short, Name string
	Note        string // what is said of them; "" for nothing
}

// people are all as whom one can look, the usual one first.
func (win *window) people() []person {
	return []person{
		{win.guild.ada, "ada", "Ada", ""},
		{win.guild.ben, "ben", "Ben", ""},
		{win.guild.olga, "olga", "Olga", "who manages and moderates the server"},
	}
}

// seenPage is what a window shows.
type seenPage struct {
	As         person
	People     []person
	Again      int64 // another number each time: a link to the page as it is would not load it
	Unanswered bool  // what was just done has no answer
	Thinking   bool  // the bot is still at something
	Modal      *discordsim.Modal
	Threads    []seenThread
	Direct     seenPrivate // what stands in none of the threads
	Files      []int       // the numbers of the form's files after the first
}

type seenThread struct {
	ID, Name string
	Messages []seenMessage
	Private  seenPrivate
	Silent   bool // the bot has no message there
}

// seenPrivate is what only the viewer sees of a place, the newest first.
type seenPrivate struct {
	Latest  []seenMessage // one at most
	Earlier []seenMessage
}

type seenMessage struct {
	ID       string
	Author   string
	Text     []span
	Boxes    [][]span
	Files    []seenFile
	Controls []discordsim.Control
}

type seenFile struct {
	discordsim.Attachment
	Picture bool
}

// page is what the viewer sees now, the newest thread first.
func (win *window) page(r *http.Request) seenPage {
	who := win.viewer(r)
	view := win.world.discord.View(who.id)
	p := seenPage{As: who, People: win.people(), Again: win.looked.Add(1), Modal: view.Modal, Unanswered: r.FormValue("unanswered") != "", Thinking: len(view.Thinking) > 0}
	for n := 2; n <= fileFields; n++ {
		p.Files = append(p.Files, n)
	}
	names := win.names(view)
	private := map[string][]discordsim.Message{} // by channel
	for _, m := range view.Private {
		private[m.Channel] = append(private[m.Channel], m)
	}
	for _, c := range view.Channels {
		if c.Kind != discordsim.PublicThread {
			continue
		}
		t := seenThread{ID: c.ID, Name: c.Name, Private: newestFirst(private[c.ID], names), Silent: true}
		for _, m := range c.Messages {
			t.Messages = append(t.Messages, seenAs(m, names))
			t.Silent = t.Silent && m.Author != win.world.discord.AppID()
		}
		p.Threads = append(p.Threads, t)
		delete(private, c.ID)
	}
	slices.Reverse(p.Threads)
	direct := view.Direct
	for _, elsewhere := range private {
		direct = append(direct, elsewhere...)
	}
	p.Direct = newestFirst(direct, names)
	return p
}

// names are how users and channels are called, by id.
func (win *window) names(view discordsim.View) map[string]string {
	all := map[string]string{win.guild.cleo: "Cleo", win.world.discord.AppID(): "Elelem, the bot"}
	for _, p := range win.people() {
		all[p.id] = p.Name
	}
	for _, c := range view.Channels {
		all[c.ID] = c.Name
	}
	return all
}

// newestFirst is what only the viewer sees of a place. A message that the bot
// has changed is as new as the change.
func newestFirst(list []discordsim.Message, names map[string]string) seenPrivate {
	at := func(m discordsim.Message) time.Time {
		if m.Edited.After(m.At) {
			return m.Edited
		}
		return m.At
	}
	sorted := slices.SortedStableFunc(slices.Values(list), func(a, b discordsim.Message) int {
		return cmp.Or(at(b).Compare(at(a)), cmp.Compare(b.ID, a.ID))
	})
	var p seenPrivate
	for i, m := range sorted {
		if i == 0 {
			p.Latest = append(p.Latest, seenAs(m, names))
			continue
		}
		p.Earlier = append(p.Earlier, seenAs(m, names))
	}
	return p
}

// seenAs is a message as it is drawn.
func seenAs(m discordsim.Message, names map[string]string) seenMessage {
	s := seenMessage{ID: m.ID, Author: names[m.Author], Text: marks(m.Content, names)}
	for _, f := range m.Attachments {
		s.Files = append(s.Files, seenFile{f, strings.HasPrefix(f.ContentType, "image/")})
	}
	for _, e := range m.Embeds {
		if text, _ := e["description"].(string); text != "" {
			s.Boxes = append(s.Boxes, marks(text, names))
		}
	}
	s.Controls = slices.DeleteFunc(m.Controls(), func(c discordsim.Control) bool { return c.ID == "" })
	return s
}
