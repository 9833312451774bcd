package persona

import (
	"fmt"
	"strings"
	"testing"

	"rookery/internal/community"
)

// talk is n posts of some 250 characters, which is what people write on
// average where 500 are allowed; the oldest first.
func talk(n int) (posts []community.Post) {
	words := strings.Fields("why does every compiler error come in threes and is there a reason that the third one is always " +
		"a missing bracket somebody should write a paper about it before the clockwork stops")
	for i := range n {
		var b strings.Builder
		for k := range 45 {
			fmt.Fprintf(&b, "%s ", words[(i*7+k*(1+i%5))%len(words)])
		}
		post := said([]community.Member{ada, ben, elelem}[i%3], fmt.Sprintf("@elelem@art.example %d: %s", i, b.String()))
		post.ID = community.PostID(fmt.Sprintf("p%d", i))
		posts = append(posts, post)
	}
	return posts
}

// BenchmarkPromptOf500Posts is the assembly alone, of posts that were read
// already: with the prompt's length as it is shipped, where most of the thread
// is left out, and with room for all of it.
func BenchmarkPromptOf500Posts(b *testing.B) {
	above, question := talk(500), community.Mention{Post: said(ada, "and what is the point of it?")}
	p := &Persona{Config: Config{Character: character}}
	for _, bench := range []struct {
		name  string
		limit int
		least int // of messages, to see that it is what it says
	}{{"trimmed", 24_000, 50}, {"whole", 2_000_000, 502}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c := p.prompt(setting{self: elelem}, question, above, 400, bench.limit)
				if len(c) < bench.least {
					b.Fatalf("the conversation has %d messages, not %d", len(c), bench.least)
				}
			}
		})
	}
}
