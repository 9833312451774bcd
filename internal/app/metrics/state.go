package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// scrapeTime is how long one look at the database may take.
const scrapeTime = 5 * time.Second

// state shows a Snapshot, taken when Prometheus asks.
type state struct {
	source Source
	now    func() time.Time
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rookery_"+name, help, labels, nil)
}

var (
	up           = describe("up", "1 if the database answers.")
	connected    = describe("account_connected", "1 if the account is logged in.", "account")
	streaming    = describe("account_streaming", "1 if news come over a stream.", "account")
	sincePoll    = describe("account_poll_age_seconds", "Time since the account's notifications were last read.", "account")
	skew         = describe("account_clock_skew_seconds", "The server's clock minus ours.", "account")
	mentions     = describe("mentions", "Mentions kept, by account and state.", "account", "state")
	waiting      = describe("waiting_mentions", "Mentions that wait for an answer.")
	oldest       = describe("oldest_waiting_seconds", "How long the oldest of them has waited.")
	effects      = describe("effects", "Posts and deletions kept, by state.", "state")
	oldestEffect = describe("oldest_unfinished_effect_seconds", "Age of the oldest post or deletion that has not ended.")
	failed       = describe("failed_jobs", "Jobs that were given up; see rookery jobs.")
	paused       = describe("paused", "1 while nothing is sent (rookery pause).")
	spent        = describe("budget_used", "Used of today's budget, by unit.", "unit")
	limits       = describe("budget_limit", "Today's budget, by unit; absent if there is no limit.", "unit")
	backup       = describe("backup_age_seconds", "Time since the newest backup; absent if there is none.")
	database     = describe("database_bytes", "Size of the database.")
)

// Describe implements prometheus.Collector.
func (s *state) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{up, connected, streaming, sincePoll, skew, mentions, waiting, oldest, effects, oldestEffect,
		failed, paused, spent, limits, backup, database} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	show := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	now, err := s.source(ctx)
	show(up, bit(err == nil))
	for _, a := range now.Accounts {
		show(connected, bit(a.Connected), a.Name)
		show(streaming, bit(a.Streaming), a.Name)
		show(skew, a.Skew.Seconds(), a.Name)
		if !a.LastPoll.IsZero() {
			show(sincePoll, s.now().Sub(a.LastPoll).Seconds(), a.Name)
		}
	}
	if err != nil {
		return
	}
	for k, n := range now.Mentions {
		show(mentions, float64(n), k[0], k[1])
	}
	show(waiting, float64(now.Waiting))
	show(oldest, now.OldestWaiting.Seconds())
	for k, n := range now.Effects {
		show(effects, float64(n), k)
	}
	show(oldestEffect, now.OldestEffect.Seconds())
	show(failed, float64(now.Failed))
	show(paused, bit(now.Paused))
	for unit, v := range now.Spent {
		show(spent, v, unit)
	}
	for unit, v := range now.Limits {
		if v >= 0 {
			show(limits, v, unit)
		}
	}
	if !now.LastBackup.IsZero() {
		show(backup, s.now().Sub(now.LastBackup).Seconds())
	}
	if now.DatabaseBytes > 0 {
		show(database, float64(now.DatabaseBytes))
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
