package sandbox

import (
	"fmt"
	"time"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// sixAtOnce has one member ask six times while the server keeps the first
// upload waiting, so that all six are there before any is answered.
func sixAtOnce(s *stage) error {
	hold := s.fedi.Inject(fedisim.Hold().On("POST", mediaPath).Always())
	defer s.fedi.ClearFaults()
	defer hold.Release()
	mira := s.guest("mira")
	var all []*question
	for i := range 6 {
		what, want := fmt.Sprintf("Mira's request %d of 6 at once", i+1), 1
		switch {
		case i == 3:
			what += ": the notice"
		case i > 3:
			what, want = what+": nothing more", 0
		}
		all = append(all, s.post(mira, what, want, "@elelem gif dancing"))
	}
	if err := s.takenIn(); err != nil {
		return err
	}
	s.say("All six are taken in. Nothing is answered yet: the server keeps the upload waiting.")
	other := s.post(s.ada, "Ada's request meanwhile", 1, "@elelem gif rings")
	hold.Release()
	if _, err := s.picture(other, "rings", "unlisted"); err != nil {
		return err
	}
	for i, q := range all[:3] {
		if err := s.later(21*time.Second, fmt.Sprintf("an answer to Mira's request %d", i+1),
			func() bool { return len(s.replies(q)) > 0 }, func() string { return "none" }); err != nil {
			return err
		}
		if _, err := s.picture(q, "dancing", "unlisted"); err != nil {
			return err
		}
	}
	if err := s.wait("a notice to Mira", func() bool { return len(s.replies(all[3])) > 0 }, func() string { return "none" }); err != nil {
		return err
	}
	notice := s.replies(all[3])[0]
	s.say("Elelem tells Mira: %s", notice.Text)
	s.checkOne(all[3], notice, "direct")
	s.checkSays(notice, mira, words.GIFsQueueFull, words.Args{"n": 3})
	if err := s.takenIn(); err != nil {
		return err
	}
	for _, q := range all[4:] {
		s.check(len(s.replies(q)) == 0, "one notice is enough", "another one")
	}
	return nil
}

// killedUploading kills the bot while the server has the file before it and
// has stored nothing.
func killedUploading(s *stage) error {
	hang := s.fedi.Inject(fedisim.Hang().On("POST", mediaPath))
	uploads := s.uploads()
	ask := s.post(s.guest("lena"), "Lena's request; the bot was killed in the middle of the upload", 1, "@elelem gif calm")
	if err := s.wait("the bot uploads a picture", func() bool { return hang.Hits() == 1 }, func() string { return "no upload" }); err != nil {
		return err
	}
	s.say("The server has the file before it, but has stored nothing yet.")
	return s.killedWith(ask, uploads)
}

// killedUploaded kills the bot when the server has the file and there is no
// reply: while it processes the file, if it does, or while the reply is sent.
func killedUploaded(s *stage) error {
	method, path, when := "POST", postPath, "The server has the file, and the reply before it, which it has not stored."
	if s.fedi.Profile() == fedisim.Mastodon {
		method, path, when = "GET", mediaPath+"/*", "The server has the file and works on it. The bot waits until that is done."
	}
	hold := s.fedi.Inject(fedisim.Hold().On(method, path))
	uploads := s.uploads()
	ask := s.post(s.ben, "Ben's request; the bot was killed between the upload and the reply", 1, "@elelem@"+domain+" gif calm")
	if err := s.wait("the bot uploads a picture and goes on", func() bool { return hold.Hits() == 1 && s.uploads() == uploads+1 },
		func() string { return counted(s.uploads()-uploads, "upload", "uploads") }); err != nil {
		return err
	}
	s.say("%s", when)
	return s.killedWith(ask, uploads)
}

// killedWith kills and restarts the bot, which has chosen a picture for a
// request, and expects a reply with that picture, and one upload in all.
func (s *stage) killedWith(ask *question, uploads int) error {
	files := s.board.Files()
	if len(files) == 0 {
		return &unmet{"a picture was fetched from the board", "none"}
	}
	chosen := files[len(files)-1].Image
	if _, err := s.killAndRestart(); err != nil {
		return err
	}
	p, err := s.picture(ask, "calm", "unlisted")
	if err != nil {
		return err
	}
	s.check(p.image.ID == chosen, "the picture that was chosen before the kill, "+s.page(chosen), s.page(p.image.ID))
	n := s.uploads() - uploads
	s.check(n == 1, "one upload", counted(n, "upload", "uploads"))
	if len(s.failed) == 0 {
		s.say("Four pictures fit the word; it is the one that was chosen before the kill, uploaded once.")
	}
	return nil
}

// boardDown is a board that does as Furbooru does with those who ask too much,
// and then worse. To ask it again too soon would begin its quarter of an hour
// anew, so that the bot has to wait.
func boardDown(s *stage) error {
	s.board.Inject(boorusim.Fault{Kind: boorusim.Challenge}, boorusim.Fault{Kind: boorusim.ServerError}, boorusim.Fault{Kind: boorusim.Garbage})
	defer s.board.ClearFaults()
	before := s.boardAsked()
	asked := func(n int) func() bool { return func() bool { return s.boardAsked()-before >= n } }
	seen := func() string { return "it was asked " + times(s.boardAsked()-before) }
	first := s.post(s.cleo, "Cleo's request while the board was down: a notice, then the picture", 2, "@elelem gif stars")
	if err := s.wait("the board is asked", asked(1), seen); err != nil {
		return err
	}
	s.say("The board answers with a page that wants a browser (501): too many requests, it thinks.")
	second := s.post(s.ben, "Ben's request while the board was down: a notice, then the picture", 2, "@elelem@"+domain+" gif clock")
	if err := s.takenIn(); err != nil {
		return err
	}
	if err := s.later(15*time.Second, "the board is asked again", asked(2), seen); err != nil {
		return err
	}
	s.say("Some seconds later it is asked again, and blocks the bot for a quarter of an hour (500, empty).")
	if err := s.later(17*time.Minute, "the board is asked again, after a quarter of an hour", asked(3), seen); err != nil {
		return err
	}
	s.say("A quarter of an hour later it is asked a third time, and answers with rubbish.")
	both := []struct {
		*question
		who *fedisim.Account
		tag string
	}{{first, s.cleo, "stars"}, {second, s.ben, "clock"}}
	for _, q := range both {
		if err := s.wait("a notice to "+q.who.Name, func() bool { return len(s.replies(q.question)) > 0 }, func() string { return "none" }); err != nil {
			return err
		}
		notice := s.replies(q.question)[0]
		s.say("Elelem tells %s: %s", q.who.Name, notice.Text)
		s.check(notice.Visibility == "direct", "the notice is direct", "it is "+notice.Visibility)
		s.checkSays(notice, q.who, words.GIFsLater, nil)
	}
	if err := s.later(2*time.Minute, "both are answered", func() bool { return len(s.replies(first)) > 1 && len(s.replies(second)) > 1 }, seen); err != nil {
		return err
	}
	s.say("The board is back.")
	for _, q := range both {
		reply := s.replies(q.question)[1]
		s.say("Elelem replies: %s", oneLine(reply.Text))
		if _, err := s.pictureIn(reply, q.tag); err != nil {
			return err
		}
		if err := s.finished(q.question); err != nil {
			return err
		}
		n := len(s.replies(q.question))
		s.check(n == 2, "one notice and one picture", counted(n, "reply", "replies"))
	}
	n := s.boardAsked() - before
	s.check(n == 5, "the board is asked five times in all: three times in vain, then once for each", "it was asked "+times(n))
	return nil
}

// picturesForgotten is a member who wants nothing of herself to stay, and has
// had a picture.
func picturesForgotten(s *stage) error {
	gwen := s.guest("gwen")
	const secret = "marmalade"
	ask := s.post(gwen, "Gwen's request; she had the answer deleted", 1, "@elelem gif "+secret)
	if _, err := s.picture(ask, secret, "unlisted"); err != nil {
		return err
	}
	answer := s.replies(ask)
	where, err := s.keeps(gwen.Username)
	if err != nil {
		return err
	}
	s.check(where != "", "the bot's database holds “"+gwen.Username+"” for now", "it does not, so that it cannot be seen to forget her")
	deleted, err := s.command(gwen, "delete answers")
	if err != nil {
		return err
	}
	s.checkSays(deleted, gwen, words.MyDataAnswersDeleted, words.Args{"n": 1})
	if err := s.wait("the reply with the picture is gone from the server", func() bool { return s.standing(answer) == 0 },
		func() string { return "it stands" }); err != nil {
		return err
	}
	ask.want = 0
	sees, err := s.canRead(s.ada.Token, answer[0].ID)
	if err != nil {
		return err
	}
	s.check(!sees, "Ada cannot read the deleted reply", "she can")
	s.say("The reply and its picture are gone from the server.")
	forgotten, err := s.command(gwen, "forget me")
	if err != nil {
		return err
	}
	s.checkSays(forgotten, gwen, words.MyDataForgotten, nil)
	return s.nothingKept(gwen.Username, secret)
}
