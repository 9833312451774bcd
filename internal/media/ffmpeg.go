package media

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Bounds of a run of ffmpeg that are not for callers to change.
const (
	probeTimeout = 20 * time.Second
	lastWords    = 500 * time.Millisecond // for its pipes to close once it has ended
	keptErrors   = 4 << 10                // bytes of what it complains
	keptOutput   = 1 << 20                // bytes of what it prints when it is asked what it can
)

// Tool is what was found out about ffmpeg.
type Tool struct {
	Path    string // as it is run
	Version string // "5.1.9-0+deb12u1"
	H264    bool   // it can make MP4: it has libx264
	Palette bool   // it can make GIFs: it has palettegen and paletteuse
	WebP    bool   // it can make WebP: it has libwebp
	MP3     bool   // it can make MP3: it has libmp3lame
	Opus    bool   // it can make Ogg sound: it has libopus
}

// Probe asks ffmpeg what it can, once; the answer holds until the process ends
// or Probe is called again. It returns nil if everything is there, and an error
// of the kind FFmpegMissing that says what to install if not: the Kit still
// works then, without what is missing.
func (k *Kit) Probe(ctx context.Context) error {
	k.mu.Lock()
	k.probed = false
	k.mu.Unlock()
	_, err := k.ffmpeg(ctx)
	return err
}

// FFmpeg is what Probe found; its zero value before that, and if there is none.
func (k *Kit) FFmpeg() Tool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tool
}

// ffmpeg is the tool, asked now if it was not before. With an error of the kind
// FFmpegMissing it may still be able to do a part.
func (k *Kit) ffmpeg(ctx context.Context) (Tool, error) {
	k.mu.Lock()
	if k.probed {
		defer k.mu.Unlock()
		return k.tool, k.lacks
	}
	k.mu.Unlock()
	tool, err := k.ask(ctx)
	if ctx.Err() != nil {
		return Tool{}, ctx.Err() // nothing was found out
	}
	k.log.Debug("asked ffmpeg what it can", "path", tool.Path, "version", tool.Version, "h264", tool.H264, "gif", tool.Palette)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tool, k.lacks, k.probed = tool, err, true
	return tool, err
}

func (k *Kit) ask(ctx context.Context) (Tool, error) {
	if k.opt.NoFFmpeg {
		return Tool{}, &Error{Kind: FFmpegMissing, text: "ffmpeg is switched off"}
	}
	path, err := exec.LookPath(k.opt.FFmpeg)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return Tool{}, missing(k.opt.FFmpeg, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return Tool{}, missing(k.opt.FFmpeg, err)
	}
	tool := Tool{Path: path}
	var told [3]string
	for i, question := range []string{"-version", "-encoders", "-filters"} {
		out := capped{most: keptOutput}
		if err := k.run(ctx, probeTimeout, path, keptOutput, &out, "-hide_banner", "-nostdin", question); err != nil {
			return Tool{}, missing(k.opt.FFmpeg, err)
		}
		told[i] = out.String()
	}
	first, _, _ := strings.Cut(told[0], "\n")
	name, rest, _ := strings.Cut(first, " version ")
	if name != "ffmpeg" {
		return Tool{}, missing(k.opt.FFmpeg, errors.New("it does not say that it is ffmpeg"))
	}
	tool.Version, _, _ = strings.Cut(quote(rest, 60), " ")
	tool.H264 = lists(told[1], "libx264")
	tool.Palette = lists(told[2], "palettegen") && lists(told[2], "paletteuse")
	tool.WebP, tool.MP3, tool.Opus = lists(told[1], "libwebp"), lists(told[1], "libmp3lame"), lists(told[1], "libopus")
	switch {
	case !tool.H264:
		return tool, failure(FFmpegMissing, "ffmpeg (%s) cannot make MP4: it lacks libx264; install an ffmpeg that has it", path)
	case !tool.Palette:
		return tool, failure(FFmpegMissing, "ffmpeg (%s) cannot make GIFs: it lacks palettegen and paletteuse; install an ffmpeg that has them", path)
	}
	return tool, nil
}

func missing(path string, err error) error {
	return &Error{Kind: FFmpegMissing, err: err,
		text: "there is no ffmpeg that can be used (" + path + "): " + quote(err.Error(), 300) + "; install ffmpeg, or set its path"}
}

// lists tells whether a table that ffmpeg prints has a row for a name.
func lists(table, name string) bool {
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == name {
			return true
		}
	}
	return false
}

// run runs ffmpeg once, alone: it waits until no other run is under way, or ctx
// has ended. file is the most bytes that it may write.
func (k *Kit) run(ctx context.Context, timeout time.Duration, path string, file int64, stdout *capped, args ...string) error {
	select {
	case k.slot <- struct{}{}:
		defer func() { <-k.slot }()
	case <-ctx.Done():
		return ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stderr := capped{most: keptErrors}
	cmd := exec.CommandContext(limited, path, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = k.opt.Dir, environment(), lastWords
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if stdout == nil {
		cmd.Stdout = nil
	}
	err := k.fenced(cmd, file)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	said := quote(strings.ReplaceAll(stderr.String(), k.opt.Dir+string(filepath.Separator), ""), 500)
	if said != "" {
		said = ": " + said
	}
	exit, isExit := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // what it left behind held its pipes
		return nil
	case limited.Err() != nil:
		return failure(FFmpegTimeout, "ffmpeg was not done after %s and was ended%s", timeout, said)
	case strings.Contains(said, "No space left on device"):
		return failure(NoSpace, "the disk is full: make room where the temporary files are kept")
	case isExit && signalled(exit) != "":
		return failure(FFmpegKilled, "ffmpeg was ended by a signal (%s)%s", signalled(exit), said)
	case isExit:
		return failure(FFmpegFailed, "ffmpeg failed (exit status %d)%s", exit.ExitCode(), said)
	}
	return missing(path, err)
}

// fenced starts a program, bounds it, waits for it, and ends what it left.
func (k *Kit) fenced(cmd *exec.Cmd, file int64) error {
	// The system ties the program's life to the thread that started it; while
	// the thread is ours alone nobody ends it (https://go.dev/issue/27505).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	apart(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := fence(cmd.Process, k.opt.Memory, file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.log.Debug("ffmpeg runs without limits of the system", "error", err)
	}
	err := cmd.Wait()
	// The number of the group stays taken while anything in it runs, and a free
	// one is not given out again before all others were.
	if end := endGroup(cmd.Process); end != nil {
		k.log.Debug("a program that ffmpeg started may still run", "error", end)
	}
	return err
}

// environment is what ffmpeg needs of ours: none of the secrets.
func environment() []string {
	// One arena for memory: with one for each thread the bound on addresses
	// would count what is never used.
	env := []string{"LC_ALL=C", "MALLOC_ARENA_MAX=1", "AV_LOG_FORCE_NOCOLOR=1"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot", "TEMP", "TMP", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return slices.Clip(env)
}

// capped keeps the first bytes that are written to it.
type capped struct {
	most int
	buf  bytes.Buffer
}

func (c *capped) Write(p []byte) (int, error) {
	c.buf.Write(p[:min(len(p), max(c.most-c.buf.Len(), 0))])
	return len(p), nil
}

func (c *capped) String() string { return c.buf.String() }
