package sandbox

import (
	"fmt"
	"strings"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// nsfwOff asks an account for what its operator has not allowed.
func nsfwOff(s *stage) error {
	searches := s.boardAsked()
	finn := s.guest("finn")
	ask := s.post(finn, "Finn's request for NSFW, which is off", 1, "@elelem gif nsfw moonlight")
	if err := s.plainly(ask, finn, "unlisted", words.GIFsNSFWOff, nil); err != nil {
		return err
	}
	n := s.boardAsked() - searches
	s.check(n == 0, "no board is asked", times(n))
	return nil
}

func nsfwDirectly(s *stage) error {
	s.say("Olga writes nsfw = true for this account, and restarts the bot.")
	if err := s.restart(showing(true)); err != nil {
		return err
	}
	ask := s.post(s.ada, "Ada's direct request for NSFW", 1, "@elelem gif nsfw moonlight", fedisim.As("direct"))
	p, err := s.picture(ask, "moonlight", "direct")
	if err != nil {
		return err
	}
	reply := s.replies(ask)[0]
	s.check(reply.Sensitive && reply.CW == "NSFW", "the reply is marked sensitive, behind the content warning “NSFW”",
		fmt.Sprintf("sensitive: %v, warning: “%s”", reply.Sensitive, reply.CW))
	s.check(p.image.Rating != boorusim.Safe, "a picture that is tagged as not safe", string(p.image.Rating))
	sees, err := s.canRead(s.cleo.Token, reply.ID)
	if err != nil {
		return err
	}
	s.check(!sees, "Cleo cannot read the answer", "she can")
	if len(s.failed) == 0 {
		s.say("The picture is tagged “%s”. Cleo, on the same server, is told that there is no such post.", p.image.Rating)
	}
	return nil
}

// asOrders has members write what means something in the board's own language.
// NSFW is on, and the board's filter hides nothing: only the bot can be careful.
func asOrders(s *stage) error {
	before := len(s.fedi.Uploads())
	for i, text := range []string{`"explicit || moonlight"`, `safe OR explicit`, `moonlight, -safe, rating:explicit, score.gt:0, *`} {
		who := s.guest([]string{"mallory", "trudy", "sybil"}[i])
		mark := s.boardAsked()
		ask := s.post(who, who.Name+"'s attempt to get past “safe”", 1, "@elelem gif "+text)
		reply, err := s.answered(ask)
		if err != nil {
			return err
		}
		s.checkOne(ask, reply, "unlisted")
		asked := s.board.Searches()[mark:]
		s.check(len(asked) > 0, "the board is asked", "it was not")
		for _, r := range asked {
			s.say("The board was asked for: %s", r.Search)
			s.check(r.Err == "", "a search that the board understands", r.Err)
			for _, id := range r.Given {
				im, _ := s.board.Image(id)
				s.check(im.Rating == boorusim.Safe, "the board finds nothing that is not safe", "it found picture "+s.page(id)+", tagged "+string(im.Rating))
			}
		}
		s.checkSafe(reply)
	}
	n := len(s.fedi.Uploads()) - before
	s.check(n == 0, "no picture fits these words, and none is uploaded", counted(n, "upload", "uploads"))
	if len(s.failed) == 0 {
		s.say("Each time “safe” had to hold, and the rest was looked for as the names of tags, which no picture has.")
	}
	return nil
}

// checkSafe checks that a reply shows nothing that is not safe.
func (s *stage) checkSafe(reply fedisim.Post) {
	if im, ok := s.linked(reply.Text); ok {
		s.check(im.Rating == boorusim.Safe, "a safe picture, or none", "one that is tagged "+string(im.Rating))
	} else {
		s.check(len(reply.Media) == 0, "no picture without a link to it", counted(len(reply.Media), "picture", "pictures"))
	}
	s.check(reply.CW == "" && !reply.Sensitive, "nothing that needs a warning", "the warning “"+reply.CW+"”")
}

func blocked(s *stage) error {
	const tag = "clowns"
	searches := s.boardAsked()
	ida := s.guest("ida")
	ask := s.post(ida, "Ida's request for what is blocked", 1, "@elelem gif "+tag)
	if err := s.plainly(ask, ida, "unlisted", words.GIFsBlocked, words.Args{"tag": tag}); err != nil {
		return err
	}
	n := s.boardAsked() - searches
	s.check(n == 0, "no board is asked", times(n))

	// Of the two that can be found one is blocked: it never comes, however
	// often somebody asks.
	jon, kim := s.guest("jon"), s.guest("kim")
	first := s.post(jon, "Jon's request, which a blocked picture fits too", 1, "@elelem gif juggling")
	p, err := s.picture(first, "juggling", "unlisted")
	if err != nil {
		return err
	}
	s.check(!strings.Contains(p.Description, tag), "the other picture", p.Description)
	again := s.post(kim, "Kim's request, which only the blocked picture fits now", 1, "@elelem gif juggling")
	reply, err := s.answered(again)
	if err != nil {
		return err
	}
	s.checkOne(again, reply, "unlisted")
	s.check(len(reply.Media) == 0, "no picture: one is blocked, and the other was shown just now", counted(len(reply.Media), "picture", "pictures"))
	return nil
}
