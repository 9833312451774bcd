// Package importer takes over another bot: it reads the file with its settings
// and writes a configuration of Rookery that does the same, with a word on
// everything that was taken over and everything that changed; and it takes over
// what the bot has done, so that nothing is answered by both.
//
// It knows elelem (https://github.com/eobrain/elelem): three variables in a
// file that a shell reads; everything else of it stands in its program, and is
// written out here. And it knows giffer
// (https://github.com/DarkShyMW/furry_giffer_bot_mastodon): its config.env, and
// the state that it keeps in giffer_state.json. And it knows FediverseBot, the
// Discord bot that posts members' art to an Akkoma instance: its INI file, and
// the SQLite database with what it has posted.
//
// What the written files mean is the business of package config, which reads
// them once before they get their names; what is recorded of a bot's work is
// that of package inbox.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"rookery/internal/app/config"
	"rookery/internal/words"
)

// Config says what is taken over, and where it goes.
type Config struct {
	File     string // elelem's file of variables, secrets.env; the others' come by ReadGiffer and ReadFediverseBot
	Dir      string // where the configuration is written; empty: the current folder
	Program  string // path of rookery, for the crontab; empty: that of this process
	Out      io.Writer
	Language words.Language
}

// Result is what was written, and what was not taken over. Its paths are whole.
type Result struct {
	Config  string   // the configuration
	Env     string   // the file with the secrets; of giffer, that with the token
	Crontab string   // the line for the crontab
	Unknown []string // variables that nothing was made of
}

// The files that are written.
const (
	configFile = config.FileName
	envFile    = "rookery.env"
)

// maxFile is the most that is read of a file of variables, in bytes.
const maxFile = 64 << 10

// Elelem takes over elelem's settings and tells what became of them. It
// overwrites no file: its error then wraps fs.ErrExist. Errors say what to do
// and hold nothing of the file's values; after one, nothing was written.
func Elelem(ctx context.Context, c Config) (Result, error) {
	vars, err := readVariables(c.File)
	if err != nil {
		return Result{}, err
	}
	s, err := take(vars)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", c.File, err)
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return Result{}, fmt.Errorf("find %s: %w", c.Dir, err)
	}
	r := Result{Config: filepath.Join(dir, configFile), Env: filepath.Join(dir, envFile), Unknown: s.unknown}
	if c.Program == "" {
		if c.Program, err = os.Executable(); err != nil {
			c.Program = "rookery"
		}
	}
	r.Crontab = crontab(dir, c.Program)
	files := []file{{r.Env, s.env()}, {r.Config, s.config(r.Crontab)}}
	if err := write(ctx, dir, files); err != nil {
		return Result{}, err
	}
	c.tell(r, s)
	return r, nil
}

// settings are what elelem's file says.
type settings struct {
	server, token, key string
	unknown            []string
}

// The variables of elelem (mastodon.js and llm.js).
const (
	mastodonURL   = "MASTODON_BASE_URL"
	mastodonToken = "MASTODON_ACCESS_TOKEN"
	openAIKey     = "OPENAI_API_KEY"
)

// take finds what is needed. All that is missing is told at once.
func take(vars map[string]string) (settings, error) {
	var s settings
	var wrong []error
	for _, v := range []struct {
		name, example string
		to            *string
	}{
		{mastodonURL, "https://social.example", &s.server},
		{mastodonToken, "the access token of the bot's account", &s.token},
		{openAIKey, "the key of the language model's service", &s.key},
	} {
		value := strings.TrimSpace(vars[v.name])
		switch {
		case value == "":
			wrong = append(wrong, fmt.Errorf("%s is missing: add a line %s=…, with %s", v.name, v.name, v.example))
		case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'`\\$#", r) }):
			wrong = append(wrong, fmt.Errorf("%s holds a space, a quote or another character that does not belong there: write the value itself, copied again", v.name))
		}
		*v.to = value
	}
	if len(wrong) == 0 {
		var err error
		if s.server, err = origin(mastodonURL, s.server); err != nil {
			wrong = append(wrong, err)
		}
	}
	for name := range vars {
		if name != mastodonURL && name != mastodonToken && name != openAIKey {
			s.unknown = append(s.unknown, name)
		}
	}
	slices.Sort(s.unknown)
	return s, errors.Join(wrong...)
}

// origin is a server's address without what follows the host. What was given
// is not repeated: it may hold a password.
func origin(name, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return "", fmt.Errorf("%s is not the address of a server: write it like https://social.example", name)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

type file struct{ path, text string }

// write makes all files or none. They get their names only after they were
// read as the program will read them.
func write(ctx context.Context, dir string, files []file) error {
	return writeFor(ctx, dir, files, config.Load)
}

// writeFor is write with another way of reading them.
func writeFor(ctx context.Context, dir string, files []file, load func(string, func(string) (string, bool)) (*config.Config, error)) (err error) {
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil {
			return fmt.Errorf("%s is there already and is not overwritten: move it away, or name another folder: %w", f.path, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for %s: %w", f.path, err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	draft, err := os.MkdirTemp(dir, ".import-*") // for its owner alone
	if err != nil {
		return fmt.Errorf("write into %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft)) }()
	for _, f := range files {
		if err := writeFile(filepath.Join(draft, filepath.Base(f.path)), f.text); err != nil {
			return err
		}
	}
	if _, err := load(draft, func(string) (string, bool) { return "", false }); err != nil {
		return fmt.Errorf("the settings do not make a configuration: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, f := range files {
		if err := place(filepath.Join(draft, filepath.Base(f.path)), f.path); err != nil {
			for _, done := range files[:i] {
				err = errors.Join(err, os.Remove(done.path))
			}
			return err
		}
	}
	return nil
}

func writeFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// place gives a file its name if nobody has it.
func place(draft, path string) error {
	err := os.Link(draft, path) // unlike a renaming it never overwrites
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s has appeared meanwhile and is not overwritten: %w", path, fs.ErrExist)
	}
	// Not every file system has links.
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s has appeared meanwhile and is not overwritten: %w", path, fs.ErrExist)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// crontab is the line that does every five minutes what elelem's did.
func crontab(dir, program string) string {
	if runtime.GOOS == "windows" {
		return fmt.Sprintf(`schtasks /Create /TN rookery /SC MINUTE /MO 5 /TR "\"%s\" once --config \"%s\""`, program, filepath.Join(dir, configFile))
	}
	return fmt.Sprintf("*/5 * * * * cd %s && %s once >>once.log 2>&1", shell(dir), shell(program))
}

// shell quotes a path for the shell in a crontab, where % is a line's end.
func shell(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,") != "" {
		path = "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return strings.ReplaceAll(path, "%", `\%`)
}

// tell says what became of everything. Names of variables are shown, values
// never.
func (c Config) tell(r Result, s settings) {
	if c.Out == nil {
		return
	}
	say := func(k words.Key, a words.Args) { fmt.Fprintln(c.Out, c.Language.Say(k, a)) }
	say(words.ImportWritten, words.Args{"config": r.Config, "env": r.Env})
	say(words.ImportTaken, words.Args{"url": mastodonURL, "token": mastodonToken, "key": openAIKey})
	say(words.ImportModel, words.Args{"model": newModel})
	if s.closed() {
		say(words.ImportClosed, words.Args{"server": s.server})
	}
	if len(r.Unknown) > 0 {
		say(words.ImportUnknown, words.Args{"names": strings.Join(r.Unknown, ", ")})
	}
	say(words.ImportCron, nil)
	fmt.Fprintf(c.Out, "\n    %s\n\n", r.Crontab)
	say(words.ImportNext, nil)
}
