package persona

import (
	"context"
	"time"

	"rookery/internal/community"
	"rookery/internal/jobs"
	"rookery/internal/turns"
)

// QueueName is the queue of the persona's jobs.
const QueueName = "persona"

// answerJob is the kind of the job that answers what waits for an account.
type answerJob struct{}

// Kind implements turns.Kind.
func (answerJob) Kind() string { return "persona.answer" }

// Work has the queue do the answering. Call it before the queue starts.
func (p *Persona) Work(q *jobs.Queue) {
	turns.Work[answerJob](p.Turns, q, turns.Rounds{
		Queue: QueueName,
		Ready: func(account community.AccountID) bool {
			_, err := p.on(account).Self(account)
			return err == nil
		},
		Round: func(ctx context.Context, account community.AccountID) (notBefore time.Time, trouble error) {
			_, trouble = p.Answer(ctx, account, -1)
			return p.askedFor(trouble), trouble
		},
	})
}
