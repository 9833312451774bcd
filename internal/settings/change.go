package settings

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Raw is a field and what somebody wrote for it.
type Raw struct {
	Field string // whole name
	Text  string
	Reset bool // to the default, whatever Text is
}

// Form is one or more fields to be changed together, or not at all.
type Form struct {
	Guild  community.GuildID
	By     By
	Values []Raw
	// Shown is the guild's revision when the person saw the values (see
	// Book.Show): whoever changed one of these fields since makes a conflict.
	// Nil: the last one wins, and Change.Old tells what was there.
	Shown *Revision
	// Check is asked about channels and roles. Nil: nothing is.
	Check Checker
}

// Prepared is a Form whose values are parsed and checked, to be applied in a
// transaction, as often as that is repeated.
type Prepared struct {
	book   *Book
	guild  community.GuildID
	by     By
	shown  *Revision
	values []ready
}

type ready struct {
	field *Field
	text  string
}

// Set prepares and applies a form in a transaction of its own. It returns what
// was changed, in the order of the form, without what had that value already;
// *Refused if anything is wrong with a value, *ConflictError if somebody else
// was faster. After either nothing is changed.
func (b *Book) Set(ctx context.Context, form Form) ([]Change, error) {
	p, err := b.Prepare(ctx, form)
	if err != nil {
		return nil, err
	}
	return p.write(ctx)
}

// Reset gives fields their defaults.
func (b *Book) Reset(ctx context.Context, guild community.GuildID, by By, fields ...string) ([]Change, error) {
	form := Form{Guild: guild, By: by}
	for _, name := range fields {
		form.Values = append(form.Values, Raw{Field: name, Reset: true})
	}
	return b.Set(ctx, form)
}

func (p *Prepared) write(ctx context.Context) ([]Change, error) {
	var changes []Change
	err := p.book.store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		changes, err = p.Apply(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// Prepare parses a form and has it checked, outside any transaction. It
// returns *Refused with all that is wrong.
func (b *Book) Prepare(ctx context.Context, form Form) (*Prepared, error) {
	return b.prepare(ctx, form, &Refused{}, nil)
}

// prepare adds to what is wrong already; lines are those of the file, one for
// each value.
func (b *Book) prepare(ctx context.Context, form Form, wrong *Refused, lines []int) (*Prepared, error) {
	if err := checkGuild(form.Guild); err != nil {
		return nil, fmt.Errorf("change settings: %w", err)
	}
	p := &Prepared{book: b, guild: form.Guild, by: form.By.stored(), shown: form.Shown}
	for i, raw := range form.Values {
		bad, err := b.one(ctx, form, raw, p)
		if err != nil {
			return nil, err
		}
		if bad != nil {
			own := *bad // a Checker may return the same one twice
			if lines != nil {
				own.Line = lines[i]
			}
			wrong.add(&own)
		}
	}
	if err := wrong.orNil(); err != nil {
		return nil, err
	}
	return p, nil
}

// one takes a value over into p, or says what is wrong with it.
func (b *Book) one(ctx context.Context, form Form, raw Raw, p *Prepared) (*Problem, error) {
	f, ok := b.fields[raw.Field]
	if !ok {
		return b.unknown(raw.Field), nil
	}
	if slices.ContainsFunc(p.values, func(r ready) bool { return r.field == f }) {
		return nil, fmt.Errorf("change settings: %s is in the form twice", f.Name())
	}
	text := f.def
	if !raw.Reset {
		var bad *Problem
		if text, bad = f.Parse(raw.Text); bad != nil {
			return bad, nil
		}
		if err := f.check(ctx, form, text); err != nil {
			if bad, ok := errors.AsType[*Problem](err); ok {
				own := *bad
				own.Field = f
				return &own, nil
			}
			return nil, fmt.Errorf("check %s: %w", f.Name(), err)
		}
	}
	p.values = append(p.values, ready{f, text})
	return nil, nil
}

// check asks the form's Checker about every channel or role of a value.
func (f *Field) check(ctx context.Context, form Form, text string) error {
	if form.Check == nil {
		return nil
	}
	for _, id := range f.Items(text) {
		var err error
		if f.kind == KindChannel || f.kind == KindChannels {
			err = form.Check.CheckChannel(ctx, form.Guild, community.ChannelID(id), f.rule.Kinds, f.rule.Needs)
		} else {
			err = form.Check.CheckRole(ctx, form.Guild, community.RoleID(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unknown is a name that no field has, with the one that was probably meant.
func (b *Book) unknown(name string) *Problem {
	if near := b.near(name); near != "" {
		return problem(words.SettingsUnknownNear, words.Args{"name": clip(name), "near": near})
	}
	return problem(words.SettingsUnknown, words.Args{"name": clip(name)})
}

// row is what is stored of a field.
type row struct {
	text     *string
	revision Revision
	by       By
	at       int64
}

// Apply makes the changes in the caller's transaction: values, audit and
// hooks. See Set for what it returns; after *ConflictError nothing is written
// yet, and the caller may go on with its transaction.
func (p *Prepared) Apply(ctx context.Context, tx store.Tx) ([]Change, error) {
	changes, err := p.apply(ctx, tx)
	if _, ours := errors.AsType[*ConflictError](err); err != nil && !ours {
		return nil, fmt.Errorf("change settings: %w", err)
	}
	return changes, err
}

func (p *Prepared) apply(ctx context.Context, tx store.Tx) ([]Change, error) {
	// This locks the guild's row, so that two who change a guild's settings
	// come one after the other.
	var revision Revision
	err := tx.QueryRow(ctx, `insert into settings_guild (guild, revision) values ($1, 0)
		on conflict (guild) do update set revision = settings_guild.revision returning revision`, string(p.guild)).Scan((*int64)(&revision))
	if err != nil {
		return nil, err
	}
	var changes []Change
	var conflicts []Conflict
	for _, v := range p.values {
		r, err := stored(ctx, tx, p.guild, v.field)
		if err != nil {
			return nil, err
		}
		now := v.field.def
		if r.text != nil {
			now = *r.text
		}
		if now == v.text {
			continue
		}
		if p.shown != nil && r.revision > *p.shown {
			untouched, err := p.untouched(ctx, tx, v)
			if err != nil {
				return nil, err
			}
			if !untouched {
				conflicts = append(conflicts, Conflict{v.field, now, r.by, fromMS(r.at)})
			}
			continue
		}
		c := Change{Field: v.field, Old: now, New: v.text}
		if r.revision > 0 {
			c.OldBy, c.OldAt = r.by, fromMS(r.at)
		}
		changes = append(changes, c)
	}
	if conflicts != nil {
		return nil, &ConflictError{conflicts}
	}
	if changes == nil {
		return nil, nil
	}
	if err := p.store(ctx, tx, revision, changes); err != nil {
		return nil, err
	}
	for _, h := range p.book.hooks {
		if err := h(ctx, tx, p.guild, slices.Clone(changes)); err != nil {
			return nil, err
		}
	}
	tx.AfterCommit(func() { p.book.drop(p.guild) })
	return changes, nil
}

// untouched tells that a field of a form of several came back as the form had
// shown it: its sender meant the others. It is known from the first change
// after that.
func (p *Prepared) untouched(ctx context.Context, tx store.Tx, v ready) (bool, error) {
	if len(p.values) < 2 {
		return false, nil
	}
	var was string
	err := tx.QueryRow(ctx, `select old from settings_audit where guild = $1 and field = $2 and revision > $3
		order by revision limit 1`, string(p.guild), v.field.Name(), int64(*p.shown)).Scan(&was)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	return was == v.text, err
}

// store writes the changes under a new revision. It is taken from the time, so
// that it is also larger than those that the guild had before it was purged:
// other processes, and forms, may remember them.
func (p *Prepared) store(ctx context.Context, tx store.Tx, revision Revision, changes []Change) error {
	now := ms(p.book.clock.Now())
	next := max(int64(revision)+1, p.book.clock.Now().UnixMicro())
	if _, err := tx.Exec(ctx, `update settings_guild set revision = $2 where guild = $1`, string(p.guild), next); err != nil {
		return err
	}
	for _, c := range changes {
		var text *string
		if c.New != c.Field.def {
			text = &c.New
		}
		if _, err := tx.Exec(ctx, `insert into settings_value (guild, field, value, revision, at, member, name, via)
			values ($1, $2, $3, $4, $5, $6, $7, $8)
			on conflict (guild, field) do update set value = excluded.value, revision = excluded.revision, at = excluded.at,
				member = excluded.member, name = excluded.name, via = excluded.via`,
			string(p.guild), c.Field.Name(), text, next, now, string(p.by.Member), p.by.Name, p.by.Via); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into settings_audit (guild, revision, field, at, member, name, via, old, new)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			string(p.guild), next, c.Field.Name(), now, string(p.by.Member), p.by.Name, p.by.Via, c.Old, c.New); err != nil {
			return err
		}
	}
	return nil
}

// stored is a field's row; the zero row if it was never changed.
func stored(ctx context.Context, tx store.Tx, guild community.GuildID, f *Field) (row, error) {
	var r row
	err := tx.QueryRow(ctx, `select value, revision, at, member, name, via from settings_value where guild = $1 and field = $2`,
		string(guild), f.Name()).Scan(&r.text, (*int64)(&r.revision), &r.at, (*string)(&r.by.Member), &r.by.Name, &r.by.Via)
	if errors.Is(err, store.ErrNoRows) {
		return row{}, nil
	}
	return r, err
}
