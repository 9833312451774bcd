package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// module is the path in go.mod.
const module = "rookery"

// goFile is one parsed file, whatever its build tags say.
type goFile struct {
	folder string // from the project's root, with slashes
	name   string
	test   bool
	ast    *ast.File
}

// project parses every Go file of the module.
func project(t *testing.T) []goFile {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module "+module+"\n") {
		t.Fatalf("%s is not the module's root: %v", root, err)
	}
	var files []goFile
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || isModule(path)) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		files = append(files, goFile{filepath.ToSlash(folder), d.Name(), strings.HasSuffix(path, "_test.go"), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	edges, self := map[edge]bool{}, false
	for _, f := range project(t) {
		self = self || f.folder == "internal/archtest"
		// Also a package that neither imports nor is imported needs a rank.
		edges[edge{f.folder, f.folder, f.test}] = true
		for _, spec := range f.ast.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if to, ok := strings.CutPrefix(path, module+"/"); ok {
				edges[edge{f.folder, to, f.test}] = true
			}
		}
	}
	if !self {
		t.Error("this package was not found: the search looks in the wrong place")
	}
	said := map[string]bool{}
	for e := range edges {
		if why := wrong(e); why != "" && !said[why] {
			said[why] = true
			t.Error(why)
		}
	}
}

func TestNothingRunsByItself(t *testing.T) {
	t.Parallel()
	for _, f := range project(t) {
		if hasInit(f.ast) {
			t.Errorf("%s/%s has a function init: say it in app, where a reader sees it happen", f.folder, f.name)
		}
	}
}

func hasInit(f *ast.File) bool {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			return true
		}
	}
	return false
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, f := range project(t) {
		if !f.test {
			documented[f.folder] = documented[f.folder] || hasPackageDoc(f.ast)
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: open one of its files with what the package is for and what it leaves to others", folder)
		}
	}
}

// hasPackageDoc wants a sentence, in the form that go doc shows.
func hasPackageDoc(f *ast.File) bool {
	doc := f.Doc.Text()
	if f.Name.Name == "main" {
		return len(strings.Fields(doc)) > 3
	}
	return strings.HasPrefix(doc, "Package "+f.Name.Name+" ") && len(strings.Fields(doc)) > 4
}

func TestTheGuardsCanFail(t *testing.T) {
	t.Parallel()
	const in = "internal/"
	edges := map[string]struct {
		edge edge
		want string // a part of the complaint; "" for an import that is right
	}{
		"cmd to app":                  {edge{"cmd/rookery", in + "app", false}, ""},
		"app to feature":              {edge{in + "app/config", in + "persona", false}, ""},
		"feature to platform":         {edge{in + "persona", in + "fedi", false}, ""},
		"feature to floor":            {edge{in + "persona", in + "community", false}, ""},
		"feature to kit":              {edge{in + "persona", in + "llm", false}, ""},
		"kit to community":            {edge{in + "llm", in + "community", false}, ""},
		"sim to sim":                  {edge{in + "sim/fedisim", in + "sim/apicheck", false}, ""},
		"app to sim":                  {edge{in + "app/sandbox", in + "sim/fedisim", false}, ""},
		"test to sim":                 {edge{in + "fedi", in + "sim/fedisim", true}, ""},
		"kit's test to sim":           {edge{in + "llm", in + "sim/llmsim", true}, ""},
		"anyone to failpoint":         {edge{in + "clock", in + "failpoint", false}, ""},
		"own folder below":            {edge{in + "app", in + "app/sandbox", false}, ""},
		"own folder above":            {edge{in + "app/sandbox", in + "app", false}, ""},
		"helper to its own":           {edge{in + "store/storetest", in + "store", false}, ""},
		"helper beside its own":       {edge{in + "jobstest", in + "jobs", false}, ""},
		"helper to a helper below":    {edge{in + "jobs/jobstest", in + "store/storetest", false}, ""},
		"test to helper":              {edge{in + "inbox", in + "store/storetest", true}, ""},
		"app to cmd":                  {edge{in + "app", "cmd/rookery", false}, "imports go down"},
		"feature to app":              {edge{in + "persona", in + "app", false}, "imports go down"},
		"feature to feature":          {edge{in + "persona", in + "gifs", false}, "one rank"},
		"feature to feature's folder": {edge{in + "persona", in + "gifs/danbooru", false}, "one rank"},
		"platform to platform":        {edge{in + "discord", in + "fedi", false}, "one rank"},
		"platform to feature":         {edge{in + "fedi", in + "persona", false}, "imports go down"},
		"inbox to outbox":             {edge{in + "inbox", in + "outbox", false}, "one rank"},
		"inbox to platform":           {edge{in + "inbox", in + "fedi", false}, "imports go down"},
		"jobs to outbox":              {edge{in + "jobs", in + "outbox", false}, "imports go down"},
		"jobs to settings":            {edge{in + "jobs", in + "settings", false}, "one rank"},
		"store to jobs":               {edge{in + "store", in + "jobs", false}, "imports go down"},
		"also in a test":              {edge{in + "store", in + "jobs", true}, "(in a test): imports go down"},
		"floor to floor":              {edge{in + "words", in + "community", false}, "neither knows"},
		"floor to kit":                {edge{in + "community", in + "htmltext", false}, "neither knows"},
		"failpoint to clock":          {edge{in + "failpoint", in + "clock", false}, "neither knows"},
		"anyone to archtest":          {edge{in + "app", in + "archtest", false}, "neither knows"},
		"kit to kit":                  {edge{in + "llm", in + "htmltext", false}, "community at most"},
		"kit to clock":                {edge{in + "llm", in + "clock", false}, "community at most"},
		"kit to sim":                  {edge{in + "llm", in + "sim/llmsim", false}, "community at most"},
		"sim to what it simulates":    {edge{in + "sim/fedisim", in + "fedi", true}, "community at most"},
		"feature to sim":              {edge{in + "persona", in + "sim/llmsim", false}, "simulators are for tests"},
		"code to helper":              {edge{in + "jobs", in + "store/storetest", false}, "only tests"},
		"code to its own helper":      {edge{in + "store", in + "store/storetest", false}, "only tests"},
		"helper upwards":              {edge{in + "store/storetest", in + "jobs", false}, "imports go down"},
		"new folder":                  {edge{in + "weather", in + "weather", false}, "internal/weather has no rank"},
		"new folder's helper":         {edge{in + "weathertest", in + "weathertest", false}, "has no rank"},
		"to a new folder":             {edge{in + "app", in + "weather", false}, "internal/weather has no rank"},
		"outside of internal":         {edge{"pkg/api", "pkg/api", false}, "pkg/api has no rank"},
	}
	for name, tt := range edges {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := wrong(tt.edge)
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}

	sources := map[string]struct {
		source    string
		init, doc bool
	}{
		"good":           {"// Package x is for the test and leaves all else.\npackage x\nfunc (T) init() {}\ntype T int", false, true},
		"init":           {"package x\nfunc init() {}", true, false},
		"detached":       {"// Package x is for the test.\n\npackage x", false, false},
		"another name":   {"// Package y is for the test.\npackage x", false, false},
		"says nothing":   {"// Package x is\npackage x", false, false},
		"command":        {"// Rookery runs the bot.\npackage main", false, true},
		"silent command": {"package main", false, false},
	}
	for name, tt := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := parser.ParseFile(token.NewFileSet(), "x.go", tt.source, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if hasInit(f) != tt.init || hasPackageDoc(f) != tt.doc {
				t.Errorf("init %v, doc %v", hasInit(f), hasPackageDoc(f))
			}
		})
	}
}
