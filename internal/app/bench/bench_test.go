package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"rookery/internal/app/apptest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == measureWord { // as main does: the bench starts this program
		os.Exit(measureChild(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// The numbers of so small a world mean nothing: every part has to come to its
// end and give its rows.
func TestEverythingIsMeasured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "bench.json")
	var out, progress bytes.Buffer
	err := bench(t.Context(), []string{"-program", apptest.Build(t, ""), "-dir", dir, "-json", file,
		"-mentions", "90", "-way", "3", "-runs", "1"}, &out, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	judged := map[string]int{}
	for _, row := range r.Rows {
		if row.Met != nil {
			judged[row.Part]++
		}
		for _, f := range row.Figures {
			if !(f.Value > 0) {
				t.Errorf("%s: %s is %v", row.What, f.Name, f.Value)
			}
		}
		if !strings.Contains(out.String(), row.What) {
			t.Errorf("the table does not hold %q", row.What)
		}
	}
	for part, want := range map[string]int{"rates": 3, "way": 1, "once": 2, "start": 2, "size": 1} {
		if judged[part] < want {
			t.Errorf("part %s has %d rows with an aim, not %d:\n%s", part, judged[part], want, out.String())
		}
	}
	if r.Machine.Cores == 0 || r.Machine.SyncMS <= 0 {
		t.Errorf("the machine is not described: %+v", r.Machine)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}

func TestWhatAPersonMayAskFor(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-only speed":     "the parts are rates, way, once, start, size",
		"-only way,speed": "-only speed",
		"-mentions 1":     "-mentions must be at least 2",
		"-runs 0":         "-runs at least 1",
		"rates":           `"rates" is no flag`,
	} {
		err := bench(t.Context(), strings.Fields(args), &bytes.Buffer{}, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	chosen, err := choose("size,way")
	if err != nil || len(chosen) != 2 || chosen[0].name != "way" || chosen[1].name != "size" {
		t.Errorf("%v %v", chosen, err)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, tt := range []struct {
		values  []float64
		q, want float64
	}{
		{hundred, 0, 1}, {hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100},
		{[]float64{7}, 0, 7}, {[]float64{7}, 0.99, 7}, {[]float64{3, 1, 2}, 0.5, 2}, {[]float64{2, 1}, 0.5, 1},
	} {
		if got := quantile(tt.values, tt.q); got != tt.want {
			t.Errorf("quantile %v of %v: %v, want %v", tt.q, tt.values, got, tt.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		row       row
		aim, word string
	}{
		{single("a", "mentions/s", 2000).judge(aim{AtLeast: 2000}), "at least 2000", "met"},
		{single("a", "mentions/s", 1999).judge(aim{AtLeast: 2000}), "at least 2000", "missed"},
		{single("a", "MB", 25).judge(aim{Under: 25}), "under 25", "missed"},
		{spread("a", "ms", []float64{60, 49, 1}).judge(aim{Under: 50}), "under 50", "met"},
		{spread("a", "ms", []float64{60, 51, 1}).judge(aim{Under: 50}), "under 50", "missed"},
		{shares("a", "ms", []float64{60, 19, 1}).judge(aim{Under: 20}), "under 20", "met"},
		{single("a", "MB", 5), "–", ""},
		{on("PostgreSQL", []row{single("a", "MB", 5).judge(aim{Under: 1})})[0], "–", ""},
	} {
		if a, word := tt.row.verdict(); a != tt.aim || word != tt.word {
			t.Errorf("%s: %q, %q", tt.row.measured(), a, word)
		}
	}
}

func TestTheLogIsReadAsItComes(t *testing.T) {
	t.Parallel()
	var got []line
	l := &logReader{told: func(n line) { n.at = time.Time{}; got = append(got, n) }}
	for _, piece := range []string{
		`{"msg":"ready","le`, `vel":"INFO"}` + "\n" + `{"msg":"mentions taken in","new":80}` + "\n", "rookery: no such file\n",
		`{"msg":"mentions taken in","new":3}`, "\n", `{"msg":"cut off`,
	} {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	want := []line{{Message: "ready", Level: "INFO"}, {Message: "mentions taken in", New: 80}, {Message: "mentions taken in", New: 3}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v", got)
	}
	if _, err := l.since(time.Now(), "ready"); err != nil {
		t.Error(err)
	}
	if _, err := l.since(time.Now(), "logged in"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a message that never came: %v", err)
	}
}
