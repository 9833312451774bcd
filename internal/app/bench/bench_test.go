package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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
		"-mentions", "90", "-members", "9", "-way", "3", "-runs", "1", "-days", "4",
		"-requests", "18", "-megabytes", "1", "-photo", "0.1", "-submissions", "12"}, &out, &progress)
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
			// Nothing of the small numbers that count what goes wrong may be missing, but they may be 0;
			// so may a part of a way that was over before the server knew.
			if mayBe0 := strings.HasPrefix(row.What, "  ") || row.Unit == "members" || row.Unit == "leaps" || row.Unit == "jobs" || row.Unit == "requests" || row.Unit == "messages"; !(f.Value > 0 || mayBe0 && f.Value == 0) {
				t.Errorf("%s: %s is %v", row.What, f.Name, f.Value)
			}
		}
		if !strings.Contains(out.String(), row.What) {
			t.Errorf("the table does not hold %q", row.What)
		}
	}
	for part, want := range map[string]int{"rates": 3, "way": 1, "stream": 1, "fair": 1, "picture": 1, "convert": 3, "queue": 6, "gallery": 3, "once": 2, "start": 2, "year": 1, "size": 1} {
		if judged[part] < want {
			t.Errorf("part %s has %d rows with an aim, not %d:\n%s", part, judged[part], want, out.String())
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(r.Rows), func(row row) bool { return row.Part != "prompt" })); n < 13 {
		t.Errorf("part prompt has %d rows:\n%s", n, out.String())
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
		"-only speed":     "the parts are rates, way, stream, prompt, fair, picture, convert, queue, gallery, rush, once, start, year, discord, size",
		"-only way,speed": "-only speed",
		"-mentions 1":     "-mentions must be at least 2",
		"-runs 0":         "-runs at least 1",
		"-days 3":         "-days must be at least 4",
		"-requests 0":     "-requests must be at least 1",
		"-megabytes 41":   "-megabytes must be from 1 to 40",
		"-photo 10":       "-photo must be from 0.1 to 9",
		"-submissions 0":  "-submissions must be from 1 to 1000",
		"-members 20001":  "at most -mentions, which is 10000",
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

func TestRounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		order           string
		members         int
		lead, outOfTurn int
	}{
		{"abcabcabc", 3, 1, 0},
		{"abccbabac", 3, 1, 0}, // another order in each round
		{"abaccbabc", 3, 2, 2}, // a came again before c had come
		{"aaabbbccc", 3, 3, 3}, // one member after the other
		{"abab", 3, 2, 2},      // c never comes
		{"aaa", 1, 0, 0},
	} {
		lead, out := rounds(strings.Split(tt.order, ""), tt.members)
		if lead != tt.lead || out != tt.outOfTurn {
			t.Errorf("%s: lead %d, out of turn %d, want %d, %d", tt.order, lead, out, tt.lead, tt.outOfTurn)
		}
	}
}

func TestMetricsAreRead(t *testing.T) {
	t.Parallel()
	m := readMetrics([]byte("# HELP go_goroutines so many\ngo_goroutines 31\nrookery_up 1\nrookery_waiting_mentions 0\n" +
		"process_resident_memory_bytes 3.5e+07\n" +
		"rookery_effects{state=\"confirmed\"} 7\nrookery_effects{state=\"sent\"} 2\nrookery_effects{state=\"planned\"} 1\nnonsense\n"))
	if m["go_goroutines"] != 31 || m["process_resident_memory_bytes"] != 35e6 || len(m) != 7 {
		t.Errorf("read %v", m)
	}
	if got := m.sum("rookery_effects", `state="planned"`, `state="sent"`); got != 3 {
		t.Errorf("sum %v", got)
	}
	if m.quiet() {
		t.Error("with effects under way it is not quiet")
	}
	delete(m, `rookery_effects{state="sent"}`)
	delete(m, `rookery_effects{state="planned"}`)
	if !m.quiet() {
		t.Error("it is quiet")
	}
	if delete(m, "rookery_up"); m.quiet() {
		t.Error("without an answer of the database nothing is known")
	}
}

// yearOf has fifteen months, in which the database grows until rows are let go.
func yearOf(memory func(month int) float64) *yearlong {
	y := &yearlong{lab: &lab{options: options{days: 450}}, log: newYearLog()}
	for i := 1; i <= 15; i++ {
		y.samples = append(y.samples, sample{mentions: 600 * i, memory: memory(i),
			contents: contents{Used: int64(1000 * 600 * min(i, 13)), Rows: map[string]int64{"job": 0}}})
	}
	return y
}

func TestWhatAYearSays(t *testing.T) {
	t.Parallel()
	find := func(y *yearlong, what string) row {
		for _, r := range y.rows() {
			if strings.Contains(r.What, what) {
				return r
			}
		}
		t.Fatalf("no row says %q", what)
		return row{}
	}
	flat := yearOf(func(int) float64 { return 40 })
	if r := find(flat, "that is for each mention"); r.Figures[0].Value != 1000 {
		t.Errorf("for each mention: %s", r.measured())
	}
	if r := find(flat, "for each day"); r.Figures[0].Value != 20 {
		t.Errorf("for each day: %s", r.measured())
	}
	if r := find(flat, "in use at the end"); r.Figures[0].Value != 1 {
		t.Errorf("at the end: %s", r.measured())
	}
	if r := find(flat, "memory, the last months"); !*r.Met || r.Figures[0].Value != 1 {
		t.Errorf("level memory: %+v", r)
	}
	leak := yearOf(func(month int) float64 { return 40 + 2*float64(month) })
	if r := find(leak, "memory, the last months"); *r.Met {
		t.Errorf("a leak of 2 MB a month is called level: %s", r.measured())
	}
	for days, want := range map[int]int{4: 1, 40: 10, 119: 29, 450: 30} {
		if got := monthOf(days); got != want {
			t.Errorf("a month of %d days has %d, not %d", days, got, want)
		}
	}
}

func TestTheLogOfAYear(t *testing.T) {
	t.Parallel()
	y := newYearLog()
	l := &logReader{told: y.read}
	text := `{"level":"INFO","msg":"mentions taken in","new":2}
{"level":"INFO","msg":"backup made"}
{"level":"WARN","msg":"for the operator","about":"budget/day//tokens/80/2026-11-21","notice":"…"}
{"level":"WARN","msg":"answering pauses","error":"no"}
{"level":"WARN","msg":"answering pauses","error":"no again"}
`
	if _, err := l.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if y.expectMore(2); !y.allTaken() || y.backups != 1 || y.operator["budget"] != 1 || y.warnings["answering pauses"] != 2 || len(y.first) != 1 {
		t.Errorf("%+v", y)
	}
	if y.expectMore(1); y.allTaken() {
		t.Error("one has not been taken in")
	}
}
