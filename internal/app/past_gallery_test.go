package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"rookery/internal/app/config"
	"rookery/internal/inbox"
	"rookery/internal/mydata"
	"rookery/internal/store"
)

// A gallery that the configuration has no more is still forgotten by: what the
// database holds of members does not wait for the operator to put it back.
func TestPastGalleryIsForgottenToo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"token":        "a-token\n",
		"rookery.toml": "data_dir = \"data\"\n[llm]\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n[persona]\ncharacter = \"An owl.\"\n[[account]]\nname = \"elelem\"\nserver = \"https://social.example\"\ntoken_file = \"token\"\ndoes = [\"persona\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "rookery.toml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), Command: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if a.gallery != nil {
		t.Fatal("there is a gallery")
	}
	var left int64
	err = a.store.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		for _, sql := range []string{
			`insert into gallery_artist (member, subject, name) values ('41', 's', 'Adelheid')`,
			`insert into gallery_quiet (guild, member) values ('7', '41')`,
			`insert into gallery_quiet (guild, member) values ('8', '42')`,
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		for _, k := range a.mydata.Keepers {
			if l, ok := k.(mydata.Lister); ok {
				if all, err := l.Members(ctx, tx); err != nil || len(all) != 2 {
					t.Errorf("known are %q, %v", all, err)
				}
			}
			if err := k.ForgetMember(ctx, tx, inbox.Member{Handle: "41@discord", Pseudonym: "forgotten/x"}, nil); err != nil {
				return err
			}
		}
		if err := a.purgeGallery(ctx, tx, "8"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select (select count(*) from gallery_artist) + (select count(*) from gallery_quiet)`).Scan(&left)
	})
	if err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}
