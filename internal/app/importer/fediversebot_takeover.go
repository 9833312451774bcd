package importer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rookery/internal/words"
)

// TakeoverPosts says for which account the bot's posts are taken over, and by
// whom.
type TakeoverPosts struct {
	Account string // its name in the configuration
	// Adopt records a post, so that its author finds and deletes it here. It
	// tells whether the post is new to it; the same one again is none.
	Adopt    func(ctx context.Context, p OldPost) (new bool, err error)
	Out      io.Writer
	Language words.Language
}

// TakenPosts is how much a take-over found.
type TakenPosts struct {
	New        int // posts that were recorded
	Known      int // posts that had been recorded before
	Unfinished int // threads where nothing was posted
	Odd        int // rows that make no sense
}

// TakeOver gives every post of the bot's database to Adopt, and tells what
// became of each row. Doing it again changes nothing, also after an error.
func (b *FediverseBot) TakeOver(ctx context.Context, t TakeoverPosts) (TakenPosts, error) {
	taken := TakenPosts{Unfinished: b.posts.unfinished, Odd: len(b.posts.odd)}
	if !b.HasPosts() {
		return taken, errors.New("the bot's database was not among the files: give it too, db.sqlite in the bot's data directory")
	}
	for _, p := range b.posts.posts {
		if err := ctx.Err(); err != nil {
			return taken, err
		}
		isNew, err := t.Adopt(ctx, p)
		if err != nil {
			return taken, fmt.Errorf("take over the post %s, after %d others, which stay: run this again: %w", p.Post, taken.New+taken.Known, err)
		}
		if isNew {
			taken.New++
		} else {
			taken.Known++
		}
	}
	t.tell(b, taken)
	return taken, nil
}

func (t TakeoverPosts) tell(b *FediverseBot, taken TakenPosts) {
	if t.Out == nil {
		return
	}
	say := func(k words.Key, a words.Args) { fmt.Fprintln(t.Out, t.Language.Say(k, a)) }
	switch {
	case taken.New > 0:
		say(words.ImportFediversebotPosts, words.Args{"n": taken.New, "account": t.Account})
	case taken.Known > 0:
		say(words.ImportFediversebotAgain, words.Args{"account": t.Account})
	default:
		say(words.ImportFediversebotNothing, words.Args{"file": b.database})
	}
	if taken.Unfinished > 0 {
		say(words.ImportFediversebotUnfinished, words.Args{"n": taken.Unfinished})
	}
	const most = 20
	for i, o := range b.posts.odd {
		if i == most {
			say(words.ImportFediversebotOddMore, words.Args{"n": len(b.posts.odd) - most})
			break
		}
		say(o.why, o.args)
	}
	say(words.ImportFediversebotRun, nil)
}
