package jobs

import (
	"context"
	"fmt"
	"time"
)

// State is where a job stands.
type State string

// The states of a job that is not done.
const (
	Waiting  State = "waiting"
	Running  State = "running"
	Retrying State = "retrying" // waits after a failure
	Failed   State = "failed"   // its attempts are used up; kept for 90 days
)

// Info is a job as an operator sees it.
type Info struct {
	ID          int64
	Kind        string
	Key         string
	Queue       string
	State       State
	Attempt     int // attempts used, a running one included
	MaxAttempts int
	RunAt       time.Time // of a running job, when it was due; of a failed one, when it failed
	LastError   string
}

// List returns the oldest jobs that are not done, at most limit.
func (q *Queue) List(ctx context.Context, limit int) ([]Info, error) {
	all, err := q.backend.list(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return all, nil
}

// Retry runs a failed job again, with all its attempts before it, or a waiting
// one now. If another waits under its key, the two become one. It returns
// ErrNotFound or ErrRunning.
func (q *Queue) Retry(ctx context.Context, id int64) error {
	if err := q.backend.retry(ctx, id); err != nil {
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	return nil
}

// Drop removes a failed or waiting job for good. It returns ErrNotFound or
// ErrRunning.
func (q *Queue) Drop(ctx context.Context, id int64) error {
	if err := q.backend.drop(ctx, id); err != nil {
		return fmt.Errorf("drop job %d: %w", id, err)
	}
	return nil
}
