package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/operations.md promises to explain every message of the log from level
// info on, and every metric. These tests keep the promise.

// manual is that page.
func manual(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// chapter is what stands between a heading and the next of its level or above.
func chapter(page, heading string) string {
	_, rest, ok := strings.Cut("\n"+page, "\n## "+heading+"\n")
	if !ok {
		return ""
	}
	before, _, _ := strings.Cut(rest, "\n## ")
	return before
}

// logMethods are slog's, with the place of the message among the arguments.
var logMethods = map[string]int{"Info": 0, "Warn": 0, "Error": 0, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1}

// messages are what a file logs. A message that is no literal, nor a variable
// that gets literals in the same function, is reported as "".
func messages(f *ast.File) map[string]bool {
	found := map[string]bool{}
	for _, d := range f.Decls {
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			at, ok := logMethods[sel.Sel.Name]
			if !ok || len(call.Args) <= at { // err.Error(), entry.Info()
				return true
			}
			for _, m := range texts(call.Args[at], d) {
				found[m] = true
			}
			return true
		})
	}
	return found
}

// texts are the values that a message can have.
func texts(e ast.Expr, within ast.Node) []string {
	if s, ok := literal(e); ok {
		return []string{s}
	}
	name, ok := e.(*ast.Ident)
	if !ok {
		return []string{""}
	}
	var all []string
	ast.Inspect(within, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != len(a.Rhs) {
			return true
		}
		for i, to := range a.Lhs {
			if id, ok := to.(*ast.Ident); ok && id.Name == name.Name {
				s, _ := literal(a.Rhs[i])
				all = append(all, s)
			}
		}
		return true
	})
	if all == nil {
		return []string{""}
	}
	return all
}

func literal(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(b.Value)
	return s, err == nil
}

// atWork tells whether a file is part of the program as an operator runs it.
func atWork(f goFile) bool {
	if f.test {
		return false
	}
	for part := range strings.SplitSeq(f.folder, "/") {
		if part == "sim" || part == "bench" || part == "sandbox" || strings.HasSuffix(part, "test") {
			return false
		}
	}
	return true
}

// firstColumn is what the rows of the tables in a chapter begin with, in
// backquotes.
func firstColumn(text string) map[string]bool {
	cells := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(text, -1) {
		cells[m[1]] = true
	}
	return cells
}

func TestEveryLogMessageIsExplained(t *testing.T) {
	t.Parallel()
	const heading = "Log messages"
	explained := firstColumn(chapter(manual(t), heading))
	logged := map[string]bool{}
	for _, f := range project(t) {
		if !atWork(f) {
			continue
		}
		for m := range messages(f.ast) {
			switch logged[m] = true; {
			case m == "":
				t.Errorf("%s/%s: write the log message as a literal, so that it can be looked up", f.folder, f.name)
			case !explained[m]:
				t.Errorf("%s/%s: the log message %q has no row under “%s” in docs/operations.md: say what it means and what to do", f.folder, f.name, m, heading)
			}
		}
	}
	if len(logged) < 20 {
		t.Errorf("only %d log messages were found: the search is broken", len(logged))
	}
	for m := range explained {
		if !logged[m] {
			t.Errorf("docs/operations.md explains the log message %q, which the program does not write", m)
		}
	}
}

// metricNames are the metrics that a file makes: by the client library's
// options, or by describe, which puts the program's name in front.
func metricNames(f *ast.File) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			if s, lit := literal(n.Value); ok && lit && key.Name == "Name" {
				names[s] = true
			}
		case *ast.CallExpr:
			fn, ok := n.Fun.(*ast.Ident)
			if !ok || fn.Name != "describe" || len(n.Args) == 0 {
				return true
			}
			if s, lit := literal(n.Args[0]); lit {
				names["rookery_"+s] = true
			}
		}
		return true
	})
	return names
}

func TestEveryMetricIsExplained(t *testing.T) {
	t.Parallel()
	page := manual(t)
	explained := firstColumn(chapter(page, "Metrics"))
	made := map[string]bool{}
	for _, f := range project(t) {
		if f.folder == "internal/app/metrics" && !f.test {
			maps.Copy(made, metricNames(f.ast))
		}
	}
	if len(made) < 10 {
		t.Errorf("only %d metrics were found: the search is broken", len(made))
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if !explained[name] {
			t.Errorf("the metric %s has no row under “Metrics” in docs/operations.md: say what it means and when to worry", name)
		}
	}
	for _, gone := range unknownMetrics(page, made) {
		t.Errorf("docs/operations.md speaks of the metric %s, which there is not", gone)
	}
}

// unknownMetrics are the names of metrics on a page, also in its examples, that
// are not made. A histogram has three names more than its own.
func unknownMetrics(page string, made map[string]bool) []string {
	unknown := map[string]bool{}
	for _, name := range regexp.MustCompile(`\brookery_[a-z_]+`).FindAllString(page, -1) {
		base := name
		for _, end := range []string{"_bucket", "_sum", "_count"} {
			base = strings.TrimSuffix(base, end)
		}
		if !made[name] && !made[base] {
			unknown[name] = true
		}
	}
	return slices.Sorted(maps.Keys(unknown))
}

func TestTheManualsGuardsCanFail(t *testing.T) {
	t.Parallel()
	const source = `package x
func (s *server) run(err error, more string) {
	s.log.Info("one", "k", 1)
	s.log.With("a", 2).WarnContext(ctx, "two")
	text := "three"
	if more != "" {
		text = "four"
	}
	l.Warn(text)
	l.Error(more)
	l.Debug("not this")
	_ = err.Error()
}`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "x.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(messages(f))), []string{"", "four", "one", "three", "two"}; !slices.Equal(got, want) {
		t.Errorf("messages: %q, want %q", got, want)
	}

	const page = "# P\n\n## A\n\n| x | y |\n|---|---|\n| `one` | it |\n\n### a\n\n| `rookery_b_seconds` | |\n\n## B\n\n| `two` | |\nrookery_b_seconds_bucket rookery_gone\n"
	if got := firstColumn(chapter(page, "A")); len(got) != 2 || !got["one"] || !got["rookery_b_seconds"] {
		t.Errorf("first column: %v", got)
	}
	if got := unknownMetrics(page, map[string]bool{"rookery_b_seconds": true}); !slices.Equal(got, []string{"rookery_gone"}) {
		t.Errorf("unknown metrics: %q", got)
	}
	f, err = parser.ParseFile(fset, "y.go", "package y\nvar a = describe(\"a\", \"help\")\nvar b = O{Name: \"rookery_b\", Help: \"c\"}", parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(metricNames(f))); !slices.Equal(got, []string{"rookery_a", "rookery_b"}) {
		t.Errorf("metrics: %q", got)
	}
	for folder, want := range map[string]bool{"internal/fedi": true, "internal/app/backup": true, "cmd/rookery": true, "internal/sim/fedisim": false,
		"internal/app/bench": false, "internal/app/sandbox": false, "internal/app/apptest": false} {
		if got := atWork(goFile{folder: folder}); got != want {
			t.Errorf("%s is at work: %v", folder, got)
		}
	}
}
