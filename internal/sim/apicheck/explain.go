package apicheck

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// shownFaults is how many differences an error lists.
const shownFaults = 8

// explain puts a validation error into one line: where, and what is wrong.
func explain(err error) error {
	var bad *jsonschema.ValidationError
	if !errors.As(err, &bad) {
		return err
	}
	printer := message.NewPrinter(language.English)
	var all []string
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if branch := likely(e); branch != nil {
			walk(branch)
			return
		}
		if len(e.Causes) == 0 {
			all = append(all, place(e.InstanceLocation)+": "+e.ErrorKind.LocalizedString(printer))
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(bad)
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > shownFaults {
		all = append(all[:shownFaults], fmt.Sprintf("and %d more", len(all)-shownFaults))
	}
	return errors.New(strings.Join(all, "; "))
}

// likely is, of a value that fits no branch, the error of the branch that was
// most probably meant: of the right type, and with the fewest differences.
func likely(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
	default:
		return nil
	}
	var best *jsonschema.ValidationError
	least := 0
	for _, c := range e.Causes {
		n := differences(c, len(e.InstanceLocation))
		if best == nil || n < least {
			best, least = c, n
		}
	}
	return best
}

// differences counts what is wrong; a wrong type at depth counts for much.
func differences(e *jsonschema.ValidationError, depth int) int {
	if len(e.Causes) == 0 {
		if _, wrongType := e.ErrorKind.(*kind.Type); wrongType && len(e.InstanceLocation) == depth {
			return 1000
		}
		return 1
	}
	n := 0
	for _, c := range e.Causes {
		n += differences(c, depth)
	}
	return n
}

// place is the way to a value: $.account.id, $[0].
func place(path []string) string {
	var b strings.Builder
	b.WriteString("$")
	for _, p := range path {
		if p != "" && strings.Trim(p, "0123456789") == "" {
			fmt.Fprintf(&b, "[%s]", p)
		} else {
			b.WriteString("." + p)
		}
	}
	return b.String()
}
