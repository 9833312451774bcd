package persona

import (
	"fmt"
	"slices"
	"strings"

	"rookery/internal/community"
	"rookery/internal/llm"
)

// notShared stands for a post that its author did not write for everyone to
// read, or does not want a model to read: the model is told that something was
// said, not what, nor by whom.
const notShared = "[not shared]"

// optOuts are the hashtags in a profile that keep its owner out of here.
var optOuts = []string{"nobot", "noai", "nollm"}

// setting is what is known around a question besides the thread itself.
type setting struct {
	self    community.Member
	how     manner
	called  func(community.Member) string // what each author is called; nil: "@" and the handle
	pages   map[string]page               // by the address that links to them
	stopped map[string]bool               // handles, in small letters, of who has told us to stop
}

// mayShare tells whether the model may see what somebody else said: it is
// public, or the asker's own, and its author has not opted out.
func (s setting) mayShare(post community.Post, asker community.Member) bool {
	if post.Author.ID == asker.ID {
		return true
	}
	return post.Visibility.Open() && !post.Author.OptsOut(optOuts...) && !s.stopped[strings.ToLower(post.Author.Handle)]
}

// turn is one post as the model sees it.
func (s setting) turn(m community.Mention, post community.Post) llm.Message {
	ours := post.Author.ID == s.self.ID
	switch {
	case ours && (post.Visibility.Open() || addresses(post, m.Post.Author)):
		return llm.Message{Role: llm.Assistant, Text: unfenced(withoutLeadingMentions(post.Text))}
	case ours:
		// What we told somebody else in private may repeat their own words.
		return llm.Message{Role: llm.Assistant, Text: notShared}
	case !s.mayShare(post, m.Post.Author):
		return llm.Message{Role: llm.User, Text: setting{}.fence(community.Post{Author: community.Member{Handle: "someone"}}, notShared)}
	}
	return llm.Message{Role: llm.User, Text: s.fence(post, s.content(post, briefPage))}
}

// addresses tells whether a post was written to a member. snac makes up the
// ids of those who are mentioned, so the handle counts as well.
func addresses(post community.Post, member community.Member) bool {
	return post.ParentBy == member.ID || slices.ContainsFunc(post.Mentions, func(to community.Member) bool {
		return to.ID == member.ID || strings.EqualFold(to.Handle, member.Handle)
	})
}

const (
	maxMedia       = 16    // of one post that are told of
	maxDescription = 1_500 // characters of one medium's description
	maxTitle       = 200   // characters of one page's title
	wholePage      = 1_500 // characters of the text of a page that the question links to
	briefPage      = 300   // the same for the posts above it
)

// content is what a post says: its text, what its media show, and what it
// links to, as far as that could be read. The media and pages are the post's
// own words to the model: data, inside its fence.
func (s setting) content(post community.Post, pageChars int) string {
	var b strings.Builder
	b.WriteString(post.Text)
	for i, m := range post.Media {
		if i == maxMedia {
			fmt.Fprintf(&b, "\n[%d more]", len(post.Media)-maxMedia)
			break
		}
		kind := m.Kind
		switch kind {
		case "image", "video", "audio":
		case "gifv":
			kind = "animation"
		default:
			kind = "attachment"
		}
		if m.Description == "" {
			fmt.Fprintf(&b, "\n[%s without a description]", kind)
			continue
		}
		fmt.Fprintf(&b, "\n[%s: %s]", kind, cut(m.Description, maxDescription))
	}
	for _, address := range post.Links {
		p, ok := s.pages[address]
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "\n[link to a page: %s]", cut(p.title, maxTitle))
		if p.text != "" && pageChars > 0 {
			fmt.Fprintf(&b, "\n[it begins: %s]", cut(p.text, pageChars))
		}
	}
	return b.String()
}
