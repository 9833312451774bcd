package main

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMembersAskForAsMuchAsIsSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		requests, members, total int
		each                     []int
	}{
		{20, 4, 20, []int{3, 3, 3, 11}},
		{1000, 200, 1000, nil},
		{3, 3, 3, []int{1, 1, 1}},
		{1, 1, 1, []int{1}},
	} {
		each, total := asks(tt.requests, tt.members), 0
		for _, n := range each {
			total += n
		}
		if total != tt.total || len(each) != tt.members || tt.each != nil && !slices.Equal(each, tt.each) {
			t.Errorf("%d requests of %d members: %v, which are %d", tt.requests, tt.members, each, total)
		}
	}
}

func TestAhead(t *testing.T) {
	t.Parallel()
	for order, want := range map[string]int{
		"":       0,
		"a":      0,
		"abab":   1,
		"abba":   1,
		"aabb":   2,
		"aaab":   3,
		"abaaa":  1, // nobody else waits any more
		"abcaab": 2, // b waits still
	} {
		had := map[string]int{}
		for _, who := range strings.Split(order, "") {
			had[who]++
		}
		if lead := ahead(strings.Split(order, ""), had); order != "" && lead != want {
			t.Errorf("%s: %d, want %d", order, lead, want)
		}
	}
}

func TestWhatIsCoveredCountsOnce(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for _, tt := range []struct {
		others []span
		want   time.Duration
	}{
		{nil, 0},
		{[]span{{at(12), at(14)}}, 2 * time.Second},
		{[]span{{at(15), at(17)}, {at(12), at(16)}, {at(13), at(14)}}, 5 * time.Second},
		{[]span{{at(0), at(11)}, {at(19), at(40)}, {at(30), at(31)}}, 2 * time.Second},
		{[]span{{at(0), at(40)}}, 10 * time.Second},
	} {
		if got := covered(span{at(10), at(20)}, tt.others); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.others, got, tt.want)
		}
	}
}

func TestAHandThatIsQuickened(t *testing.T) {
	t.Parallel()
	h := &clockHand{}
	h.set(time.Hour)
	before := h.now()
	h.quicken(1000)
	began := time.Now()
	for time.Since(began) < time.Millisecond { // a clock can only be watched
		if h.now().Before(before) {
			t.Fatal("it went back")
		}
	}
	if shown := h.now().Sub(before); shown < time.Second {
		t.Errorf("after a millisecond it shows %v more", shown)
	}
	h.quicken(1)
	if shown := h.now(); shown.Before(before.Add(time.Second)) {
		t.Error("what was quick is lost")
	}
}

// What stands in ffmpeg's place does as ffmpeg does, and notes it.
func TestWhatStandsInFFmpegsPlace(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	l := &lab{progress: &said}
	l.dir = t.TempDir()
	f, err := newFFmpeg(l)
	if err != nil {
		t.Fatal(err)
	}
	if f == nil {
		t.Skip(said.String())
	}
	if made, err := f.conversions(); len(made) != 0 || err != nil {
		t.Errorf("before the first run: %v, %v", made, err)
	}
	args := []string{"-loglevel", "quiet", "-i", "file:/no such file", "-f", "null", "-"}
	for _, args := range [][]string{{"-hide_banner", "-version"}, args} {
		want, wantErr := exec.Command(f.real, args...).Output()
		got, gotErr := exec.Command(f.path(), args...).Output()
		if !bytes.Equal(got, want) || (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
			t.Errorf("%v: %d bytes and %v, want %d and %v", args, len(got), gotErr, len(want), wantErr)
		}
	}
	made, err := f.conversions()
	if err != nil || len(made) != 1 || !reflect.DeepEqual(made[0].args, args) || !made[0].to.After(made[0].from) || made[0].processor <= 0 {
		t.Errorf("noted %+v, %v", made, err)
	}
	if err := os.WriteFile(f.file("log"), []byte("1 2\t-i\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if made, err := f.conversions(); err == nil {
		t.Errorf("half a line is read as %+v", made)
	}
}
