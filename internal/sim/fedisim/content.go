package fedisim

import (
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A post's text is cut into words that become links and the text between them.
var linked = regexp.MustCompile(`https?://[^\s<>"]+|(?:^|[^\w/@])@\w(?:[\w.-]*\w)?(?:@[\w-]+(?:\.[\w-]+)*(?::\d+)?)?|(?:^|[^\w/&#])#\w+`)

type piece struct {
	kind    byte // 't' text, 'm' mention, 'u' URL, 'h' hashtag
	text    string
	account *Account
}

// cut finds the links of a text. Handles that resolve to nobody stay text.
func (s *Server) cut(text string, author *Account) []piece {
	var out []piece
	add := func(kind byte, t string, a *Account) {
		if kind == 't' && t == "" {
			return
		}
		if n := len(out); kind == 't' && n > 0 && out[n-1].kind == 't' {
			out[n-1].text += t
			return
		}
		out = append(out, piece{kind, t, a})
	}
	last := 0
	for _, m := range linked.FindAllStringIndex(text, -1) {
		from, to := m[0], m[1]
		word := text[from:to]
		if strings.HasPrefix(word, "http") {
			trimmed := strings.TrimRight(word, ".,;:!?)")
			add('t', text[last:from], nil)
			add('u', trimmed, nil)
			last = from + len(trimmed)
			continue
		}
		if word[0] != '@' && word[0] != '#' { // the character before it
			_, size := utf8.DecodeRuneInString(word)
			from += size
			word = text[from:to]
		}
		add('t', text[last:from], nil)
		last = to
		if word[0] == '#' {
			add('h', word, nil)
		} else if a := s.resolve(word[1:], author); a != nil {
			add('m', word, a)
		} else {
			add('t', word, nil)
		}
	}
	add('t', text[last:], nil)
	return out
}

// resolve finds who a handle means when an author writes it.
func (s *Server) resolve(handle string, author *Account) *Account {
	name, host, _ := strings.Cut(strings.ToLower(handle), "@")
	if host == "" && author.remote {
		if a := s.byAcct[name+"@"+author.Host]; a != nil {
			return a
		}
	}
	if host == "" || host == s.domain || host == s.listen {
		return s.byAcct[name]
	}
	return s.byAcct[name+"@"+host]
}

// markup is the HTML that a server of some software makes of a post.
func markup(software Profile, pieces []piece, base string) string {
	var b strings.Builder
	switch software {
	case Akkoma, Snac:
	default:
		b.WriteString("<p>")
	}
	for _, p := range pieces {
		switch p.kind {
		case 'm':
			b.WriteString(mentionHTML(software, p.account))
		case 'u':
			b.WriteString(linkHTML(software, p.text))
		case 'h':
			b.WriteString(tagHTML(software, p.text[1:], base))
		default:
			b.WriteString(textHTML(software, p.text))
		}
	}
	switch software {
	case Akkoma:
	case Snac:
		b.WriteString("<br>") // every line ends with one
	default:
		b.WriteString("</p>")
	}
	return b.String()
}

func textHTML(software Profile, t string) string {
	t = strings.ReplaceAll(t, "\r\n", "\n")
	switch software {
	case GoToSocial: // &, " and > stay as they are
		t = strings.ReplaceAll(t, "<", "&lt;")
		return strings.ReplaceAll(strings.ReplaceAll(t, "\n\n", "</p><p>"), "\n", "<br>")
	case Akkoma:
		return strings.ReplaceAll(html.EscapeString(t), "\n", "<br>")
	case Snac:
		return strings.ReplaceAll(html.EscapeString(t), "\n", "<br>")
	case Sharkey:
		return "<span>" + strings.ReplaceAll(html.EscapeString(t), "\n", "<br>") + "</span>"
	default:
		t = strings.NewReplacer(`&`, "&amp;", `<`, "&lt;", `>`, "&gt;", `"`, "&quot;", `'`, "&#39;").Replace(t)
		return strings.ReplaceAll(strings.ReplaceAll(t, "\n\n", "</p><p>"), "\n", "<br />")
	}
}

func mentionHTML(software Profile, a *Account) string {
	url, name := html.EscapeString(a.URL), html.EscapeString(a.Username)
	switch software {
	case GoToSocial:
		return `<span class="h-card"><a href="` + url + `" class="u-url mention" rel="nofollow noreferrer noopener" target="_blank">@<span>` + name + `</span></a></span>`
	case Akkoma:
		return `<span class="h-card"><a class="u-url mention" data-user="` + a.ID + `" href="` + url + `" rel="ugc">@<span>` + name + `</span></a></span>`
	case Snac:
		return `<a href="` + url + `" class="u-url mention">@` + name + `</a>`
	case Sharkey: // the whole handle
		return `<a href="` + url + `" class="u-url mention">@` + html.EscapeString(a.Handle()) + `</a>`
	default:
		return `<span class="h-card" translate="no"><a href="` + url + `" class="u-url mention">@<span>` + name + `</span></a></span>`
	}
}

// linkHTML shows how Mastodon hides the scheme and the tail of an address.
func linkHTML(software Profile, url string) string {
	e := html.EscapeString(url)
	switch software {
	case Mastodon:
		scheme := "https://"
		if !strings.HasPrefix(url, scheme) {
			scheme = "http://"
		}
		rest := url[len(scheme):]
		if w, ok := strings.CutPrefix(rest, "www."); ok {
			scheme, rest = scheme+"www.", w
		}
		shown, hidden, class := rest, "", ""
		if len(rest) > 30 {
			cut := 30
			for !utf8.RuneStart(rest[cut]) {
				cut--
			}
			shown, hidden, class = rest[:cut], rest[cut:], "ellipsis"
		}
		return `<a href="` + e + `" target="_blank" rel="nofollow noopener" translate="no"><span class="invisible">` + scheme +
			`</span><span class="` + class + `">` + html.EscapeString(shown) + `</span><span class="invisible">` + html.EscapeString(hidden) + `</span></a>`
	case Akkoma:
		return `<a href="` + e + `" rel="ugc">` + e + `</a>`
	case Snac:
		return `<a href="` + e + `" target="_blank">` + e + `</a>`
	default:
		return `<a href="` + e + `" rel="nofollow noreferrer noopener" target="_blank">` + e + `</a>`
	}
}

func tagHTML(software Profile, tag, base string) string {
	switch software {
	case Akkoma:
		return `<a class="hashtag" data-tag="` + strings.ToLower(tag) + `" href="` + base + `/tag/` + strings.ToLower(tag) + `">#` + tag + `</a>`
	case Snac:
		return `<a href="` + base + `?t=` + strings.ToLower(tag) + `" class="mention hashtag" rel="tag">#` + tag + `</a>`
	default:
		return `<a href="` + base + `/tags/` + tag + `" class="mention hashtag" rel="tag">#<span>` + tag + `</span></a>`
	}
}
