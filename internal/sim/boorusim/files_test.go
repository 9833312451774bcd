package boorusim

import (
	"bytes"
	"encoding/json"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAnimations(t *testing.T) {
	t.Parallel()
	for _, a := range []Animation{{Width: 64, Height: 48, Frames: 4}, {Width: 1, Height: 1, Frames: 2}, {Width: 33, Height: 7, Frames: 1}, {Width: 50, Height: 90, Frames: 6, Scene: Rainbow}} {
		data := a.bytes()
		if !bytes.Equal(data, a.bytes()) {
			t.Errorf("%+v is drawn in two ways", a)
		}
		g, err := gif.DecodeAll(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%+v: %v", a, err)
		}
		if len(g.Image) != a.Frames || g.Config.Width != a.Width || g.Config.Height != a.Height || g.Delay[0] != 10 {
			t.Errorf("%+v: %d frames of %d x %d", a, len(g.Image), g.Config.Width, g.Config.Height)
		}
	}
	if bytes.Equal(GIF(64, 48, 4), GIF(64, 48, 5)) {
		t.Error("nothing moves")
	}
}

// Whoever looks around sees something, and something that moves.
func TestPleasantWorld(t *testing.T) {
	t.Parallel()
	all := Pleasant()
	if len(all) < 12 {
		t.Error(len(all), "pictures")
	}
	seen := map[string]bool{}
	small, large := false, false
	for _, im := range all {
		small, large = small || im.Width == 120 && im.Height == 90, large || im.Width == 1600 && im.Height == 1200
		if im.Rating != Safe || len(im.Artists) == 0 || im.Frames < 2 || seen[string(im.Scene)] {
			t.Errorf("%+v", im)
		}
		seen[string(im.Scene)] = true
		w, h := Dimensions(im, ThumbSmall)
		data := Animation{Width: w, Height: h, Frames: im.Frames, Scene: im.Scene}.bytes()
		g, err := gif.DecodeAll(bytes.NewReader(data))
		if err != nil || len(g.Image) != im.Frames {
			t.Fatalf("%s: %v", im.Scene, err)
		}
		colors := map[byte]bool{}
		for _, p := range g.Image[0].Pix {
			colors[p] = true
		}
		if len(colors) < 2 || g.Image[1].Rect.Dx()*g.Image[1].Rect.Dy() < 2 {
			t.Errorf("%s: %d colours, %v changes", im.Scene, len(colors), g.Image[1].Rect)
		}
	}
	if !small || !large {
		t.Error("the sizes are not as promised")
	}
}

func TestHeavy(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Heavy(&b, 301, 77, 3); err != nil || int64(b.Len()) != HeavySize(301, 77, 3) {
		t.Fatalf("%d bytes, not %d, %v", b.Len(), HeavySize(301, 77, 3), err)
	}
	if g, err := gif.DecodeAll(&b); err != nil || len(g.Image) != 3 {
		t.Error(err)
	}
	for _, size := range []int64{1, 10_000, 25_000_000} {
		n := HeavyFrames(640, 480, size)
		if HeavySize(640, 480, n) < size || n > 1 && HeavySize(640, 480, n-1) >= size {
			t.Errorf("%d frames for %d bytes", n, size)
		}
	}
	c := start(t, Config{})
	c.s.Add(Image{Rating: Safe, Width: 1000, Height: 1000, Files: map[string]File{Full: {Kind: HeavyGIF}}})
	var doc struct {
		Image struct {
			Size            int64
			Representations map[string]string
		}
	}
	_, body := c.get(c.s.URL() + philomenaAPI + "images/1")
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	resp, err := c.open(doc.Image.Representations[Full])
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != doc.Image.Size || n != resp.ContentLength || n < 25_000_000 {
		t.Errorf("%d bytes of %d, %d told, %v", n, resp.ContentLength, doc.Image.Size, err)
	}
}

func TestRepresentations(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	c.s.Add(Image{Width: 1600, Height: 900, Frames: 2}, Image{Width: 100, Height: 40}, Image{Format: "png"}, Image{Format: "jpg"},
		Image{Format: "webm", Files: map[string]File{MP4: {Kind: Whole, Bytes: []byte("film")}}})
	e := c.s.find(1)
	for name, want := range map[string][2]int{Full: {1600, 900}, Large: {1280, 720}, Medium: {800, 450}, Small: {320, 180}, Thumb: {250, 140},
		ThumbSmall: {150, 84}, ThumbTiny: {50, 28}, Tall: {1024, 576}} {
		address, _ := c.s.representations(e)[name].(string)
		resp, body := c.get(address)
		g, err := gif.DecodeConfig(bytes.NewReader(body))
		if err != nil || g.Width != want[0] || g.Height != want[1] || resp.Header.Get("Content-Type") != "image/gif" || resp.ContentLength != int64(len(body)) {
			t.Errorf("%s: %d x %d, %v", name, g.Width, g.Height, err)
		}
	}
	if w, h := Dimensions(Image{Width: 100, Height: 40}, Large); w != 100 || h != 40 {
		t.Error(w, h)
	}
	_, body := c.get(c.s.fileURL(c.s.find(3), Large))
	if _, err := png.Decode(bytes.NewReader(body)); err != nil {
		t.Error(err)
	}
	_, body = c.get(c.s.viewURL(c.s.find(4), true))
	if _, err := jpeg.Decode(bytes.NewReader(body)); err != nil {
		t.Error(err)
	}
	if resp, _ := c.get(c.s.viewURL(c.s.find(5), false)); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
	film, _ := c.s.representations(c.s.find(5))[MP4].(string)
	if resp, body := c.get(film); string(body) != "film" || resp.Header.Get("Content-Type") != "video/mp4" {
		t.Error(resp.Status, film)
	}
	for _, path := range []string{"/", "/img/2024/1/1/9/large.gif", "/img/2024/1/1/1/huge.gif", "/img/view/2024/1/1/x.gif"} {
		if resp, _ := c.get(c.s.CDN() + path); resp.StatusCode != 404 {
			t.Error(path, resp.Status)
		}
	}
	files := c.s.Files()
	if len(files) == 0 || files[0].Image != 1 || files[len(files)-1].Representation != MP4 {
		t.Errorf("%+v", files)
	}
}

func TestHostileFiles(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	whole := GIF(64, 48, 4)
	get := func(f File) (*http.Response, []byte, error) {
		t.Helper()
		c.s.Add(Image{ID: 1, Files: map[string]File{All: f}})
		resp, err := c.open(c.s.fileURL(c.s.find(1), Large))
		if err != nil {
			return nil, nil, err
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
		return resp, body, err
	}
	for kind, want := range map[FileKind]struct {
		status int
		kind   string
		ok     func(*http.Response, []byte, error) bool
	}{
		HugeCanvas: {200, "image/gif", func(_ *http.Response, b []byte, _ error) bool {
			g, err := gif.DecodeConfig(bytes.NewReader(b))
			return err == nil && g.Width == 30_000 && g.Height == 30_000 && len(b) < 2048
		}},
		HalfFile: {200, "image/gif", func(_ *http.Response, b []byte, err error) bool {
			return err == nil && bytes.Equal(b, whole[:len(whole)/2])
		}},
		PNGFile: {200, "image/gif", func(_ *http.Response, b []byte, _ error) bool {
			_, err := png.Decode(bytes.NewReader(b))
			return err == nil
		}},
		HTMLFile:  {200, "image/gif", func(_ *http.Response, b []byte, _ error) bool { return strings.HasPrefix(string(b), "<!DOCTYPE") }},
		EmptyFile: {200, "image/gif", func(_ *http.Response, b []byte, err error) bool { return len(b) == 0 && err == nil }},
		EndlessFile: {200, "image/gif", func(r *http.Response, b []byte, err error) bool {
			return len(b) == 4<<20 && r.ContentLength < 0 && err == nil
		}},
		MovedFile:   {302, "text/html; charset=utf-8", func(r *http.Response, _ []byte, _ error) bool { return r.Header.Get("Location") == PrivateAddress }},
		MissingFile: {404, "text/html; charset=utf-8", nil},
		BrokenFile:  {500, "text/html; charset=utf-8", nil},
		SlowFile:    {200, "image/gif", func(_ *http.Response, b []byte, err error) bool { return err == nil && bytes.Equal(b, whole) }},
		ResetFile:   {200, "image/gif", func(_ *http.Response, b []byte, err error) bool { return err != nil && len(b) <= len(whole)/2 }},
		WrongType:   {200, "text/plain", func(_ *http.Response, b []byte, _ error) bool { return bytes.Equal(b, whole) }},
		WrongLength: {200, "image/gif", func(_ *http.Response, b []byte, err error) bool { return err != nil && bytes.Equal(b, whole) }},
		NoLength: {200, "image/gif", func(r *http.Response, b []byte, err error) bool {
			return r.ContentLength < 0 && bytes.Equal(b, whole) && err == nil
		}},
	} {
		resp, body, err := get(File{Kind: kind})
		if resp == nil || resp.StatusCode != want.status || resp.Header.Get("Content-Type") != want.kind || want.ok != nil && !want.ok(resp, body, err) {
			t.Errorf("%s: %v, %d bytes, %v", kind, resp, len(body), err)
		}
	}
	if resp, _, _ := get(File{Kind: MovedFile, To: "file:///etc/passwd"}); resp.Header.Get("Location") != "file:///etc/passwd" {
		t.Error(resp.Header)
	}
	c.s.Add(Image{ID: 1, NoThumbnails: true})
	if resp, _ := c.get(c.s.fileURL(c.s.find(1), Large)); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	c := start(t, Config{NoLimits: true})
	c.s.Add(Image{Rating: Safe, Tags: []string{"a"}}, Image{Rating: Safe})
	search := c.s.URL() + philomenaAPI + "search/images?q=safe"
	_, right := c.get(search)
	for kind, want := range map[Kind]struct {
		status int
		ok     func(*http.Response, []byte) bool
	}{
		RateLimited: {429, func(r *http.Response, _ []byte) bool { return r.Header.Get("Retry-After") == "2" }},
		ServerError: {500, func(_ *http.Response, b []byte) bool { return len(b) == 0 }},
		Challenge: {501, func(r *http.Response, _ []byte) bool {
			return strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
		}},
		BadGateway: {502, nil}, Unavailable: {503, nil}, Forbidden: {403, nil},
		HTMLPage: {200, func(r *http.Response, _ []byte) bool {
			return strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
		}},
		Garbage:   {200, func(_ *http.Response, b []byte) bool { return !json.Valid(b) }},
		EmptyBody: {200, func(_ *http.Response, b []byte) bool { return len(b) == 0 }},
		HugeJSON:  {200, func(_ *http.Response, b []byte) bool { return len(b) > 3<<20 && json.Valid(b) }},
		Deep:      {200, func(_ *http.Response, b []byte) bool { return len(b) > 6<<20 }},
		Elsewhere: {302, func(r *http.Response, _ []byte) bool { return r.Header.Get("Location") == "http://10.0.0.1/" }},
		Slow:      {200, func(_ *http.Response, b []byte) bool { return bytes.Equal(b, right) }},
		Truncated: {200, func(_ *http.Response, b []byte) bool { return bytes.Equal(b, right[:len(right)/2]) }},
		NoResults: {200, func(_ *http.Response, b []byte) bool { return string(b) == `{"images":[],"interactions":[],"total":0}` }},
		Nulls: {200, func(_ *http.Response, b []byte) bool {
			return strings.Contains(string(b), `"id":null`) && strings.Contains(string(b), `"total":2`)
		}},
		WrongTypes: {200, func(_ *http.Response, b []byte) bool {
			return json.Valid(b) && strings.Contains(string(b), `"id":"2"`) && strings.Contains(string(b), `"tags":"a list, once"`) && strings.Contains(string(b), `"processed":"true"`)
		}},
	} {
		c.s.Inject(Fault{Kind: kind, RetryAfter: 1500 * time.Millisecond, Size: 3<<20 + 9, To: "http://10.0.0.1/"})
		resp, body := c.get(search)
		if resp.StatusCode != want.status || want.ok != nil && !want.ok(resp, body) {
			t.Errorf("%s: %v %.200s", kind, resp, body)
		}
		if last := c.s.Requests(); last[len(last)-1].Fault != kind || last[len(last)-1].Status != want.status {
			t.Errorf("%s: %+v", kind, last[len(last)-1])
		}
	}
	if _, body := c.get(search); !bytes.Equal(body, right) {
		t.Error("a fault came twice")
	}

	c.s.Inject(Fault{Kind: Reset, Times: Always})
	if _, err := c.open(search); err == nil {
		t.Error("no reset")
	}
	c.s.ClearFaults()
	c.s.Inject(Fault{Kind: CutOff})
	if resp, err := c.open(search); err != nil {
		t.Error(err)
	} else if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("not cut off")
	}
	c.s.Inject(Fault{Kind: Garbage, When: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "images/") }, Times: 2},
		Fault{Kind: BadGateway, Files: true, Times: Always}, Fault{Kind: "nonsense", Probability: 1})
	var got []string
	for _, address := range []string{search, c.s.URL() + philomenaAPI + "images/1", c.s.URL() + philomenaAPI + "images/1", c.s.URL() + philomenaAPI + "images/1",
		c.s.fileURL(c.s.find(1), Large), c.s.fileURL(c.s.find(1), Full), search} {
		resp, body := c.get(address)
		got = append(got, strconv.Itoa(resp.StatusCode)+strconv.FormatBool(json.Valid(body)))
	}
	if s := strings.Join(got, " "); s != "501false 200false 200false 200true 502false 502false 200true" {
		t.Error(s)
	}
	c.s.ClearFaults()
	c.s.Inject(Fault{Kind: CutOff, Files: true}, Fault{Kind: Slow, Files: true})
	resp, err := c.open(c.s.fileURL(c.s.find(1), Large))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("not cut off")
	}
	if _, body := c.get(c.s.fileURL(c.s.find(1), Large)); !bytes.Equal(body, GIF(64, 48, 4)) {
		t.Error("slow is not right")
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	c.s.Inject(Fault{Kind: Hang})
	ended := make(chan error, 1)
	go func() {
		_, err := c.open(c.s.URL() + philomenaAPI + "search/images?q=a")
		ended <- err
	}()
	if err := c.s.WaitFor(t.Context(), func() bool { return c.s.Count() == 1 }); err != nil {
		t.Fatal(err)
	}
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the server closed and answered")
	}
	if err := c.s.Close(); err != nil {
		t.Error(err)
	}
}
