package settings

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/words"
)

// Problem is what is wrong with one value, for the person who wrote it.
type Problem struct {
	Field *Field // nil when no field is meant
	Line  int    // of the file; 0 when there is none
	Key   words.Key
	Args  words.Args // for Say; a list among them has no text by itself
}

func problem(k words.Key, a words.Args) *Problem { return &Problem{Key: k, Args: a} }

// phrases are an argument of several texts, which are joined by commas.
type phrases []words.Key

// Say says what is wrong and what to do, without the field's name and the line.
func (p *Problem) Say(l words.Language) string {
	args := words.Args{}
	for name, v := range p.Args {
		if list, ok := v.(phrases); ok {
			v = list.say(l)
		}
		args[name] = v
	}
	return l.Say(p.Key, args)
}

// Together is what to tell of the problems of several fields that were given
// one answer: each thing once, and of each channel all that is missing there.
func Together(all []*Problem) []*Problem {
	var out []*Problem
	for _, p := range all {
		same := slices.IndexFunc(out, func(o *Problem) bool {
			if o.Key != p.Key {
				return false
			}
			if p.Key == words.SettingsChannelPermission {
				return o.Args["channel"] == p.Args["channel"]
			}
			return o.Say(words.English) == p.Say(words.English)
		})
		if same < 0 {
			out = append(out, p)
			continue
		}
		have, ok := out[same].Args["permissions"].(phrases)
		more, _ := p.Args["permissions"].(phrases)
		if !ok {
			continue
		}
		merged := slices.Clone(have)
		for _, k := range more {
			if !slices.Contains(merged, k) {
				merged = append(merged, k)
			}
		}
		out[same] = problem(p.Key, words.Args{"channel": p.Args["channel"], "permissions": merged})
	}
	return out
}

func (list phrases) say(l words.Language) string {
	all := make([]string, len(list))
	for i, k := range list {
		all[i] = l.Say(k, nil)
	}
	return strings.Join(all, ", ")
}

// Error is the problem in English, with the line and the field.
func (p *Problem) Error() string {
	s := p.Say(words.English)
	if p.Field != nil {
		s = p.Field.Name() + ": " + s
	}
	if p.Line > 0 {
		s = fmt.Sprintf("line %d: %s", p.Line, s)
	}
	return s
}

// mostProblems bounds what is reported of one file.
const mostProblems = 100

// Refused says that nothing was changed, and all the reasons.
type Refused struct {
	Problems []*Problem // in the order of the form or the file; at least one, 100 at most
	More     int        // how many are not among them
}

// Error implements error.
func (r *Refused) Error() string {
	var b strings.Builder
	b.WriteString("nothing was changed: ")
	for i, p := range r.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(p.Error())
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "; and %d more", r.More)
	}
	return b.String()
}

func (r *Refused) add(p *Problem) {
	if r.full() {
		r.More++
		return
	}
	r.Problems = append(r.Problems, p)
}

func (r *Refused) full() bool { return len(r.Problems) >= mostProblems }

func (r *Refused) orNil() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return r
}

// Conflict is a field that somebody else has changed since a form was shown.
type Conflict struct {
	Field *Field
	Value string // the canonical text it has now
	By    By
	At    time.Time
}

// Say tells who changed it to what and when.
func (c Conflict) Say(l words.Language) string {
	var who any = c.By.Name
	if c.By.Name == "" {
		who = words.Phrase{Key: words.SettingsSomebody}
	}
	return l.Say(words.SettingsConflict, words.Args{"name": c.Field.Name(), "value": c.Field.Display(l, c.Value), "who": who, "time": c.At})
}

// ConflictError says that nothing was changed, because what a form had shown
// was changed by others meanwhile: show it anew and ask again.
type ConflictError struct {
	Conflicts []Conflict // at least one
}

// Error implements error.
func (e *ConflictError) Error() string {
	all := make([]string, len(e.Conflicts))
	for i, c := range e.Conflicts {
		all[i] = c.Say(words.English)
	}
	return "nothing was changed: " + strings.Join(all, " ")
}

// Checker knows the platform's side of a value. A *Problem it returns (see
// ChannelGone and its neighbours) is told to whoever wrote the value; any other
// error means that it could not be checked just now. Both refuse the value. It
// is never called inside a transaction.
type Checker interface {
	// CheckChannel sees whether the channel is in the guild, is of one of the
	// kinds (any, if there are none), and lets the bot do what it needs.
	CheckChannel(ctx context.Context, guild community.GuildID, channel community.ChannelID, kinds []ChannelKind, needs []Permission) error
	// CheckRole sees whether the role is in the guild.
	CheckRole(ctx context.Context, guild community.GuildID, role community.RoleID) error
}
