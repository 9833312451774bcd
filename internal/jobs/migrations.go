package jobs

import (
	"context"
	"embed"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"rookery/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the queue's tables; on PostgreSQL also River's own.
func Migrations() store.Migrations {
	return store.Migrations{Feature: "jobs", FS: migrations, Extra: migrateRiver}
}

func migrateRiver(ctx context.Context, s *store.Store) error {
	pool, ok := store.Pool(s)
	if !ok {
		return nil
	}
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("prepare River's migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("run River's migrations: %w", err)
	}
	return nil
}
