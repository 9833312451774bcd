package store

import (
	"context"
	"sync"
)

// Lock says that this process, and no other on the same database, does a
// thing: polls an account, say. It is a division of labour and not a
// guarantee: for some seconds after a connection died two processes can both
// believe they hold it, so what is done under it must be harmless twice.
type Lock struct {
	release chan struct{}
	gone    chan struct{}
	once    sync.Once
}

func newLock() *Lock { return &Lock{release: make(chan struct{}), gone: make(chan struct{})} }

// Lost is closed once the lock is no longer held.
func (l *Lock) Lost() <-chan struct{} { return l.gone }

// Release gives the lock up and waits until others can have it. It is safe to
// call twice.
func (l *Lock) Release() {
	l.once.Do(func() { close(l.release) })
	<-l.gone
}

// TryLock takes the lock of that name, or returns nil if somebody has it. On
// SQLite, where one process owns the data directory, it holds within the
// process.
func (s *Store) TryLock(ctx context.Context, name string) (*Lock, error) { return s.tryLock(ctx, name) }

// localLocks are locks within one process.
type localLocks struct {
	mu   sync.Mutex
	held map[string]bool
}

func (l *localLocks) try(name string) (*Lock, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[name] {
		return nil, nil
	}
	if l.held == nil {
		l.held = map[string]bool{}
	}
	l.held[name] = true
	lock := newLock()
	go func() {
		<-lock.release
		l.mu.Lock()
		delete(l.held, name)
		l.mu.Unlock()
		close(lock.gone)
	}()
	return lock, nil
}
