package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres restores in one transaction: psql is given a script that moves all
// tables to a schema of their own and then makes those of the backup. If
// anything goes wrong, or this process is killed, no COMMIT ever comes, and
// nothing has happened.
func (r restoring) postgres(ctx context.Context) (done Restored, err error) {
	c := r.Config
	// A name of its own tells our connections from those of processes at work.
	c.appName = appName + " restore " + rand.Text()[:8]
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d, err := openPostgres(ctx, c)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	client, err := d.client(ctx)
	if err != nil {
		return done, err
	}
	schema, err := d.schema(ctx)
	if err != nil {
		return done, err
	}
	if done.Backup, err = client.inspect(ctx, r.from); err != nil {
		return done, err
	}
	done.Backup.Path = r.from
	if done.Backup.schema != schema {
		return done, fmt.Errorf("its tables were in the schema %q, and this rookery's are in %q: name that one in search_path of the PostgreSQL URL, and create it",
			done.Backup.schema, schema)
	}
	if err := notNewer(done.Backup, r.features); err != nil {
		return done, err
	}
	r.at("checked")
	// A process that starts meanwhile waits at its migrations.
	err = d.migrating(ctx, func(ctx context.Context) error {
		if err := d.alone(ctx, c.appName); err != nil {
			return err
		}
		aside, err := d.freeSchema(ctx, "before_restore_"+strings.ToLower(r.Clock.Now().UTC().Format(asideStamp)))
		if err != nil {
			return err
		}
		if err := r.load(ctx, d, client, schema, aside); err != nil {
			return err
		}
		r.at("committed")
		var kept bool
		if err := d.pool.QueryRow(ctx, `select exists (select from pg_namespace where nspname = $1)`, aside).Scan(&kept); err != nil {
			return explain(err)
		}
		if kept {
			done.Aside = aside
		}
		// The planner knows nothing yet of the new tables. It finds out by
		// itself, later, if this fails.
		if _, err := d.pool.Exec(ctx, `analyze`); err != nil {
			c.Log.Warn("analyze after the restore", "error", err)
		}
		return nil
	})
	return done, err
}

// alone waits a little for a process that has just ended: the server takes a
// moment to notice.
func (d *postgresDB) alone(ctx context.Context, mine string) error {
	patience, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := d.nobodyElse(ctx, mine)
		if !errors.Is(err, ErrInUse) {
			return err
		}
		select {
		case <-tick.C:
		case <-patience.Done():
			return err
		}
	}
}

// nobodyElse refuses while another process is at work on the database: it has
// our name, the name that the URL gives to all of them, or it holds a lock.
func (d *postgresDB) nobodyElse(ctx context.Context, mine string) error {
	var pid int
	var name, host string
	err := d.pool.QueryRow(ctx, `select a.pid, a.application_name, coalesce(host(a.client_addr), 'this machine') from pg_stat_activity a
		where a.datname = current_database() and a.application_name <> $1
		and (a.application_name like $2 || '%' or a.application_name = nullif($3, '')
			or exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory'))
		order by a.backend_start limit 1`, mine, appName, connSettings(d.pool.Config().ConnString())["application_name"]).Scan(&pid, &name, &host)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	return fmt.Errorf("%w, or on its PostgreSQL database: connection %d, %q from %s. Stop every rookery on this database first", ErrInUse, pid, name, host)
}

// freeSchema is name, or name with a number, whichever is not taken.
func (d *postgresDB) freeSchema(ctx context.Context, name string) (string, error) {
	free := name
	for n := 2; ; n++ {
		var taken bool
		if err := d.pool.QueryRow(ctx, `select exists (select from pg_namespace where nspname = $1)`, free).Scan(&taken); err != nil {
			return "", explain(err)
		}
		if !taken {
			return free, nil
		}
		free = fmt.Sprintf("%s_%d", name, n)
	}
}

// moveAside moves everything in a schema but what belongs to an extension to
// another, which it makes if there is anything. It is given the two names.
const moveAside = `
do $move$
declare
	mine constant text := %s;
	aside constant text := %s;
	o record;
	made boolean := false;
begin
	for o in
		select 'table' as kind, format('%%I.%%I', n.nspname, c.relname) as name
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = mine and (c.relkind in ('r', 'p', 'v', 'm', 'f')
			or c.relkind = 'S' and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
				and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')))
		and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
		union all
		select 'routine', format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = mine
		and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
		union all
		select 'type', format('%%I.%%I', n.nspname, t.typname)
		from pg_type t join pg_namespace n on n.oid = t.typnamespace
		where n.nspname = mine and (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and
			exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
		and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
	loop
		if not made then
			execute format('create schema %%I', aside);
			made := true;
		end if;
		execute format('alter %%s %%s set schema %%I', o.kind, o.name, aside);
	end loop;
end
$move$;
`

// load runs the script.
func (r restoring) load(ctx context.Context, d *postgresDB, client pgClient, schema, aside string) error {
	known, err := d.settings(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	env := pgEnv(d.pool.Config().ConnConfig)
	cmd := client.command(ctx, env, "psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output="+os.DevNull, "--file=-")
	said := &tail{}
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start psql: %w", err)
	}
	err = r.write(ctx, in, client, known, schema, aside)
	if err != nil {
		// Without its end the script has no effect; what psql itself had to
		// say is the better reason.
		_ = in.Close()
		if said := said.explain(ctx, cmd.Wait()); said != nil {
			return fmt.Errorf("psql (nothing was changed): %w", said)
		}
		return err
	}
	if err := said.explain(ctx, errors.Join(in.Close(), cmd.Wait())); err != nil {
		return fmt.Errorf("psql: %w", err)
	}
	return nil
}

// write gives psql the whole script, and its COMMIT only once pg_restore has
// come to a good end.
func (r restoring) write(ctx context.Context, to io.Writer, client pgClient, known map[string]bool, schema, aside string) error {
	w := bufio.NewWriterSize(to, lineStart)
	// The backup's own settings come later and have no time-out.
	_, err := fmt.Fprintf(w, "set lock_timeout = '15s';\nset client_min_messages = warning;\nbegin;\n"+moveAside, quoteText(schema), quoteText(aside))
	if err := errors.Join(err, w.Flush()); err != nil {
		return err
	}
	r.at("moved")
	args := []string{"--schema=" + schema, "--no-owner", "--no-privileges"}
	err = client.script(ctx, r.from, args, func(script io.Reader) error {
		b := bufio.NewReaderSize(script, lineStart)
		if err := copyHead(w, b, known); err != nil {
			return err
		}
		r.at("made")
		_, err := b.WriteTo(w)
		return err
	})
	if err != nil {
		return err
	}
	r.at("loaded")
	_, err = io.WriteString(w, "\ncommit;\n")
	return errors.Join(err, w.Flush())
}

var setting = regexp.MustCompile(`^SET ([a-z_]+) = `)

// copyHead copies the beginning of a script, up to its first table or other
// object, without settings that this server does not know: a newer pg_dump
// sets what only newer servers have.
func copyHead(w io.Writer, b *bufio.Reader, known map[string]bool) error {
	for {
		line, err := b.ReadSlice('\n')
		if m := setting.FindSubmatch(line); m == nil || known[string(m[1])] {
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if bytes.HasPrefix(line, []byte("-- Name: ")) {
			return nil
		}
	}
}

// settings are the names of what can be SET on this server.
func (d *postgresDB) settings(ctx context.Context) (map[string]bool, error) {
	rows, err := d.query(ctx, `select name from pg_settings`)
	names, err := Collect(rows, err, func(r Row) (s string, err error) { return s, r.Scan(&s) })
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[strings.ToLower(name)] = true
	}
	return known, nil
}

// quoteName and quoteText make a name and a text that SQL reads as they are.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func quoteText(s string) string {
	s = "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(s, `\`, `\\`)
	}
	return s
}
