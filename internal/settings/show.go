package settings

import (
	"context"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// Value is a field as it is set in a guild.
type Value struct {
	Field     *Field
	Text      string // canonical
	IsDefault bool
	// Broken is what is stored, if the field does not take it any more: the
	// default is in force.
	Broken string
	// ChangedBy and ChangedAt tell who changed it last, also back to the
	// default; the zero time when nobody ever did.
	ChangedBy By
	ChangedAt time.Time
}

// Sheet is all that is set in a guild.
type Sheet struct {
	Revision Revision // for Form.Shown
	Values   []Value  // all fields, by groups, in the order of their declaration
}

// Show reads a guild's settings from the database.
func (b *Book) Show(ctx context.Context, guild community.GuildID) (Sheet, error) {
	type found struct {
		row
		known bool
	}
	rows := map[string]found{}
	var sheet Sheet
	q, err := b.store.Query(ctx, `select g.revision, v.field, v.value, v.at, v.member, v.name, v.via from settings_guild g
		left join settings_value v on v.guild = g.guild where g.guild = $1`, string(guild))
	_, err = store.Collect(q, err, func(r store.Row) (struct{}, error) {
		var text, field, member, name, via *string
		var at *int64
		if err := r.Scan((*int64)(&sheet.Revision), &field, &text, &at, &member, &name, &via); err != nil || field == nil {
			return struct{}{}, err
		}
		rows[*field] = found{row{text: text, at: *at, by: By{community.MemberID(*member), *name, *via}}, true}
		return struct{}{}, nil
	})
	if err != nil {
		return Sheet{}, fmt.Errorf("show settings: %w", err)
	}
	for _, g := range b.groups {
		for _, f := range g.fields {
			v := Value{Field: f, Text: f.def}
			r := rows[f.Name()]
			if r.known {
				v.ChangedBy, v.ChangedAt = r.by, fromMS(r.at)
			}
			if r.text != nil {
				if text, bad := f.Parse(*r.text); bad == nil {
					v.Text = text
				} else {
					v.Broken = *r.text
				}
			}
			v.IsDefault = v.Text == f.def
			sheet.Values = append(sheet.Values, v)
		}
	}
	return sheet, nil
}

// Value is the field's row of the sheet.
func (s Sheet) Value(field string) (Value, bool) {
	for _, v := range s.Values {
		if v.Field.Name() == field {
			return v, true
		}
	}
	return Value{}, false
}
