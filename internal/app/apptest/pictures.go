package apptest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"rookery/internal/sim/boorusim"
	"rookery/internal/store"
)

// Pictures starts an image board with these pictures, which the account shows
// on request beside what else it does. Configure is to be called after it.
func (w *World) Pictures(all ...boorusim.Image) {
	w.T.Helper()
	board, err := boorusim.Start(boorusim.Config{NoLimits: true, Seed: 3})
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() { _ = board.Close() })
	board.Add(all...)
	w.Board, w.Does = board, []string{"persona", "gifs"}
}

// WaitForBoard waits until cond holds at the image board.
func (w *World) WaitForBoard(what string, cond func(*boorusim.Server) bool) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := w.Board.WaitFor(ctx, func() bool { return cond(w.Board) }); err != nil {
		w.T.Fatalf("waited in vain for %s: %v\nthe database holds:\n%s", what, err, w.waiting())
	}
}

// Temp lists the temporary files.
func (w *World) Temp() []string {
	w.T.Helper()
	entries, err := os.ReadDir(filepath.Join(w.Dir, "data", "tmp"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.T.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// EndHolds ends the holds that a dead process has on mentions, as the time
// does that each hold lasts, which for a picture is some ten minutes: another
// process on PostgreSQL cannot know that the first is dead. On SQLite it does
// nothing, for there the next process knows.
func (w *World) EndHolds() {
	w.T.Helper()
	if w.Store.PostgresURL == "" {
		return
	}
	w.exec(`update turns_waiting set lease_until = 1 where lease_until > 1`)
}

func (w *World) exec(sql string) {
	w.T.Helper()
	s := w.open()
	defer s.Close()
	err := s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, sql)
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
}
