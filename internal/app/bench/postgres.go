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

// newDatabase makes an empty one in the cluster and returns its URL.
func newDatabase(ctx context.Context, cluster string) (string, error) {
	u, err := url.Parse(cluster)
	if err != nil {
		return "", fmt.Errorf("ROOKERY_TEST_POSTGRES is no URL: %w", err)
	}
	name := "bench_" + strings.ToLower(rand.Text()[:16])
	if err := admin(ctx, cluster, "create database "+name); err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// dropDatabase removes one that newDatabase made.
func dropDatabase(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("drop the database: %w", err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	// Also when the measuring was broken off.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return admin(ctx, u.String(), "drop database if exists "+name+" with (force)")
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
