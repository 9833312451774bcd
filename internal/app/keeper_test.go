package app

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/guild"
	"rookery/internal/inbox"
	"rookery/internal/settings"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// Who asks to be forgotten is also forgotten as the one who changed a setting;
// what was set stays.
func TestForgottenManagersAreNotNamed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		general := guild.Declare("")
		book := settings.New(settings.Config{Store: s, Log: slog.New(slog.DiscardHandler), Groups: []*settings.Group{general.Group},
			Clock: clock.NewManual(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))})
		for _, by := range []settings.By{{Member: "41", Name: "olga"}, {Member: "42", Name: "ben"}} {
			_, err := book.Set(t.Context(), settings.Form{Guild: "7", By: by, Values: []settings.Raw{{Field: general.Language.Name(), Text: map[string]string{"olga": "en", "ben": "ru"}[by.Name]}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, handle := range []string{"41@social.example", "41@discord"} {
			err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				return settingsKeeper{book}.ForgetMember(ctx, tx, inbox.Member{Handle: handle, Pseudonym: "forgotten/x"}, nil)
			})
			if err != nil {
				t.Fatal(err)
			}
			lines, err := book.History(t.Context(), "7", 10)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, l := range lines {
				names = append(names, l.By.Name)
			}
			want := map[string]string{"41@social.example": "ben olga", "41@discord": "ben "}[handle]
			if got := strings.Join(names, " "); got != want {
				t.Errorf("after forgetting %s: %q, want %q", handle, got, want)
			}
		}
	}, settings.Migrations())
}
