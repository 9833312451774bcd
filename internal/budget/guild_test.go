package budget

import (
	"context"
	"testing"
	"time"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// A guild's own limit holds for each member in it, and for nothing else.
func TestGuildGivesEachMemberSoManyReplies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(*Config) {})
		in := func(guild, member string, replies int64) Spender {
			return Spender{Feature: "persona", Account: "owl", Member: member, Guild: guild, MemberReplies: replies}
		}
		reply := func(key string, who Spender) *Exceeded {
			over := w.reserve(key, who, Tokens{1, 1})
			if over == nil {
				if err := w.do(func(ctx context.Context, tx store.Tx) error { return w.Settle(ctx, tx, key) }); err != nil {
					t.Fatal(err)
				}
			}
			return over
		}
		for _, key := range []string{"a", "b"} {
			if over := reply(key, in("g1", "Ada@discord", 2)); over != nil {
				t.Errorf("%s: %v", key, over)
			}
		}
		over := reply("c", in("g1", "ada@discord", 2))
		if over == nil || over.Scope != OfMemberThere || over.Unit != InReplies || over.Limit != 2 || over.Used != 2 || over.Passing() {
			t.Errorf("the third: %+v", over)
		}
		for key, who := range map[string]Spender{"other guild": in("g2", "ada@discord", 2), "other member": in("g1", "bob@discord", 2),
			"no limit": in("g1", "ada@discord", 0), "no guild": in("", "ada@discord", 2)} {
			if over := reply(key, who); over != nil {
				t.Errorf("%s: %v", key, over)
			}
		}
		q, err := w.Quota(t.Context(), in("g1", "ada@discord", 2))
		if err != nil || q.There != (Use{3, 0, 2}) || q.Replies != (Use{5, 0, Unlimited}) || q.GuildTokens != (Use{0, 0, Unlimited}) {
			t.Errorf("the quota is %+v, %v", q, err)
		}
		// Who is forgotten does not begin anew, and their name is gone.
		if err := w.do(func(ctx context.Context, tx store.Tx) error { return w.Forget(ctx, tx, "ada@discord") }); err != nil {
			t.Fatal(err)
		}
		if over := reply("forgotten", in("g1", "ada@discord", 2)); over == nil || over.Scope != OfMemberThere {
			t.Errorf("after Forget: %v", over)
		}
		if over := reply("the same end", in("g1", "a@discord", 2)); over != nil {
			t.Errorf("somebody else was forgotten: %v", over)
		}
		var named int
		if err := s.QueryRow(t.Context(), `select count(*) from budget_used where name like '%ada@discord%'`).Scan(&named); err != nil || named != 0 {
			t.Errorf("the name stands in %d rows, %v", named, err)
		}
		w.clock.Advance(24 * time.Hour)
		if over := reply("tomorrow", in("g1", "ada@discord", 2)); over != nil {
			t.Errorf("the next day: %v", over)
		}
		if err := w.Prune(t.Context(), w.clock.Now().Add(-30*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := s.QueryRow(t.Context(), `select count(*) from budget_used where name like '%forgotten:%'`).Scan(&named); err != nil || named != 0 {
			t.Errorf("%d pseudonyms are left of yesterday, %v", named, err)
		}
	}, Migrations())
}
