package store

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// dump copies the tables by pg_dump, which reads all at one instant and holds
// nobody up. What only lives with a process (River's leader and clients, in
// unlogged tables) is left out.
func (d *postgresDB) dump(ctx context.Context, path string) error {
	c, err := d.client(ctx)
	if err != nil {
		return err
	}
	schema, err := d.schema(ctx)
	if err != nil {
		return err
	}
	cmd := c.command(ctx, pgEnv(d.pool.Config().ConnConfig), "pg_dump", "--format=custom", "--file="+path,
		"--schema="+quoteName(schema), "--no-unlogged-table-data", "--no-password", "--lock-wait-timeout=60000")
	said := &tail{}
	cmd.Stderr = said
	if err := said.explain(ctx, cmd.Run()); err != nil {
		return fmt.Errorf("pg_dump: %w", err)
	}
	return nil
}

func (d *postgresDB) inspect(ctx context.Context, path string) (BackupInfo, error) {
	c, err := d.client(ctx)
	if err != nil {
		return BackupInfo{}, err
	}
	return c.inspect(ctx, path)
}

func (d *postgresDB) isItself(os.FileInfo) bool { return false }

// size counts the tables without their indexes, which a dump does not hold.
// What it does hold it compresses, so this is more than enough.
func (d *postgresDB) size(ctx context.Context) (n int64, err error) {
	err = d.pool.QueryRow(ctx, `select coalesce(sum(pg_table_size(oid)), 0)::bigint from pg_class
		where relkind = 'r' and relnamespace = current_schema()::regnamespace`).Scan(&n)
	return n, explain(err)
}

// client finds the programs for this server.
func (d *postgresDB) client(ctx context.Context) (pgClient, error) {
	var version int
	if err := d.pool.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return pgClient{}, explain(err)
	}
	return findPgClient(ctx, pgFolders(), version/10000)
}

// schema is where our tables are, or will be.
func (d *postgresDB) schema(ctx context.Context) (string, error) {
	var name *string
	if err := d.pool.QueryRow(ctx, `select current_schema()`).Scan(&name); err != nil {
		return "", explain(err)
	}
	if name == nil {
		return "", errors.New("the PostgreSQL database has no schema for the tables: create the one that search_path names")
	}
	return *name, nil
}
