package discordsim

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
)

// recordedFrames are the frames of a real connection, packed and not.
func recordedFrames(t *testing.T) (packed [][]byte, plain []map[string]any) {
	t.Helper()
	dir := os.Getenv("ROOKERY_TESTDATA")
	if dir == "" {
		t.Skip("ROOKERY_TESTDATA names no folder of recorded traffic")
	}
	dir = filepath.Join(dir, "captures", "discord-zlib-stream")
	for i := range 3 {
		at := filepath.Join(dir, "frame-0"+strconv.Itoa(i))
		z, err := os.ReadFile(at + ".zlib")
		if err != nil {
			t.Fatal(err)
		}
		j, err := os.ReadFile(at + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := json.Unmarshal(j, &o); err != nil {
			t.Fatal(err)
		}
		packed, plain = append(packed, z), append(plain, o)
	}
	return packed, plain
}

// TestRecordedStream reads a real stream with the tests' own decoder, and holds
// the shape of the sim's READY and GUILD_CREATE against the real ones.
func TestRecordedStream(t *testing.T) {
	t.Parallel()
	packed, plain := recordedFrames(t)
	decode := decoder(TransportZlib)
	for i, p := range packed {
		data, err := decode(p)
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := json.Unmarshal(data, &o); err != nil || !reflect.DeepEqual(o, plain[i]) {
			t.Errorf("frame %d is read as something else: %v", i, err)
		}
	}

	// The sim's own stream has the real one's header and ends each message alike.
	e, err := newEncoder(TransportZlib)
	if err != nil {
		t.Fatal(err)
	}
	var whole []byte
	for i, o := range plain {
		_, out, err := e.encode(encodePayload(o))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && !bytes.Equal(out[:1], packed[0][:1]) || !bytes.Equal(out[len(out)-4:], packed[i][len(packed[i])-4:]) {
			t.Errorf("frame %d begins % x and ends % x", i, out[:2], out[len(out)-4:])
		}
		whole = append(whole, out...)
	}
	r, err := zlib.NewReader(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) || len(back) == 0 {
		t.Errorf("the stream is read back as %d bytes, %v", len(back), err)
	}

	s := newTestServer(t, Options{})
	g := s.AddGuild("Owls")
	s.AddChannel(g, "general", Text)
	s.BotJoins(g)
	c := dial(t, s.GatewayURL(), "v=10&encoding=json")
	hello := c.next(opHello, "").object(t)
	c.send(opIdentify, identifyWith(s, everything, nil))
	sameShape(t, "HELLO", plain[0]["d"].(map[string]any), hello)
	sameShape(t, "READY", plain[1]["d"].(map[string]any), c.event("READY").object(t))
	sameShape(t, "GUILD_CREATE", plain[2]["d"].(map[string]any), c.event("GUILD_CREATE").object(t),
		"guild_hashes", "version", "activity_instances", "owner_configured_content_level", "inventory_settings", "moderator_reporting",
		"premium_features", "profile", "latest_onboarding_question_id", "clan", "hub_type") // undocumented, and left out
}

// sameShape holds the fields of an object and their kinds against a recorded one.
func sameShape(t *testing.T, name string, recorded, ours map[string]any, without ...string) {
	t.Helper()
	for k, v := range recorded {
		mine, ok := ours[k]
		switch {
		case !ok && !slices.Contains(without, k):
			t.Errorf("%s has no %s", name, k)
		case ok && v != nil && mine != nil && reflect.TypeOf(v) != reflect.TypeOf(mine):
			t.Errorf("%s has %s as %T, the recorded one as %T", name, k, mine, v)
		}
	}
}
