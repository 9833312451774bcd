package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"rookery/internal/words"
)

// submissions is FediverseBot's only table, columns its columns.
const submissions = "fedi_submissions"

func columns() []string { return []string{"thread_id", "author_id", "ack_message_id", "submission_id"} }

// The most that is read of a database: a row has about a hundred bytes.
const (
	maxDatabase = 256 << 20
	maxRows     = 1_000_000
)

const (
	botFiles     = "give the bot's database, db.sqlite in its data directory, or its INI file"
	sqliteMagic  = "SQLite format 3\x00"
	readingTakes = time.Minute // at most
)

// OldPost is what FediverseBot has posted. Ack and Thread may be empty.
type OldPost struct {
	Thread string // id on Discord of the thread it came from
	Author string // id on Discord of whose it is
	Ack    string // id on Discord of the bot's message in the thread that names the post
	Post   string // id on the Fediverse, as its server has it
}

// botPosts are the rows of a database.
type botPosts struct {
	posts      []OldPost
	unfinished int   // rows of threads where nothing was posted
	odd        []odd // what was not taken
}

// odd is a row that was not taken, and why.
type odd struct {
	why  words.Key
	args words.Args
}

// readSubmissions reads FediverseBot's database. The bot's own folder is left
// as it is: a copy is opened, together with what the database has not taken in
// yet (its WAL or journal), for SQLite writes beside a database even to read it.
func readSubmissions(path string) (b botPosts, err error) {
	dir, err := os.MkdirTemp("", "rookery-import-*") // for its owner alone
	if err != nil {
		return b, fmt.Errorf("copy the database: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := copyDatabase(path, dir); err != nil {
		return b, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readingTakes)
	defer cancel()
	at := filepath.ToSlash(filepath.Join(dir, "db"))
	if !strings.HasPrefix(at, "/") {
		at = "/" + at // C:\ on Windows
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: at}).String())
	if err != nil {
		return b, fmt.Errorf("open a copy of %s: %w", path, err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows, err := rowsOf(ctx, db, path)
	if err != nil {
		return b, err
	}
	b.sort(rows)
	return b, nil
}

// copyDatabase copies a database and its log. If somebody writes meanwhile, it
// begins again.
func copyDatabase(path, dir string) error {
	suffixes := []string{"", "-wal", "-journal"}
	state := func() (all []string, size int64, err error) {
		for _, s := range suffixes {
			st, err := os.Stat(path + s)
			if errors.Is(err, fs.ErrNotExist) && s != "" {
				all = append(all, "none")
				continue
			}
			if err != nil {
				return nil, 0, err
			}
			all = append(all, fmt.Sprint(st.Size(), " ", st.ModTime().UnixNano()))
			size += st.Size()
		}
		return all, size, nil
	}
	const tries = 5
	for range tries {
		before, size, err := state()
		if err != nil {
			return fmt.Errorf("read what the bot has left: %w", err)
		}
		if size > maxDatabase {
			return fmt.Errorf("%s is larger than %d MiB: %s", path, maxDatabase>>20, botFiles)
		}
		for i, s := range suffixes {
			if err := os.Remove(filepath.Join(dir, "db"+s)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("copy the database: %w", err)
			}
			if before[i] == "none" {
				continue
			}
			if err := copyFile(path+s, filepath.Join(dir, "db"+s)); err != nil && (s == "" || !errors.Is(err, fs.ErrNotExist)) {
				return fmt.Errorf("copy the database: %w", err)
			}
		}
		after, _, err := state()
		if err == nil && slices.Equal(before, after) {
			return nil
		}
	}
	return fmt.Errorf("%s is being written to: stop the bot, then run this again", path)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxDatabase))
	return errors.Join(err, out.Close())
}

// selectSubmissions reads every value as text. A number with a fraction has
// lost digits of the id.
const selectSubmissions = `select
	case typeof(thread_id) when 'null' then '' when 'real' then '?' else cast(thread_id as text) end,
	case typeof(author_id) when 'null' then '' when 'real' then '?' else cast(author_id as text) end,
	case typeof(ack_message_id) when 'null' then '' when 'real' then '?' else cast(ack_message_id as text) end,
	case typeof(submission_id) when 'null' then '' when 'real' then '?' else cast(submission_id as text) end
from fedi_submissions`

// rowsOf reads the table, every value as text. Python wrote texts, but a value
// that is a whole number is as good.
func rowsOf(ctx context.Context, db *sql.DB, path string) (all [][]string, err error) {
	broken := func(err error) error {
		return fmt.Errorf("%s cannot be read as a database (%w): copy it again while the bot is stopped, together with the file %s-wal if there is one", path, err, filepath.Base(path))
	}
	var fault string
	if err := db.QueryRowContext(ctx, `pragma quick_check(1)`).Scan(&fault); err != nil {
		return nil, broken(err)
	} else if fault != "ok" {
		return nil, broken(errors.New(fault))
	}
	var has int
	if err := db.QueryRowContext(ctx, `select count(*) from pragma_table_info($1)`, submissions).Scan(&has); err != nil {
		return nil, broken(err)
	} else if has == 0 {
		return nil, fmt.Errorf("%s has no table %s, so it is not the bot's database: %s", path, submissions, botFiles)
	}
	for _, c := range columns() {
		var n int
		if err := db.QueryRowContext(ctx, `select count(*) from pragma_table_info($1) where lower(name) = $2`, submissions, c).Scan(&n); err != nil {
			return nil, broken(err)
		} else if n == 0 {
			return nil, fmt.Errorf("the table %s in %s has no column %s, so it is not the bot's, or of a version that is not known here", submissions, path, c)
		}
	}
	rows, err := db.QueryContext(ctx, selectSubmissions)
	if err != nil {
		return nil, broken(err)
	}
	defer rows.Close()
	for rows.Next() {
		if len(all) == maxRows {
			return nil, fmt.Errorf("%s has more than %d rows: %s", path, maxRows, botFiles)
		}
		row := make([]string, len(columns()))
		if err := rows.Scan(&row[0], &row[1], &row[2], &row[3]); err != nil {
			return nil, broken(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		return nil, broken(err)
	}
	return all, nil
}

// sort tells the rows of posts from those of threads where none was made, and
// from those that make no sense.
func (b *botPosts) sort(rows [][]string) {
	at := map[string]int{} // places in b.posts by the post
	claimed := map[string]bool{}
	for i, row := range rows {
		bad := false
		for n, v := range row {
			row[n] = bare(v)
			if row[n] != "" && !validID(row[n], n == 3) {
				bad = true
				b.odd = append(b.odd, odd{words.ImportFediversebotOddID, words.Args{"row": i + 1, "column": columns()[n]}})
			}
		}
		p := OldPost{Thread: row[0], Author: row[1], Ack: row[2], Post: row[3]}
		switch {
		case bad:
		case p.Post == "":
			b.unfinished++
		case p.Author == "":
			b.odd = append(b.odd, odd{words.ImportFediversebotOddAuthor, words.Args{"row": i + 1, "post": p.Post}})
		default:
			n, again := at[p.Post]
			switch {
			case !again:
				at[p.Post] = len(b.posts)
				b.posts = append(b.posts, p)
			case b.posts[n].Author != p.Author:
				claimed[p.Post] = true
				b.odd = append(b.odd, odd{words.ImportFediversebotOddTwo, words.Args{"row": i + 1, "post": p.Post}})
			default:
				b.posts[n].Thread = first(b.posts[n].Thread, p.Thread)
				b.posts[n].Ack = first(b.posts[n].Ack, p.Ack)
			}
		}
	}
	// Whose it is cannot be told, and the wrong one must not delete it.
	b.posts = slices.DeleteFunc(b.posts, func(p OldPost) bool { return claimed[p.Post] })
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// bare is a value without what Python writes for none.
func bare(v string) string {
	v = strings.TrimSpace(v)
	if v == "None" {
		return ""
	}
	return v
}

// validID is the rule for an id of Discord's, or of the Fediverse's.
func validID(id string, fediverse bool) bool {
	if fediverse {
		return id != "0" && len(id) <= maxID && !strings.ContainsFunc(id, func(r rune) bool { return !idRune(r) })
	}
	const longest = 20 // digits of the largest number with 64 bits
	return len(id) <= longest && strings.Trim(id, "0123456789") == "" && id[0] != '0'
}
