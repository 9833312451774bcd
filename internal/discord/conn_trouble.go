package discord

import "sync"

// troubles tells the operator of each kind of trouble once, and once that it
// is over.
type troubles struct {
	d  *Discord
	mu sync.Mutex
	on map[TroubleKind]error
}

// set says that there is trouble, or with nil that there is none.
func (t *troubles) set(kind TroubleKind, err error) {
	t.mu.Lock()
	_, was := t.on[kind]
	switch {
	case err != nil:
		if t.on == nil {
			t.on = map[TroubleKind]error{}
		}
		t.on[kind] = err
	default:
		delete(t.on, kind)
	}
	t.mu.Unlock()
	if was == (err != nil) || t.d.Trouble == nil {
		return
	}
	t.d.Trouble(kind, err)
}

// all are the troubles there are now.
func (t *troubles) all() map[TroubleKind]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[TroubleKind]string, len(t.on))
	for kind, err := range t.on {
		out[kind] = err.Error()
	}
	return out
}
