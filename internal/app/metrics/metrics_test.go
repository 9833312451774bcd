package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func serve(t *testing.T, source Source, c Checks) (*Metrics, func(path string) (int, string)) {
	t.Helper()
	m := New("v1", source, func() time.Time { return now })
	s, err := m.Listen(t.Context(), "127.0.0.1:0", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return m, func(path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
}

func well(context.Context) error { return nil }

func TestMetricsShowWhatIsKeptAndWhatPassedBy(t *testing.T) {
	t.Parallel()
	m, get := serve(t, func(context.Context) (Snapshot, error) {
		return Snapshot{
			Accounts: []Account{{Name: "elelem", Connected: true, LastPoll: now.Add(-5 * time.Second), Skew: 2 * time.Second}, {Name: "new"}},
			Mentions: map[[2]string]int{{"elelem", "done"}: 3}, Waiting: 2, OldestWaiting: time.Minute, Effects: map[string]int{"confirmed": 3},
			Paused: true, Spent: map[string]float64{"tokens": 10, "money": 0.5}, Limits: map[string]float64{"tokens": 100, "money": -1},
			LastBackup: now.Add(-time.Hour), DatabaseBytes: 4096, Failed: 1,
		}, nil
	}, Checks{well, well})
	m.Request("elelem", "posts", "ok", time.Second)
	m.Answer("answered", 2*time.Second, 30, 4)
	_, body := get("/metrics")
	for _, want := range []string{
		`rookery_up 1`, `rookery_build_info{version="v1"} 1`, `rookery_account_connected{account="elelem"} 1`, `rookery_account_connected{account="new"} 0`,
		`rookery_account_poll_age_seconds{account="elelem"} 5`, `rookery_mentions{account="elelem",state="done"} 3`, `rookery_waiting_mentions 2`,
		`rookery_oldest_waiting_seconds 60`, `rookery_paused 1`, `rookery_budget_used{unit="money"} 0.5`, `rookery_budget_limit{unit="tokens"} 100`,
		`rookery_backup_age_seconds 3600`, `rookery_database_bytes 4096`, `rookery_failed_jobs 1`,
		`rookery_fediverse_requests_total{account="elelem",family="posts",outcome="ok"} 1`, `rookery_model_tokens_total{kind="completion"} 4`, `go_goroutines`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(body, `budget_limit{unit="money"}`) || strings.Contains(body, `poll_age_seconds{account="new"}`) {
		t.Error("a limit or a time that is none is shown")
	}
}

// A database that does not answer takes its own numbers away, and nothing else.
func TestMetricsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	m, get := serve(t, func(context.Context) (Snapshot, error) {
		return Snapshot{Accounts: []Account{{Name: "elelem"}}}, errors.New("the disk is gone")
	}, Checks{well, well})
	m.Answer("rate", time.Second, 0, 0)
	status, body := get("/metrics")
	if status != 200 || !strings.Contains(body, "rookery_up 0") || !strings.Contains(body, `rookery_model_requests_total{outcome="rate"} 1`) ||
		strings.Contains(body, "waiting_mentions") {
		t.Errorf("%d\n%s", status, body)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	_, get := serve(t, func(context.Context) (Snapshot, error) { return Snapshot{}, nil },
		Checks{Alive: well, Ready: func(context.Context) error { return errors.New("elelem is not logged in") }})
	if status, body := get("/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("%d %q", status, body)
	}
	if status, body := get("/readyz"); status != 503 || body != "elelem is not logged in\n" {
		t.Errorf("%d %q", status, body)
	}
	if status, _ := get("/"); status != 404 {
		t.Errorf("/: %d", status)
	}
}

func TestAddressInUseIsSaid(t *testing.T) {
	t.Parallel()
	m := New("v1", func(context.Context) (Snapshot, error) { return Snapshot{}, nil }, func() time.Time { return now })
	s, err := m.Listen(t.Context(), "127.0.0.1:0", Checks{well, well})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := m.Listen(t.Context(), s.Addr(), Checks{well, well}); err == nil || !strings.Contains(err.Error(), "listen in [web]") {
		t.Errorf("%v", err)
	}
}
