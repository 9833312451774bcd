package sandbox

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rookery/internal/sim/fedisim"
)

const (
	lineWidth = 96 // that text is wrapped to
	indent    = 4  // of each reply
	deepest   = 8  // replies below are not indented further
)

// member is how an account is shown.
type member struct {
	name, acct string
	bot        bool
}

func (m member) String() string {
	s := "@" + m.acct
	if m.name != "" {
		s = m.name + " (" + s + ")"
	}
	if m.bot {
		s += ", a bot"
	}
	return s
}

// printTimeline prints posts as threads: each reply stands below what it
// answers, indented. who maps account ids to members.
func printTimeline(w io.Writer, posts []fedisim.Post, who map[string]member) {
	known := map[string]bool{}
	for _, p := range posts {
		known[p.ID] = true
	}
	below := map[string][]fedisim.Post{}
	for _, p := range posts {
		parent := p.InReplyTo
		if !known[parent] {
			parent = ""
		}
		below[parent] = append(below[parent], p)
	}
	// A thread may be of any length, so this keeps its own stack.
	type entry struct {
		post  fedisim.Post
		depth int
	}
	var stack []entry
	push := func(parent string, depth int) {
		children := below[parent]
		for i := len(children) - 1; i >= 0; i-- {
			stack = append(stack, entry{children[i], depth})
		}
	}
	push("", 0)
	for first := true; len(stack) > 0; first = false {
		e := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if e.depth == 0 && !first {
			fmt.Fprintln(w)
		}
		printPost(w, e.post, who, e.depth)
		push(e.post.ID, e.depth+1)
	}
}

// printPost prints one post: who, who can see it, and what it says.
func printPost(w io.Writer, p fedisim.Post, who map[string]member, depth int) {
	margin := strings.Repeat(" ", indent*min(depth, deepest))
	author, ok := who[p.AccountID]
	if !ok {
		author = member{acct: p.Acct}
	}
	head := author.String()
	switch {
	case p.BoostOf != "":
		fmt.Fprintf(w, "%s%s shared a post\n", margin, printable(head))
		return
	case p.InReplyTo != "":
		head += ", in reply"
	}
	fmt.Fprintf(w, "%s%s · %s\n", margin, printable(head), printable(audience(p.Visibility)))
	margin += "  "
	if p.Deleted {
		fmt.Fprintf(w, "%s(deleted)\n", margin)
		return
	}
	if p.CW != "" {
		printWrapped(w, margin, "[content warning: "+p.CW+"]")
	}
	for line := range strings.Lines(p.Text) {
		printWrapped(w, margin, line)
	}
	if n := len(p.MediaIDs) - len(p.Media); n > 0 {
		fmt.Fprintf(w, "%s[%d attached]\n", margin, n)
	}
	for _, m := range p.Media {
		printWrapped(w, margin, "[picture: "+pictureInWords(m)+"]")
	}
}

// pictureInWords is what a file is, and its alt text.
func pictureInWords(m fedisim.Media) string {
	var parts []string
	if _, kind, ok := strings.Cut(m.Type, "/"); ok {
		parts = append(parts, strings.ToUpper(kind))
	}
	if m.Width > 0 {
		parts = append(parts, fmt.Sprintf("%d x %d", m.Width, m.Height))
	}
	if m.Size > 0 {
		parts = append(parts, fmt.Sprintf("%d kB", (m.Size+999)/1000))
	}
	if m.Description == "" {
		parts = append(parts, "without alt text")
	} else {
		parts = append(parts, "alt text “"+m.Description+"”")
	}
	return strings.Join(parts, ", ")
}

// audience is a visibility in words.
func audience(visibility string) string {
	switch visibility {
	case "public":
		return "public: everyone, in the public timelines"
	case "unlisted":
		return "unlisted: everyone, but in no public timeline"
	case "private":
		return "followers only"
	case "direct":
		return "direct: only who is mentioned"
	}
	return visibility
}

// printWrapped prints a text in lines that are not longer than lineWidth,
// unless a word is. It has none of the signs that could steer a terminal.
func printWrapped(w io.Writer, margin, text string) {
	width := max(lineWidth-len(margin), 30)
	line, length := "", 0
	for _, word := range strings.Fields(printable(text)) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			fmt.Fprintf(w, "%s%s\n", margin, line)
			line, length = "", 0
		}
		if length > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	if length > 0 {
		fmt.Fprintf(w, "%s%s\n", margin, line)
	}
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// printOutcomes prints the table of steps, and below each that did not hold
// what was expected and what was seen.
func printOutcomes(w io.Writer, all []outcome) {
	for i, o := range all {
		mark := map[state]string{held: "✓", broken: "✗", notPlayed: "-"}[o.state]
		fmt.Fprintf(w, "  %2d  %s %-12s %6s  %s\n", i+1, mark, o.state, seconds(o.took), o.title)
		for _, u := range o.unmet {
			printLabelled(w, "expected:", u.expected)
			printLabelled(w, "seen:", u.seen)
		}
	}
}

// printLabelled prints a text of one or more lines beside its label.
func printLabelled(w io.Writer, label, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "        %-10s%s\n", label, printable(strings.TrimRight(line, "\r\n")))
		label = ""
	}
}

// printCounts prints how many replies each mention of the bot got.
func printCounts(w io.Writer, rows []count) {
	fmt.Fprintf(w, "  %-8s %-8s  %s\n", "expected", "replies", "mention")
	for _, r := range rows {
		fmt.Fprintf(w, "  %-8d %-8d  %s\n", r.want, r.got, r.what)
	}
}

func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
