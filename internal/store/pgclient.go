package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// pgClient are PostgreSQL's own programs: pg_dump, pg_restore and psql, of one
// version.
type pgClient struct {
	dir   string
	major int
}

// pgFolders are where PostgreSQL's programs may be: where Debian keeps those
// of each version, then PATH.
func pgFolders() []string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	return append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
}

var pgVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// findPgClient takes the oldest version that can speak to a server of version
// server, for an older one writes nothing that such a server does not know; or
// the newest of all, if server is 0.
func findPgClient(ctx context.Context, dirs []string, server int) (pgClient, error) {
	var found []pgClient
	for _, dir := range dirs {
		c := pgClient{dir: dir}
		if !filepath.IsAbs(dir) || slices.ContainsFunc([]string{"pg_dump", "pg_restore", "psql"}, c.lacks) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		b, err := c.command(ctx, nil, "pg_dump", "--version").Output()
		cancel()
		if m := pgVersion.FindSubmatch(b); err == nil && m != nil {
			c.major, _ = strconv.Atoi(string(m[1])) // digits
			found = append(found, c)
		}
	}
	if err := ctx.Err(); err != nil {
		return pgClient{}, context.Cause(ctx)
	}
	if len(found) == 0 {
		return pgClient{}, errors.New("PostgreSQL's programs pg_dump, pg_restore and psql are not here: install them (on Debian and Ubuntu: apt install postgresql-client)")
	}
	slices.SortStableFunc(found, func(a, b pgClient) int { return a.major - b.major })
	newest := found[len(found)-1]
	if server == 0 {
		return newest, nil
	}
	for _, c := range found {
		if c.major >= server {
			return c, nil
		}
	}
	return pgClient{}, fmt.Errorf("the PostgreSQL server has version %d, its programs here (%s) only version %d: "+
		"install those of version %d or newer (on Debian and Ubuntu: apt install postgresql-client-%d)",
		server, newest.dir, newest.major, server, server)
}

func (c pgClient) path(program string) string {
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	return filepath.Join(c.dir, program)
}

func (c pgClient) lacks(program string) bool {
	file, err := os.Stat(c.path(program))
	return err != nil || !file.Mode().IsRegular()
}

// command makes ready to run a program. What goes wrong is in English, for it
// is shown and looked at.
func (c pgClient) command(ctx context.Context, env []string, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.path(program), args...)
	cmd.Env = append(append(os.Environ(), env...), "LC_ALL=C", "PGAPPNAME="+appName+" "+program)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// tail keeps the end of what a program says.
type tail struct{ b []byte }

const maxSaid = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - maxSaid; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	said := Storable(strings.Join(strings.Fields(string(t.b)), " "), maxSaid)
	if strings.Contains(said, "No space left on device") {
		return fmt.Errorf("%w (%s)", ErrFull, said)
	}
	if said == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, said)
}

// inspect reads a dump from end to end.
func (c pgClient) inspect(ctx context.Context, path string) (BackupInfo, error) {
	info := BackupInfo{Dialect: Postgres, Versions: map[string]int64{}}
	file, err := os.Stat(path)
	if err != nil {
		return info, err
	}
	info.Size = file.Size()
	err = c.script(ctx, path, nil, func(r io.Reader) error { return readScript(r, &info) })
	if err != nil {
		if strings.Contains(err.Error(), "unsupported version") {
			return info, fmt.Errorf("it was written by a newer pg_dump than the pg_restore here (version %d): install a newer postgresql-client: %w", c.major, err)
		}
		if ctx.Err() != nil || errors.Is(err, ErrBadBackup) {
			return info, err
		}
		return info, fmt.Errorf("%w: %w", ErrBadBackup, err)
	}
	if info.schema == "" {
		return info, fmt.Errorf("%w: it is a dump of another program's database", ErrBadBackup)
	}
	slices.SortFunc(info.Tables, func(a, b TableRows) int { return strings.Compare(a.Table, b.Table) })
	return info, nil
}

// script gives read the SQL that a dump stands for. It returns nil only if
// both pg_restore and read came to a good end; when read returns, pg_restore
// has ended too.
func (c pgClient) script(ctx context.Context, path string, args []string, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := c.command(ctx, nil, "pg_restore", append(args, "--file=-", path)...)
	said := &tail{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start pg_restore: %w", err)
	}
	readErr := read(out)
	if readErr != nil {
		cancel()
		_ = cmd.Wait()
		return readErr
	}
	return said.explain(ctx, cmd.Wait())
}

// readScript counts the rows of each table and reads the migration table.
func readScript(r io.Reader, info *BackupInfo) error {
	var schema string
	var counting *TableRows
	migration := false
	return eachLine(r, func(line []byte) error {
		if counting == nil {
			s, table, ok := copyLine(string(line))
			if !ok {
				return nil
			}
			if migration = table == "migration"; migration {
				schema = s
				info.schema = schema
			}
			info.Tables = append(info.Tables, TableRows{Table: table})
			counting = &info.Tables[len(info.Tables)-1]
			return nil
		}
		if string(line) == `\.` {
			counting = nil
			return nil
		}
		counting.Rows++
		if !migration {
			return nil
		}
		feature, v, _ := strings.Cut(string(line), "\t")
		version, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return fmt.Errorf("%w: its migration table has another form", ErrBadBackup)
		}
		info.Versions[feature] = version
		return nil
	})
}

// copyLine reads the head of a table's rows: COPY schema.table (…) FROM stdin;
func copyLine(line string) (schema, table string, ok bool) {
	rest, ok := strings.CutPrefix(line, "COPY ")
	if !ok || !strings.HasSuffix(rest, " FROM stdin;") {
		return "", "", false
	}
	schema, rest, ok = identifier(rest)
	if !ok || !strings.HasPrefix(rest, ".") {
		return "", "", false
	}
	table, rest, ok = identifier(rest[1:])
	return schema, table, ok && strings.HasPrefix(rest, " ")
}

// identifier cuts a name, quoted or not, off the front of s.
func identifier(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexAny(s, ". ")
		if i <= 0 {
			return "", "", false
		}
		return s[:i], s[i:], true
	}
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		return strings.ReplaceAll(s[1:i], `""`, `"`), s[i+1:], i > 1
	}
	return "", "", false
}

// lineStart is as much of a line as eachLine gives.
const lineStart = 64 << 10

// eachLine gives fn the start of each line, without its end.
func eachLine(r io.Reader, fn func(line []byte) error) error {
	b := bufio.NewReaderSize(r, lineStart)
	for {
		line, err := b.ReadSlice('\n')
		if len(line) > 0 {
			if err := fn(bytes.TrimRight(line, "\r\n")); err != nil {
				return err
			}
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// pgEnv tells PostgreSQL's programs where to connect, as c does: by the
// environment, for a command line is for all to see. What c took from the
// environment itself they find there too.
func pgEnv(c *pgx.ConnConfig) []string {
	hosts, ports := []string{c.Host}, []string{strconv.Itoa(int(c.Port))}
	for _, f := range c.Fallbacks {
		port := strconv.Itoa(int(f.Port))
		known := false
		for i := range hosts {
			known = known || hosts[i] == f.Host && ports[i] == port
		}
		if !known { // the same server comes again, without encryption
			hosts, ports = append(hosts, f.Host), append(ports, port)
		}
	}
	env := []string{"PGHOST=" + strings.Join(hosts, ","), "PGPORT=" + strings.Join(ports, ","),
		"PGUSER=" + c.User, "PGDATABASE=" + c.Database, "PGCONNECT_TIMEOUT=15"}
	if c.Password != "" {
		env = append(env, "PGPASSWORD="+c.Password)
	}
	for key, value := range connSettings(c.ConnString()) {
		switch key {
		case "sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "channel_binding", "target_session_attrs":
			env = append(env, "PG"+strings.ToUpper(strings.ReplaceAll(key, "_", ""))+"="+value)
		}
	}
	return env
}

// connSettings reads the settings of a connection string in either of its
// forms, a URL or key=value pairs; pgx has found it well formed.
// See https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING.
func connSettings(s string) map[string]string {
	all := map[string]string{}
	if strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://") {
		u, err := url.Parse(s)
		if err != nil {
			return all
		}
		for key, values := range u.Query() {
			all[key] = values[0]
		}
		return all
	}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return all
		}
		var value string
		value, s = connValue(strings.TrimSpace(rest))
		all[strings.TrimSpace(key)] = value
	}
	return all
}

// connValue cuts a value off the front of s: plain, or in single quotes; a
// backslash keeps the next character as it is.
func connValue(s string) (value, rest string) {
	quoted := strings.HasPrefix(s, "'")
	if quoted {
		s = s[1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quoted && c == '\'', !quoted && (c == ' ' || c == '\t' || c == '\n'):
			return b.String(), s[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
