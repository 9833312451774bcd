package sandbox

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // to look at what the bot keeps

	"rookery/internal/mydata"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// forgotten is a member who wants nothing of herself to stay.
func forgotten(s *stage) error {
	gwen := s.guest("gwen")
	const secret = "marmalade"
	var questions []*question
	var answers []fedisim.Post
	for _, text := range []string{"does " + secret + " keep as long as a clock?", "and how long is that?"} {
		q := s.post(gwen, "Gwen's question; she had the answer deleted", 1, "@elelem "+text)
		reply, err := s.answered(q)
		if err != nil {
			return err
		}
		s.checkOne(q, reply, "unlisted")
		questions, answers = append(questions, q), append(answers, reply)
	}
	list, err := s.command(gwen, "my data")
	if err != nil {
		return err
	}
	kept := words.Phrase{Key: words.CommonDays, Args: words.Args{"n": int64(mydata.KeepMentions / (24 * time.Hour))}}
	for _, line := range []string{words.English.Say(words.MyDataIntro, nil), words.English.Say(words.MyDataAnswers, words.Args{"n": 2, "kept": kept})} {
		s.check(strings.Contains(list.Text, line), "the list holds “"+line+"”", list.Text)
	}
	for _, what := range []string{gwen.Username, secret} {
		where, err := s.keeps(what)
		if err != nil {
			return err
		}
		s.check(where != "", "the bot's database holds “"+what+"” for now", "it does not, so that it cannot be seen to forget it")
	}

	deleted, err := s.command(gwen, "delete answers")
	if err != nil {
		return err
	}
	s.checkSays(deleted, gwen, words.MyDataAnswersDeleted, words.Args{"n": 2})
	if err := s.wait("both answers are gone from the server", func() bool { return s.standing(answers) == 0 },
		func() string { return counted(s.standing(answers), "answer stands", "answers stand") }); err != nil {
		return err
	}
	for _, q := range questions {
		q.want = 0
	}
	for _, a := range answers {
		sees, err := s.canRead(s.ada.Token, a.ID)
		if err != nil {
			return err
		}
		s.check(!sees, "Ada cannot read the deleted answer", "she can")
	}
	s.say("Both answers are gone from the server.")
	return forgetAndKill(s, gwen, secret)
}

// standing counts the posts that are there.
func (s *stage) standing(posts []fedisim.Post) int {
	n := 0
	for _, p := range posts {
		if _, ok := s.fedi.Post(p.ID); ok {
			n++
		}
	}
	return n
}

// forgetAndKill kills the bot when it has taken "forget me" in and not yet
// confirmed it, and looks at what the bot then keeps.
func forgetAndKill(s *stage, who *fedisim.Account, secret string) error {
	hold := s.fedi.Inject(fedisim.Hold().On("POST", postPath))
	defer hold.Release()
	ask := s.post(who, who.Name+"'s “forget me”; the bot was killed before it had confirmed", 1, "@elelem forget me", fedisim.As("direct"))
	if err := s.wait("the bot sends its confirmation", func() bool { return hold.Hits() == 1 }, func() string { return "none" }); err != nil {
		return err
	}
	if _, err := s.killAndRestart(); err != nil {
		return err
	}
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "direct")
	s.checkSays(reply, who, words.MyDataForgotten, nil)
	return s.nothingKept(who.Username, secret)
}

// nothingKept waits until the bot's database holds neither a member nor what
// they wrote.
func (s *stage) nothingKept(who, secret string) error {
	for _, what := range []string{who, secret} {
		var (
			where string
			err   error
		)
		if err := s.wait("nothing in the bot's database holds “"+what+"”", func() bool {
			where, err = s.keeps(what)
			return where == "" || err != nil
		}, func() string { return "it stands in " + where }); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	if len(s.failed) == 0 {
		s.say("The bot's database holds neither “%s” nor “%s” any more.", who, secret)
	}
	return nil
}

// keeps says in which column of which table the bot's database holds a text;
// "" if it does not. The bot may be at work on it: this only reads.
func (s *stage) keeps(text string) (where string, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	path := filepath.ToSlash(s.database())
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}).String())
	if err != nil {
		return "", fmt.Errorf("open the bot's database: %w", err)
	}
	defer db.Close()
	columns, err := columnsOf(ctx, db)
	if err != nil {
		return "", fmt.Errorf("look at the bot's database: %w", err)
	}
	for _, c := range columns {
		var n int
		query := fmt.Sprintf(`select count(*) from "%s" where instr(lower(cast("%s" as text)), lower($1)) > 0`, c.table, c.name) //nolint:gosec // names of the bot's own schema
		if err := db.QueryRowContext(ctx, query, text).Scan(&n); err != nil {
			return "", fmt.Errorf("look at the bot's database: %w", err)
		}
		if n > 0 {
			return c.table + "." + c.name, nil
		}
	}
	return "", nil
}

// column is one of a table.
type column struct{ table, name string }

// columnsOf lists all columns of all tables.
func columnsOf(ctx context.Context, db *sql.DB) ([]column, error) {
	rows, err := db.QueryContext(ctx, `select m.name, c.name from sqlite_schema m, pragma_table_info(m.name) c
		where m.type = 'table' and m.name not like 'sqlite\_%' escape '\' order by m.name, c.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.table, &c.name); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}
