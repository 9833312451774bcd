package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rookery/internal/store"
)

// freePort is an address that nobody listened on a moment ago.
func freePort(ctx context.Context) (string, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// metrics are what a program says of itself, by name and labels as they stand
// in the answer: `go_goroutines`, `rookery_effects{state="planned"}`.
type metrics map[string]float64

// scrape asks a program for its metrics.
func scrape(ctx context.Context, address string) (metrics, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read the metrics: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("read the metrics: %s", resp.Status), err)
	}
	return readMetrics(b), nil
}

// readMetrics reads Prometheus' text format, as far as it is used here.
func readMetrics(text []byte) metrics {
	m := metrics{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || line[0] == '#' {
			continue
		}
		if v, err := strconv.ParseFloat(line[i+1:], 64); err == nil {
			m[line[:i]] = v
		}
	}
	return m
}

// sum is that of all series of a name whose labels hold one of the texts.
func (m metrics) sum(name string, labels ...string) (total float64) {
	for series, v := range m {
		if !strings.HasPrefix(series, name+"{") {
			continue
		}
		for _, label := range labels {
			if strings.Contains(series, label) {
				total += v
				break
			}
		}
	}
	return total
}

// quiet says whether nothing waits or is under way.
func (m metrics) quiet() bool {
	return m["rookery_up"] == 1 && m["rookery_waiting_mentions"] == 0 &&
		m.sum("rookery_mentions", `state="waiting"`, `state="answering"`) == 0 &&
		m.sum("rookery_effects", `state="planned"`, `state="sent"`) == 0
}

// waiting says what keeps it from being quiet.
func (m metrics) waiting() string {
	return fmt.Sprintf("%v mentions wait, %v are not finished, %v effects are not",
		m["rookery_waiting_mentions"], m.sum("rookery_mentions", `state="waiting"`, `state="answering"`),
		m.sum("rookery_effects", `state="planned"`, `state="sent"`))
}

// contents are what a database holds.
type contents struct {
	Bytes int64            // of its pages
	Used  int64            // of those that hold something
	Rows  map[string]int64 // by table
}

// reading opens a world's SQLite database to read it, also while the program
// works on it.
func (w *world) reading() (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(w.dir, "data", store.FileName))+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, fmt.Errorf("look into the database: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// look reads a world's SQLite database, also while the program works on it.
func (w *world) look(ctx context.Context) (c contents, err error) {
	c.Rows = map[string]int64{}
	db, err := w.reading()
	if err != nil {
		return c, err
	}
	defer db.Close()
	var pages, free, size int64
	for _, q := range []struct {
		name string
		to   *int64
	}{{"page_count", &pages}, {"freelist_count", &free}, {"page_size", &size}} {
		if err := db.QueryRowContext(ctx, "pragma "+q.name).Scan(q.to); err != nil {
			return c, fmt.Errorf("look into the database: %w", err)
		}
	}
	c.Bytes, c.Used = pages*size, (pages-free)*size
	tables, err := names(ctx, db)
	if err != nil {
		return c, fmt.Errorf("look into the database: %w", err)
	}
	for _, t := range tables {
		var n int64
		if err := db.QueryRowContext(ctx, `select count(*) from "`+t+`"`).Scan(&n); err != nil {
			return c, fmt.Errorf("count the rows of %s: %w", t, err)
		}
		c.Rows[t] = n
	}
	return c, nil
}

func names(ctx context.Context, db *sql.DB) (all []string, err error) {
	rows, err := db.QueryContext(ctx, `select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// copies are the backups that a world's program keeps.
func (w *world) copies() (n int, newest int64, err error) {
	entries, err := os.ReadDir(filepath.Join(w.dir, "data", "backups"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, fmt.Errorf("see the backups: %w", err)
	}
	for _, e := range entries { // by name, which is by time
		st, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue // it was just removed
		}
		n++
		newest = st.Size()
	}
	return n, newest, nil
}
