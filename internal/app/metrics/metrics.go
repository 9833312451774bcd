// Package metrics shows how the program fares: counts and times for
// Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/),
// and two addresses that say whether it is alive and at work.
//
// What is kept in the database is read when somebody asks (Source), so that
// the numbers are right after a restart too; what passes by is counted here.
// It leaves to docs/operations.md what a number means to an operator.
package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Snapshot is the state of things at one moment.
type Snapshot struct {
	Accounts []Account
	// Mentions are how many there are, by account and state.
	Mentions map[[2]string]int
	// Waiting mentions, and how long the oldest has waited.
	Waiting       int
	OldestWaiting time.Duration
	// Effects are how many there are, by state; OldestEffect is the age of
	// the oldest that is not finished.
	Effects      map[string]int
	OldestEffect time.Duration
	Failed       int // jobs that were given up
	Paused       bool
	// Spent today, and the limits (negative for none), by unit.
	Spent, Limits map[string]float64
	LastBackup    time.Time // zero if there is none
	DatabaseBytes int64     // 0 if unknown
}

// Account is one of our accounts.
type Account struct {
	Name                 string
	Connected, Streaming bool
	LastPoll             time.Time
	Skew                 time.Duration // the server's clock minus ours
}

// Source reads the state of things.
type Source func(ctx context.Context) (Snapshot, error)

// Metrics counts what passes by. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	answers  *prometheus.CounterVec
	thinking prometheus.Histogram
	tokens   *prometheus.CounterVec
	searches *prometheus.CounterVec
	pictures *prometheus.CounterVec
	shared   *prometheus.CounterVec
}

// slow are the bounds of histograms for what may take minutes, in seconds.
var slow = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 180}

// New makes the metrics of one process. clock tells how old things are.
func New(version string, source Source, now func() time.Time) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_fediverse_requests_total",
			Help: "Requests to the accounts' servers, by family of rate limits and outcome."}, []string{"account", "family", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "rookery_fediverse_request_seconds",
			Help: "How long requests to the accounts' servers took.", Buckets: slow}, []string{"account"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_model_requests_total",
			Help: "Questions to the language model, by outcome."}, []string{"outcome"}),
		thinking: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "rookery_model_seconds",
			Help: "How long the language model took to answer, its retries included.", Buckets: slow}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_model_tokens_total",
			Help: "Tokens that the language model said it used."}, []string{"kind"}),
		searches: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_board_searches_total",
			Help: "Searches at image boards, by board and outcome."}, []string{"board", "outcome"}),
		pictures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_picture_requests_total",
			Help: "Requests for pictures, by what came of them."}, []string{"outcome"}),
		shared: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rookery_submissions_total",
			Help: "What members were asked to share, or asked to, by what came of it."}, []string{"outcome"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "rookery_build_info", Help: "1; the version is in the label.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.answers, m.thinking, m.tokens, m.searches, m.pictures, m.shared, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&state{source: source, now: now})
	return m
}

// Request counts a request to an account's server.
func (m *Metrics) Request(account, family, outcome string, took time.Duration) {
	m.requests.WithLabelValues(account, family, outcome).Inc()
	m.seconds.WithLabelValues(account).Observe(took.Seconds())
}

// Answer counts a question to the model.
func (m *Metrics) Answer(outcome string, took time.Duration, prompt, completion int) {
	m.answers.WithLabelValues(outcome).Inc()
	m.thinking.Observe(took.Seconds())
	m.tokens.WithLabelValues("prompt").Add(float64(prompt))
	m.tokens.WithLabelValues("completion").Add(float64(completion))
}

// Search counts a search at an image board.
func (m *Metrics) Search(board, outcome string) { m.searches.WithLabelValues(board, outcome).Inc() }

// Picture counts a request for a picture by what came of it.
func (m *Metrics) Picture(outcome string) { m.pictures.WithLabelValues(outcome).Inc() }

// Submission counts what became of something that could be shared.
func (m *Metrics) Submission(outcome string) { m.shared.WithLabelValues(outcome).Inc() }
