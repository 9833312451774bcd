package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is all that was measured.
type report struct {
	Machine machine `json:"machine"`
	Rows    []row   `json:"rows"`
	Seconds float64 `json:"seconds"` // that the measuring took
	// Others is the part of all processors that other programs had meanwhile;
	// below 0 where the system does not tell.
	Others float64 `json:"others"`
}

// row is one line of the table.
type row struct {
	Part    string   `json:"part"`
	What    string   `json:"what"`
	Unit    string   `json:"unit"`
	Figures []figure `json:"figures"`
	Aim     *aim     `json:"aim,omitempty"`
	Met     *bool    `json:"met,omitempty"` // nil without an aim
}

// figure is one number of a row.
type figure struct {
	Name  string  `json:"name,omitempty"` // like "median"; empty for a single number
	Value float64 `json:"value"`
}

// aim is what a number should be, in the row's unit.
type aim struct {
	AtLeast float64 `json:"at_least,omitempty"`
	Under   float64 `json:"under,omitempty"`
}

func (a aim) String() string {
	if a.AtLeast > 0 {
		return "at least " + number(a.AtLeast)
	}
	return "under " + number(a.Under)
}

// single is a row of one number.
func single(what, unit string, value float64) row {
	return row{What: what, Unit: unit, Figures: []figure{{"", value}}}
}

// spread is a row of the least, middle and greatest of several runs.
func spread(what, unit string, values []float64) row {
	return row{What: what, Unit: unit, Figures: []figure{
		{"min", quantile(values, 0)}, {"median", quantile(values, 0.5)}, {"max", quantile(values, 1)}}}
}

// shares is a row of what half, 99 in 100, and all of many values stay under.
func shares(what, unit string, values []float64) row {
	return row{What: what, Unit: unit, Figures: []figure{
		{"p50", quantile(values, 0.5)}, {"p99", quantile(values, 0.99)}, {"max", quantile(values, 1)}}}
}

// on marks rows as measured on another database than SQLite, for which the
// aims are not.
func on(database string, rows []row) []row {
	for i := range rows {
		rows[i].What += ", " + database
		rows[i].Aim, rows[i].Met = nil, nil
	}
	return rows
}

// judge sets the aim and compares the row's middle number with it.
func (r row) judge(a aim) row {
	i := max(0, slices.IndexFunc(r.Figures, func(f figure) bool { return f.Name == "median" || f.Name == "p50" }))
	v := r.Figures[i].Value
	met := v >= a.AtLeast
	if a.Under > 0 {
		met = v < a.Under
	}
	r.Aim, r.Met = &a, &met
	return r
}

// quantile is the value that the part q of all is not above: 0.5 for the
// middle one. It is one of the values, never between two.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	case v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func (r row) measured() string {
	var all []string
	for _, f := range r.Figures {
		all = append(all, strings.TrimSpace(f.Name+" "+number(f.Value)))
	}
	return strings.Join(all, ", ") + " " + r.Unit
}

func (r row) verdict() (aim, word string) {
	if r.Aim == nil {
		return "–", ""
	}
	if *r.Met {
		return r.Aim.String(), "met"
	}
	return r.Aim.String(), "missed"
}

// print writes the table for a person.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s\n\n", r.Machine)
	t := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "what\tmeasured\taim\tis")
	for _, row := range r.Rows {
		a, word := row.verdict()
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", row.What, row.measured(), a, word)
	}
	_ = t.Flush() // a terminal that is gone misses it
	fmt.Fprintf(out, "\nmeasured in %.0f s", r.Seconds)
	if r.Others >= 0 {
		fmt.Fprintf(out, "; other programs had %.0f %% of the processors meanwhile", 100*r.Others)
	}
	fmt.Fprintln(out)
}

// save writes the same as JSON.
func (r *report) save(file string) error {
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the numbers: %w", err)
	}
	return nil
}
