package settings

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

const (
	// readFor bounds one look at the database.
	readFor = 5 * time.Second
	// stale is how old values may be that are used because the database could
	// not be asked.
	stale = time.Minute
	// mostGuilds and mostWarned bound the memory.
	mostGuilds = 5000
	mostWarned = 1000
)

// snapshot is what is stored of a guild, decoded; it never changes.
type snapshot struct {
	revision Revision
	values   map[*Field]any // without those that have their default
}

// entry is a guild's place in memory.
type entry struct {
	asking chan struct{} // held by who asks the database
	// Under the Book's mutex:
	snap    *snapshot // nil: to be read
	checked time.Time // when the database was asked last
	drops   int       // how often snap was found out of date by our own changes
}

type warning struct {
	guild community.GuildID
	field *Field
}

// snapshot is the guild's values: from memory if they were compared with the
// database within Recheck. One asks at a time; meanwhile the others go on with
// what there is, unless a change of this process has made it void.
func (b *Book) snapshot(ctx context.Context, guild community.GuildID) (*snapshot, error) {
	e, snap, age := b.remembered(guild)
	if snap != nil && age >= 0 && age < Recheck {
		return snap, nil
	}
	if snap != nil && age < stale {
		select {
		case e.asking <- struct{}{}:
		default:
			return snap, nil
		}
	} else {
		select {
		case e.asking <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	defer func() { <-e.asking }()
	return b.refresh(ctx, guild, e)
}

// remembered is the guild's entry and what is in it.
func (b *Book) remembered(guild community.GuildID) (*entry, *snapshot, time.Duration) {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.guilds[guild]
	if e == nil {
		if len(b.guilds) >= mostGuilds {
			for other := range b.guilds { // any: it is read again when needed
				delete(b.guilds, other)
				break
			}
		}
		e = &entry{asking: make(chan struct{}, 1)}
		b.guilds[guild] = e
	}
	return e, e.snap, now.Sub(e.checked)
}

// refresh asks the database; the caller holds e.asking.
func (b *Book) refresh(ctx context.Context, guild community.GuildID, e *entry) (*snapshot, error) {
	now := b.clock.Now()
	b.mu.Lock()
	snap, checked, drops := e.snap, e.checked, e.drops
	b.mu.Unlock()
	if age := now.Sub(checked); snap != nil && age >= 0 && age < Recheck {
		return snap, nil // somebody else was faster
	}
	bounded, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	fresh, err := b.load(bounded, guild, snap)
	if err != nil {
		if snap != nil && now.Sub(checked) < stale && ctx.Err() == nil {
			return snap, nil
		}
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.drops == drops { // else a change came between the reading and now
		e.snap, e.checked = fresh, now
	}
	return fresh, nil
}

// load reads a guild's values, or returns the known ones if they still hold.
func (b *Book) load(ctx context.Context, guild community.GuildID, known *snapshot) (*snapshot, error) {
	if known != nil {
		var revision Revision
		err := b.store.QueryRow(ctx, `select revision from settings_guild where guild = $1`, string(guild)).Scan((*int64)(&revision))
		if err != nil && !errors.Is(err, store.ErrNoRows) {
			return nil, fmt.Errorf("see whether settings have changed: %w", err)
		}
		if revision == known.revision {
			return known, nil
		}
	}
	// One statement sees one state.
	rows, err := b.store.Query(ctx, `select g.revision, v.field, v.value from settings_guild g
		left join settings_value v on v.guild = g.guild and v.value is not null where g.guild = $1`, string(guild))
	snap := &snapshot{values: map[*Field]any{}}
	_, err = store.Collect(rows, err, func(r store.Row) (struct{}, error) {
		var name, text *string
		if err := r.Scan((*int64)(&snap.revision), &name, &text); err != nil || name == nil || text == nil {
			return struct{}{}, err
		}
		if f, ok := b.fields[*name]; ok {
			if v, ok := b.decode(guild, f, *text); ok {
				snap.values[f] = v
			}
		}
		return struct{}{}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return snap, nil
}

// valueIn is one field's value, nil for the default.
func (b *Book) valueIn(ctx context.Context, tx store.Tx, guild community.GuildID, f *Field) (any, error) {
	var text *string
	err := tx.QueryRow(ctx, `select value from settings_value where guild = $1 and field = $2`, string(guild), f.Name()).Scan(&text)
	if errors.Is(err, store.ErrNoRows) || err == nil && text == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, _ := b.decode(guild, f, *text)
	return v, nil
}

// decode is a stored text as a value; false, with one warning in the log, if
// the field does not take it any more.
func (b *Book) decode(guild community.GuildID, f *Field, text string) (any, bool) {
	_, v, bad := f.parse(text)
	if bad == nil {
		return v, true
	}
	b.mu.Lock()
	key := warning{guild, f}
	_, again := b.warned[key]
	if !again && len(b.warned) < mostWarned {
		b.warned[key] = struct{}{}
	}
	again = again || len(b.warned) >= mostWarned
	b.mu.Unlock()
	if !again {
		b.log.Warn("a stored setting is of no use any more; its default is used", "guild", string(guild), "setting", f.Name(), "error", bad)
	}
	return nil, false
}

// drop makes what is remembered of a guild void.
func (b *Book) drop(guild community.GuildID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.guilds[guild]; e != nil {
		e.snap = nil
		e.drops++
	}
}
