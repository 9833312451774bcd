package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rookery/internal/app/config"
	"rookery/internal/store"
	"rookery/internal/words"
)

// database is a connection that only reads. A store.Store would take the
// writing connection of SQLite, finish what an earlier process left, and fold
// the log into the file at its end; so the questions to other parts' tables
// are written out here, and the tests ask them of tables those parts have made.
type database struct {
	dialect store.Dialect
	query   func(ctx context.Context, sql string, args ...any) (store.Rows, error)
	close   func()
	size    int64 // bytes
	// current says that the tables are those of this program.
	current bool
}

// errNoDatabase: nobody has made one yet.
var errNoDatabase = errors.New("there is no database yet")

// row reads the first row into dest; store.ErrNoRows if there is none.
func (db *database) row(ctx context.Context, dest []any, sql string, args ...any) error {
	rows, err := db.query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return store.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

func (d *doctor) openDatabase(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	if u := d.cfg.Store.PostgresURL; u.IsSet() {
		d.db, d.dbErr = openPostgres(ctx, u.Reveal())
	} else {
		d.db, d.dbErr = openSQLite(ctx, filepath.Join(d.cfg.DataDir, store.FileName))
	}
}

// Known is the handle (user@host) that an account of this name in the
// configuration has had; "" if it never logged in. Like everything here it
// only reads.
func Known(ctx context.Context, cfg *config.Config, account string) (string, error) {
	d := &doctor{Config: Config{}.withDefaults(), cfg: cfg}
	d.openDatabase(ctx)
	defer d.closeDatabase()
	if errors.Is(d.dbErr, errNoDatabase) {
		return "", nil
	}
	if d.dbErr != nil {
		return "", fmt.Errorf("look up whose account %s was: %w", account, d.dbErr)
	}
	if versions, err := d.db.versions(ctx); err != nil || versions["fedi"] == 0 {
		return "", nil // there are no tables yet
	}
	var handle string
	err := d.db.row(ctx, []any{&handle}, `select handle from fedi_account where name = $1`, account)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return "", fmt.Errorf("look up whose account %s was: %w", account, err)
	}
	return handle, nil
}

func (d *doctor) closeDatabase() {
	if d.db != nil {
		d.db.close()
	}
}

func (d *doctor) dialect() string {
	if d.cfg.Store.PostgresURL.IsSet() {
		return "PostgreSQL"
	}
	return "SQLite"
}

func openSQLite(ctx context.Context, path string) (*database, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoDatabase
	}
	if err != nil {
		return nil, err
	}
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(3000)", "query_only(1)"}}
	size := st.Size()
	if wal, err := os.Stat(path + "-wal"); err == nil {
		size += wal.Size()
	} else {
		// Nobody is at work: SQLite would make a log and its index to read.
		q.Set("immutable", "1")
	}
	conn, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: p, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	conn.SetMaxOpenConns(1)
	db := &database{dialect: store.SQLite, size: size, close: func() { conn.Close() }}
	db.query = func(ctx context.Context, query string, args ...any) (store.Rows, error) {
		rows, err := conn.QueryContext(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		return sqlRows{rows}, nil
	}
	var n int64
	if err := db.row(ctx, []any{&n}, `select count(*) from sqlite_schema`); err != nil {
		db.close()
		return nil, err
	}
	return db, nil
}

// sqlRows are store.Rows.
type sqlRows struct{ *sql.Rows }

func (r sqlRows) Close() { _ = r.Rows.Close() }

func openPostgres(ctx context.Context, address string) (*database, error) {
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("read the PostgreSQL URL: %w", err) // pgx hides the password
	}
	c.RuntimeParams["default_transaction_read_only"] = "on"
	c.RuntimeParams["application_name"] = "rookery doctor"
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	db := &database{dialect: store.Postgres, close: func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}}
	db.query = func(ctx context.Context, query string, args ...any) (store.Rows, error) {
		return conn.Query(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
	}
	if err := db.row(ctx, []any{&db.size}, `select pg_database_size(current_database())`); err != nil {
		db.close()
		return nil, err
	}
	return db, nil
}

// quickCheck bounds the size, in bytes, up to which a SQLite file is read
// through: it takes a second or two on a small machine.
const quickCheck = 64 * megabyte

func (d *doctor) checkDatabase(ctx context.Context, r *report) {
	args := words.Args{"dialect": d.dialect(), "dir": d.cfg.DataDir, "reason": reason(d.dbErr)}
	switch {
	case errors.Is(d.dbErr, errNoDatabase):
		r.ok(words.DoctorDatabaseNew, args)
		return
	case sqliteCode(d.dbErr) == sqliteNotADB, sqliteCode(d.dbErr) == sqliteCorrupt:
		r.fail(words.DoctorDatabaseBroken, words.DoctorDatabaseBrokenHelp, args)
		return
	case d.dbErr != nil && d.dialect() == "SQLite":
		r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseClosedHelp, args)
		return
	case d.dbErr != nil:
		r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseServerHelp, args)
		return
	}
	args["size"] = d.db.size / megabyte
	if !d.checkVersions(ctx, r, args) {
		return
	}
	if d.db.dialect == store.Postgres {
		d.checkPostgres(ctx, r, args)
		return
	}
	if d.db.size <= quickCheck {
		if fault := d.integrity(ctx); fault != "" {
			args["reason"] = fault
			r.fail(words.DoctorDatabaseBroken, words.DoctorDatabaseBrokenHelp, args)
			return
		}
	}
	r.ok(words.DoctorDatabaseOk, args)
}

// checkVersions compares the tables with this program's. It reports whether
// the database can be used; if so and nothing is to be said, it says nothing.
func (d *doctor) checkVersions(ctx context.Context, r *report, args words.Args) bool {
	versions, err := d.db.versions(ctx)
	if err != nil {
		args["reason"] = reason(err)
		if c := sqliteCode(err); c == sqliteNotADB || c == sqliteCorrupt {
			r.fail(words.DoctorDatabaseBroken, words.DoctorDatabaseBrokenHelp, args)
		} else if c == sqliteBusy {
			r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseClosedHelp, args)
		} else if d.isEmpty(ctx) {
			r.ok(words.DoctorDatabaseNew, args) // an empty database of somebody's making
		} else {
			r.fail(words.DoctorDatabaseForeign, words.DoctorDatabaseForeignHelp, args)
		}
		return false
	}
	d.db.current = true
	for _, m := range d.Migrations {
		want, err := steps(m)
		if err != nil {
			args["reason"] = err
			r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseClosedHelp, args)
			return false
		}
		args["feature"] = m.Feature
		switch have := versions[m.Feature]; {
		case have > want:
			d.db.current = false
			r.fail(words.DoctorDatabaseNewer, words.DoctorDatabaseNewerHelp, args)
			return false
		case have < want:
			d.db.current = false
		}
	}
	if !d.db.current {
		r.ok(words.DoctorDatabaseOlder, args)
	}
	return true
}

// versions are those of each feature's tables, as store.Migrate keeps them.
func (db *database) versions(ctx context.Context) (map[string]int64, error) {
	rows, err := db.query(ctx, `select feature, version from migration`)
	all := map[string]int64{}
	_, err = store.Collect(rows, err, func(r store.Row) (_ struct{}, err error) {
		var feature string
		var version int64
		err = r.Scan(&feature, &version)
		all[feature] = version
		return struct{}{}, err
	})
	return all, err
}

// isEmpty tells whether nobody has made any table.
func (d *doctor) isEmpty(ctx context.Context) bool {
	query := `select count(*) from sqlite_schema`
	if d.db.dialect == store.Postgres {
		query = `select count(*) from information_schema.tables where table_schema = any(current_schemas(false))`
	}
	var n int64
	return d.db.row(ctx, []any{&n}, query) == nil && n == 0
}

// steps is the version to which the program brings a feature's tables.
func steps(m store.Migrations) (int64, error) {
	if m.FS == nil {
		return 0, nil
	}
	names, err := fs.Glob(m.FS, "*.sql")
	if err == nil && len(names) == 0 {
		names, err = fs.Glob(m.FS, "*/*.sql")
	}
	return int64(len(names)), err
}

// integrity is what SQLite finds wrong; "" if nothing, or if there was no time
// to look.
func (d *doctor) integrity(ctx context.Context) string {
	rows, err := d.db.query(ctx, `pragma quick_check(3)`)
	faults, err := store.Collect(rows, err, func(r store.Row) (s string, err error) { return s, r.Scan(&s) })
	switch c := sqliteCode(err); {
	case c == sqliteCorrupt || c == sqliteNotADB:
		return err.Error()
	case err != nil || len(faults) == 1 && faults[0] == "ok":
		return ""
	}
	return strings.Join(faults, "; ")
}

// slowDatabase is a round trip that makes everything slow.
const slowDatabase = 100 * time.Millisecond

func (d *doctor) checkPostgres(ctx context.Context, r *report, args words.Args) {
	var version string
	began := d.Clock.Now()
	err := d.db.row(ctx, []any{&version}, `show server_version`)
	took := d.Clock.Now().Sub(began)
	if err != nil {
		args["reason"] = reason(err)
		r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseServerHelp, args)
		return
	}
	version, _, _ = strings.Cut(version, " ")
	args["version"], args["ms"] = version, took.Milliseconds()
	if took > slowDatabase {
		r.warn(words.DoctorDatabaseServer, words.DoctorDatabaseSlowHelp, args)
		return
	}
	r.ok(words.DoctorDatabaseServer, args)
}

// The codes of SQLite (https://www.sqlite.org/rescode.html) that mean
// something to an operator.
const (
	sqliteBusy    = 5
	sqliteCorrupt = 11
	sqliteNotADB  = 26
)

// sqliteCode is 0 for any other error.
func sqliteCode(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code() & 0xff
	}
	return 0
}
