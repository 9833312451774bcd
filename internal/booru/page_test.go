package booru

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	code = regexp.MustCompile("`([^`]+)`")
	pipe = regexp.MustCompile(`(^|[^\\])\|`) // that ends a cell
)

// spans are what stands in backquotes.
func spans(cell string) (all []string) {
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		all = append(all, strings.ReplaceAll(m[1], `\|`, "|"))
	}
	return all
}

// terms are the tags of a cell that says what is looked for.
func terms(cell string) []Term {
	with, without, _ := strings.Cut(cell, "without ")
	var all []Term
	for _, tag := range spans(with) {
		all = append(all, yes(tag))
	}
	for _, tag := range spans(without) {
		all = append(all, not(tag))
	}
	return all
}

// The page tells members what they may write: each of its rows is so, and each
// rule of Parse has one.
func TestThePageSaysWhatParseDoes(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "pictures.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "| you write | it looks for |\n|---|---|\n")
	if !ok {
		t.Fatal("there is no table of what may be written")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	shown := ""
	for row := range strings.Lines(table) {
		cells := pipe.Split(strings.TrimSpace(row), -1)
		if len(cells) != 4 {
			t.Fatalf("not two cells: %s", row)
		}
		typed, means := spans(cells[1]), cells[2]
		if len(typed) == 0 {
			t.Errorf("no example: %s", row)
		}
		for _, text := range typed {
			shown += text + "\n"
			got := Parse(text)
			if want := terms(means); !slices.Equal(got.Terms, want) {
				t.Errorf("%s is read as %v, the page says %v", text, got.Terms, want)
			}
			for word, is := range map[string]bool{"any picture": got.Random, "NSFW too": got.NSFW, "nothing": got.Empty()} {
				if strings.Contains(means, word) != is {
					t.Errorf("%s: “%s” is %v, the page says%s", text, word, is, means)
				}
			}
		}
	}
	for _, rule := range rules(t) {
		if !strings.Contains(shown, rule) {
			t.Errorf("docs/pictures.md shows nothing like %s, which the comment of Parse explains", rule)
		}
	}
}

// rules are the examples in the comment of Parse: what stands under "typed".
func rules(t *testing.T) (all []string) {
	t.Helper()
	source, err := os.ReadFile("parse.go")
	if err != nil {
		t.Fatal(err)
	}
	const head = "//\ttyped "
	_, table, _ := strings.Cut(string(source), head)
	first, table, _ := strings.Cut(table, "\n")
	width := strings.Index(first, "read as")
	for line := range strings.Lines(table) {
		line, is := strings.CutPrefix(line, "//\t")
		if !is {
			break
		}
		typed := []rune(line)
		for example := range strings.SplitSeq(string(typed[:len("typed ")+width]), "  ") {
			if example = strings.TrimSpace(example); example != "" {
				all = append(all, example)
			}
		}
	}
	if len(all) < 15 {
		t.Fatalf("only %d examples were found in the comment of Parse: %q", len(all), all)
	}
	return all
}
