package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rookery/internal/store"
)

// programs makes a folder with the programs of a PostgreSQL version.
func programs(t *testing.T, says string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+says+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheRightVersionOfPostgresProgramsIsTaken(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the programs here are shell scripts")
	}
	all := []string{"pg_dump", "pg_restore", "psql"}
	of := func(major int) string {
		return programs(t, "pg_dump (PostgreSQL) "+strconv.Itoa(major)+".3 (Debian)", all...)
	}
	v13, v15, v17 := of(13), of(15), of(17)
	partly, odd := programs(t, "pg_dump (PostgreSQL) 16.1", "pg_dump"), programs(t, "hello", all...)
	for name, c := range map[string]struct {
		dirs    []string
		server  int
		want    string
		problem string
	}{
		"same version":           {[]string{v17, v13, v15}, 15, v15, ""},
		"next newer":             {[]string{v17, v13, v15}, 16, v17, ""},
		"newest for a file":      {[]string{v15, v17, v13}, 0, v17, ""},
		"incomplete or strange":  {[]string{partly, odd, v17, "", "relative"}, 16, v17, ""},
		"all older":              {[]string{v13, v15}, 18, "", "apt install postgresql-client-18"},
		"none":                   {[]string{partly, odd, filepath.Join(v13, "nowhere")}, 15, "", "apt install postgresql-client)"},
		"none, for a file alone": {nil, 0, "", "pg_restore"},
	} {
		got, err := store.FindPgClientForTest(t.Context(), c.dirs, c.server)
		if got != c.want || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %q, %v; want %q, %q", name, got, err, c.want, c.problem)
		}
	}
}

func TestPostgresProgramsConnectLikeUs(t *testing.T) {
	for url, want := range map[string][]string{
		"postgres://me:s%40crit@db.example:5433/bot?sslmode=verify-full&sslrootcert=/ca%20s.pem&pool_max_conns=5": {
			"PGHOST=db.example", "PGPORT=5433", "PGUSER=me", "PGPASSWORD=s@crit", "PGDATABASE=bot", "PGSSLMODE=verify-full", "PGSSLROOTCERT=/ca s.pem"},
		"postgres://me@a:1,b:2/bot?target_session_attrs=primary": {
			"PGHOST=a,b", "PGPORT=1,2", "PGTARGETSESSIONATTRS=primary"},
		`host=/run/pg port=5432 user=me password='it\'s a \\ secret' dbname = bot sslmode=disable`: {
			"PGHOST=/run/pg", "PGPASSWORD=it's a \\ secret", "PGDATABASE=bot", "PGSSLMODE=disable"},
	} {
		if strings.Contains(url, "sslrootcert") {
			pem := filepath.Join(t.TempDir(), "ca s.pem")
			if err := os.WriteFile(pem, testCertificate(t), 0o600); err != nil {
				t.Fatal(err)
			}
			url = strings.Replace(url, "/ca%20s.pem", strings.ReplaceAll(pem, " ", "%20"), 1)
			want[len(want)-1] = "PGSSLROOTCERT=" + pem
		}
		got, err := store.PgEnvForTest(url)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range want {
			if !slices.Contains(got, one) {
				t.Errorf("%s: %q lacks %s", url, got, one)
			}
		}
	}
}

const script = `--
SET statement_timeout = 0;
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
-- Name: migration; Type: TABLE; Schema: public; Owner: -
SET transaction_timeout = 0;
COPY public.migration (feature, version) FROM stdin;
jobs	1
odd\\name	12
\.

COPY "a.b"."Odd ""name""" (a) FROM stdin;
COPY public.x (y) FROM stdin;
\.
COPY nowhere FROM stdin;
`

func TestDumpIsReadFromItsScript(t *testing.T) {
	info, err := store.ReadScriptForTest(strings.NewReader(script))
	want := []store.TableRows{{Table: "migration", Rows: 2}, {Table: `Odd "name"`, Rows: 1}}
	if err != nil || !slices.Equal(info.Tables, want) || info.Versions["jobs"] != 1 || len(info.Versions) != 2 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestSettingsOfANewerServerAreLeftOut(t *testing.T) {
	var out bytes.Buffer
	if err := store.CopyHeadForTest(&out, strings.NewReader(script), map[string]bool{"statement_timeout": true}); err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(script, "SET transaction_timeout = 0;\n", "", 1); out.String() != want {
		t.Errorf("got %s\nwant %s", &out, want)
	}
}

func FuzzReadScript(f *testing.F) {
	f.Add([]byte(script))
	f.Add([]byte("COPY \"\".\" (x) FROM stdin;\nCOPY a.migration  FROM stdin;\n\t\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := store.ReadScriptForTest(bytes.NewReader(b))
		if err != nil {
			return
		}
		rows := int64(len(info.Tables))
		for _, table := range info.Tables {
			rows += table.Rows
		}
		if lines := int64(bytes.Count(b, []byte("\n"))) + 1; rows > lines {
			t.Errorf("%d rows and tables in %d lines", rows, lines)
		}
		var out bytes.Buffer
		all := map[string]bool{}
		if err := store.CopyHeadForTest(&out, bytes.NewReader(b), all); err != nil {
			t.Fatal(err)
		}
		if out.Len() > len(b) {
			t.Errorf("%d bytes became %d", len(b), out.Len())
		}
	})
}
