package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/members.md, in both languages, promises to tell of every table what it
// holds about members. This test keeps the promise.

var (
	createdTable = regexp.MustCompile(`(?im)^\s*create table (?:if not exists )?([a-z_]+)`)
	droppedTable = regexp.MustCompile(`(?im)^\s*drop table (?:if exists )?([a-z_]+)`)
)

// tables are the tables that migrations leave, given in their order.
func tables(migrations ...string) map[string]bool {
	all := map[string]bool{}
	for _, sql := range migrations {
		for _, m := range createdTable.FindAllStringSubmatch(sql, -1) {
			all[m[1]] = true
		}
		for _, m := range droppedTable.FindAllStringSubmatch(sql, -1) {
			delete(all, m[1])
		}
	}
	return all
}

func TestMembersAreToldOfEveryTable(t *testing.T) {
	t.Parallel()
	var migrations []string
	err := filepath.WalkDir(filepath.Join("..", "..", "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".sql" || filepath.Base(filepath.Dir(path)) != "migrations" {
			return err
		}
		b, err := os.ReadFile(path)
		migrations = append(migrations, string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := tables(migrations...)
	all["migration"] = true // store makes it
	if len(all) < 20 {
		t.Errorf("only %d tables were found: the search is broken", len(all))
	}
	for _, name := range []string{"members.md", "members.ru.md"} {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for table := range all {
			if !strings.Contains(string(page), "`"+table+"`") {
				t.Errorf("docs/%s does not speak of the table %s: say what it holds about members, and how long, or that it holds nothing", name, table)
			}
		}
		for _, m := range regexp.MustCompile("`((?:inbox|outbox|turns|gifs|persona|fedi|budget|mydata|operator)_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
			if !all[m[1]] {
				t.Errorf("docs/%s speaks of the table %s, which there is not", name, m[1])
			}
		}
	}
}

func TestTablesAreFound(t *testing.T) {
	t.Parallel()
	got := tables("create table one (a text);\nCREATE TABLE IF NOT EXISTS two (", "-- create table three (\ninsert into one select 1;\ndrop table one;")
	if len(got) != 1 || !got["two"] {
		t.Errorf("tables: %v", got)
	}
}
