package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/store"
)

// childEnv makes the test binary a process at work on the directory it names,
// until it is killed.
const childEnv = "ROOKERY_CONTROL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

func child(dir string) int {
	_, err := store.LockDir(dir, "run")
	s := NewServer(Config{Dir: dir})
	Register(s, "greet", greeting)
	if err == nil {
		err = s.Start(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

type greet struct{ Name string }

func greeting(_ context.Context, g greet) (string, error) {
	switch g.Name {
	case "":
		return "", errors.New("say whom to greet")
	case "nobody":
		return "", fmt.Errorf("greet: %w", Coded("absent", errors.New("nobody is here")))
	case "panic":
		panic("what a name")
	}
	return "Hello, " + g.Name, nil
}

func itself(_ context.Context, g greet) (string, error) { return "itself " + g.Name, nil }

// serve is a process at work, with the directory's lock.
func serve(t *testing.T, dir string) *Server {
	t.Helper()
	lock, err := store.LockDir(dir, "run")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(Config{Dir: dir})
	Register(s, "greet", greeting)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Stop(context.Background()), s.Stop(context.Background()), lock.Release()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestCommandReachesTheProcessAtWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir)
	direct := Locked(dir, "greet", func(context.Context, greet) (string, error) {
		t.Error("the command acted itself")
		return "", nil
	})
	for name, want := range map[string]struct{ answer, problem, code string }{
		"Ada":                      {"Hello, Ada", "", ""},
		"":                         {"", "say whom to greet", CodeFailed},
		"nobody":                   {"", "greet: nobody is here", "absent"},
		"panic":                    {"", "see the log of process", CodeInternal},
		strings.Repeat("x", 2<<20): {"", "larger than", CodeRequest},
	} {
		got, err := Do(t.Context(), dir, "greet", greet{name}, direct)
		if got != want.answer || CodeOf(err) != want.code || err != nil && !strings.Contains(err.Error(), want.problem) {
			t.Errorf("greet %.20q: %q, %v (%s), want %+v", name, got, err, CodeOf(err), want)
		}
	}
	if _, err := Do(t.Context(), dir, "dance", greet{"Ada"}, direct); CodeOf(err) != CodeUnknown {
		t.Errorf("an unknown action: %v", err)
	}
	type newer struct {
		Name  string
		Force bool
	}
	if _, err := Do(t.Context(), dir, "greet", newer{"Ada", true}, func(context.Context, newer) (string, error) { return "", nil }); CodeOf(err) != CodeRequest || !strings.Contains(err.Error(), "restart") {
		t.Errorf("a request of another version: %v", err)
	}
}

func TestCodesAreTheSameWithoutTheWire(t *testing.T) {
	_, err := Do(t.Context(), t.TempDir(), "greet", greet{"nobody"}, greeting)
	if CodeOf(err) != "absent" {
		t.Errorf("%v has code %q", err, CodeOf(err))
	}
	if CodeOf(nil) != "" || CodeOf(io.EOF) != CodeFailed {
		t.Errorf("nil has code %q, any error %q", CodeOf(nil), CodeOf(io.EOF))
	}
}

func TestFileIsForItsOwnerAndGoesWithTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName+".123.partial"), nil, 0o600); err != nil { // of a process that was killed
		t.Fatal(err)
	}
	s := serve(t, dir)
	file, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil || runtime.GOOS != "windows" && file.Mode() != 0o600 {
		t.Errorf("%v, %v", file.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.partial")); len(left) != 0 {
		t.Errorf("left over: %q", left)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, FileName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the end: %v", err)
	}
	if err := s.Start(t.Context()); err == nil {
		t.Error("it started again")
	}
}

func TestWithoutAProcessTheCommandActsItself(t *testing.T) {
	t.Parallel()
	file := func(text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, FileName), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"there never was one": func(*testing.T, string) {},
		"it was killed":       killed,
		"another has its port": func(t *testing.T, dir string) {
			another := serve(t, t.TempDir())
			c := another.contact
			c.Token = "of the one before"
			if err := c.write(dir); err != nil {
				t.Fatal(err)
			}
		},
		"another program has its port": func(t *testing.T, dir string) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					t.Error("a stranger was told the token")
				}
				fmt.Fprint(w, `{"result":{"pid":1,"proof":"trust me"}}`)
			}))
			t.Cleanup(s.Close)
			if err := (contact{Address: s.Listener.Addr().String(), PID: 1, Token: "secret"}).write(dir); err != nil {
				t.Fatal(err)
			}
		},
		"file is empty":   file(""),
		"file is cut":     file(`{"address":"127.0`),
		"file leads away": file(`{"address":"192.0.2.1:80","token":"x"}`),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			prepare(t, dir)
			if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNotRunning) {
				t.Errorf("Dial: %v", err)
			}
			got, err := Do(t.Context(), dir, "greet", greet{"Ada"}, Locked(dir, "greet", itself))
			if got != "itself Ada" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			serve(t, dir) // the next one is found
			got, err = Do(t.Context(), dir, "greet", greet{"Ada"}, Locked(dir, "greet", itself))
			if got != "Hello, Ada" || err != nil {
				t.Errorf("once there is one: %q, %v", got, err)
			}
		})
	}
}

// killed leaves dir as a process does that was at work and was killed.
func killed(t *testing.T, dir string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, _ := out.Read(b)
	if strings.TrimSpace(string(b[:n])) != "ready" {
		t.Errorf("the child says %s", b[:n])
	}
	got, err := Do(t.Context(), dir, "greet", greet{"child"}, Locked(dir, "greet", itself))
	if got != "Hello, child" || err != nil {
		t.Errorf("before the kill: %q, %v", got, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		t.Errorf("the file of a killed process is gone: %v", err)
	}
}

// A process that is just starting, or ending, has the directory and does not
// listen.
func TestCommandWaitsForOneThatIsStartingOrEnding(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := store.LockDir(dir, "once")
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	direct := Locked(dir, "greet", itself)
	got, err := Do(t.Context(), dir, "greet", greet{"Ada"}, func(ctx context.Context, g greet) (string, error) {
		if tries++; tries == 3 {
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
		}
		return direct(ctx, g)
	})
	if got != "itself Ada" || err != nil || tries != 3 {
		t.Errorf("%q, %v after %d tries", got, err, tries)
	}
}

func TestCommandSaysWhoHasTheDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := store.LockDir(dir, "once")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Do(ctx, dir, "greet", greet{"Ada"}, Locked(dir, "greet", itself)); !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "once") {
		t.Errorf("err = %v", err)
	}
}

func TestOthersAreKeptOut(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	_, port, err := net.SplitHostPort(s.contact.Address)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"as it should be":  {func(*http.Request) {}, http.StatusOK},
		"by name":          {func(r *http.Request) { r.Host = "localhost:" + port }, http.StatusOK},
		"no token":         {func(r *http.Request) { r.Header.Del("Authorization") }, http.StatusUnauthorized},
		"wrong token":      {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, http.StatusUnauthorized},
		"not a bearer":     {func(r *http.Request) { r.Header.Set("Authorization", s.contact.Token) }, http.StatusUnauthorized},
		"a name made ours": {func(r *http.Request) { r.Host = "evil.example:" + port }, http.StatusForbidden},
		"another port":     {func(r *http.Request) { r.Host = "127.0.0.1" }, http.StatusForbidden},
		"a web page":       {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		"a sandboxed page": {func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"a preflight":      {func(r *http.Request) { r.Method = http.MethodOptions }, http.StatusMethodNotAllowed},
		"a GET":            {func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed},
		"a form":           {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusUnsupportedMediaType},
		"elsewhere":        {func(r *http.Request) { r.URL.Path = "/greet" }, http.StatusNotFound},
		"hello by POST":    {func(r *http.Request) { r.URL.Path = "/v1/hello" }, http.StatusNotFound},
		"hello, no nonce":  {func(r *http.Request) { r.URL.Path = "/v1/hello"; r.Method = http.MethodGet }, http.StatusBadRequest},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.contact.Address+"/v1/greet", strings.NewReader(`{"Name":"Ada"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.contact.Token)
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		c.change(r)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %s, want %d", name, resp.StatusCode, b, c.want)
		}
		if c.want != http.StatusOK && strings.Contains(string(b), "Ada") {
			t.Errorf("%s: it was done", name)
		}
	}
}

func TestStopWaitsForActionsAndThenCutsThemOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := NewServer(Config{Dir: dir})
	begun, ended := make(chan struct{}), make(chan error, 1)
	Register(s, "wait", func(ctx context.Context, _ greet) (string, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	asked := make(chan error, 1)
	go func() {
		_, err := Call[greet, string](t.Context(), c, "wait", greet{})
		asked <- err
	}()
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the action ended with %v", err)
		}
	default:
		t.Error("Stop did not wait for the action")
	}
	if err := <-asked; err == nil || !strings.Contains(err.Error(), "before it answered") {
		t.Errorf("whoever asked got %v", err)
	}
	if _, err := Call[greet, string](t.Context(), c, "wait", greet{}); !errors.Is(err, errGone) {
		t.Errorf("asked after the end: %v", err)
	}
}

func TestNotMoreAtOnceThanAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := NewServer(Config{Dir: dir})
	begun, release := make(chan struct{}), make(chan struct{})
	Register(s, "wait", func(context.Context, greet) (string, error) {
		begun <- struct{}{}
		<-release
		return "done", nil
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	results := make(chan error, atOnce)
	for range atOnce {
		go func() {
			_, err := ask[greet, string](t.Context(), dir, "wait", greet{})
			results <- err
		}()
		<-begun
	}
	if _, err := ask[greet, string](t.Context(), dir, "wait", greet{}); CodeOf(err) != CodeBusy {
		t.Errorf("one more: %v", err)
	}
	close(release)
	for range atOnce {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// An action ends when whoever asked for it does not wait for it any more.
func TestActionEndsWithItsAsker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := NewServer(Config{Dir: dir})
	begun, ended := make(chan struct{}), make(chan struct{})
	Register(s, "wait", func(ctx context.Context, _ greet) (string, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return "", ctx.Err()
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := ask[greet, string](ctx, dir, "wait", greet{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	<-ended
}
