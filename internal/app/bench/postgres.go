package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// database is one of our own in a cluster.
type database struct {
	cluster string // URL to manage it by
	name    string
	url     string
}

// newDatabase makes an empty one.
func newDatabase(ctx context.Context, cluster string) (*database, error) {
	u, err := url.Parse(cluster)
	if err != nil {
		return nil, fmt.Errorf("ROOKERY_TEST_POSTGRES is no URL: %w", err)
	}
	d := &database{cluster: cluster, name: "bench_" + strings.ToLower(rand.Text()[:16])}
	u.Path = "/" + d.name
	d.url = u.String()
	return d, admin(ctx, cluster, "create database "+d.name)
}

// drop removes the database, also when the measuring was broken off.
func (d *database) drop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return admin(ctx, d.cluster, "drop database if exists "+d.name+" with (force)")
}

func admin(ctx context.Context, address, sql string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect to the PostgreSQL of ROOKERY_TEST_POSTGRES: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
