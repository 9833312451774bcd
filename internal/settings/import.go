package settings

import (
	"context"
	"errors"
	"slices"

	"rookery/internal/community"
	"rookery/internal/words"
)

// MostFile is how large a file may be, in bytes.
const MostFile = 256 << 10

// Import changes the fields that stand in a file, as Export writes it; the
// others stay as they are. It is all or nothing: *Refused names all that is
// wrong (100 at most), with its lines. Values may also be written as people
// write them in commands: "on", "<#123>".
func (b *Book) Import(ctx context.Context, guild community.GuildID, file []byte, by By, check Checker) ([]Change, error) {
	p, err := b.PrepareImport(ctx, guild, file, by, check)
	if err != nil {
		return nil, err
	}
	return p.write(ctx)
}

// PrepareImport is Prepare for a file.
func (b *Book) PrepareImport(ctx context.Context, guild community.GuildID, file []byte, by By, check Checker) (*Prepared, error) {
	values, wrong := b.readFile(file)
	form := Form{Guild: guild, By: by, Check: check}
	lines := make([]int, 0, len(values))
	for _, v := range values {
		form.Values = append(form.Values, Raw{Field: v.field.Name(), Text: v.text})
		lines = append(lines, v.line)
	}
	p, err := b.prepare(ctx, form, wrong, lines)
	if refused, ok := errors.AsType[*Refused](err); ok {
		slices.SortStableFunc(refused.Problems, func(a, b *Problem) int { return a.Line - b.Line })
	}
	return p, err
}

// fileValue is a field in a file.
type fileValue struct {
	field *Field
	line  int
	text  string // for Parse
}

// readFile takes a file apart; nothing is parsed or checked yet.
func (b *Book) readFile(file []byte) ([]fileValue, *Refused) {
	wrong := &Refused{}
	if len(file) > MostFile {
		wrong.add(problem(words.SettingsFileTooLarge, words.Args{"max": MostFile >> 10}))
		return nil, wrong
	}
	r := &fileReader{book: b, wrong: wrong, first: map[string]int{}}
	r.read(file)
	return r.values, wrong
}
