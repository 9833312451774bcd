package login

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// keeper is a place for a token. Until write has returned nil, what was there
// before stands.
type keeper interface {
	prepare() error // makes sure that it can be written
	write(token string) error
	discard() // what prepare made; harmless after write
}

// tokenFile is a file that holds the token alone.
type tokenFile struct {
	path string
	next *os.File // takes its place
}

func (f *tokenFile) prepare() (err error) {
	f.next, err = beside(&f.path)
	return err
}

func (f *tokenFile) discard() { discard(f.next) }

// write keeps a file that is there as FILE.old.
func (f *tokenFile) write(token string) error {
	before, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("keep the old token: %w", err)
	case string(before) != token+"\n":
		old := f.path + ".old"
		next, err := beside(&old)
		if err != nil {
			return fmt.Errorf("keep the old token: %w", err)
		}
		if err := put(next, old, before); err != nil {
			return fmt.Errorf("keep the old token: %w", err)
		}
	}
	return put(f.next, f.path, []byte(token+"\n"))
}

// newFile is a tokenFile whose name is known only after the log-in.
type newFile struct {
	tokenFile
	dir string
}

func (f *newFile) prepare() error {
	f.path = filepath.Join(f.dir, "rookery.token")
	return f.tokenFile.prepare()
}

// envFile is a file of variables, of which one is the token.
type envFile struct {
	path, name string
	next       *os.File
}

// maxEnvFile is the most that is read of one, as by package config.
const maxEnvFile = 256 << 10

func (f *envFile) prepare() (err error) {
	if f.next, err = beside(&f.path); err != nil {
		return err
	}
	if _, err = f.read(); err != nil {
		f.discard()
	}
	return err
}

func (f *envFile) discard() { discard(f.next) }

func (f *envFile) read() ([]byte, error) {
	before, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && len(before) > maxEnvFile {
		err = fmt.Errorf("%s is larger than %d KiB: that is no file of variables", f.path, maxEnvFile>>10)
	}
	return before, err
}

func (f *envFile) write(token string) error {
	before, err := f.read() // once more: minutes have passed
	if err != nil {
		return err
	}
	return put(f.next, f.path, setVariable(before, f.name, token))
}

// setVariable is a file of variables in which one has another value. All
// other lines stay byte for byte.
func setVariable(file []byte, name, value string) []byte {
	assignment := regexp.MustCompile(`^(\s*(?:export\s+)?)` + regexp.QuoteMeta(name) + `\s*=`)
	lines := bytes.SplitAfter(file, []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- { // of several the last one counts
		line := bytes.TrimPrefix(lines[i], []byte("\ufeff"))
		m := assignment.FindSubmatch(line)
		if m == nil {
			continue
		}
		end := lines[i][len(bytes.TrimRight(lines[i], "\r\n")):]
		mark := lines[i][:len(lines[i])-len(line)]
		lines[i] = []byte(string(mark) + string(m[1]) + name + "=" + quoted(value) + string(end))
		return bytes.Join(lines, nil)
	}
	end := "\n"
	if bytes.Contains(file, []byte("\r\n")) {
		end = "\r\n"
	}
	out := bytes.Clone(file)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, end...)
	}
	return append(out, name+"="+quoted(value)+end...)
}

// quoted is a value as both package config and a shell read it.
func quoted(value string) string {
	switch {
	case regexp.MustCompile(`^[A-Za-z0-9._~+/=:@%^,-]+$`).MatchString(value):
		return value
	case !strings.Contains(value, "'"):
		return "'" + value + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(value) + `"`
}

// beside makes an empty file next to path, for its owner alone, that can take
// its place at one stroke. A path that is a link becomes what it points to.
func beside(path *string) (*os.File, error) {
	if real, err := filepath.EvalSymlinks(*path); err == nil {
		*path = real
	}
	if st, err := os.Stat(*path); err == nil && st.IsDir() {
		return nil, fmt.Errorf("%s is a folder: name a file in the configuration", *path)
	}
	dir := filepath.Dir(*path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of %s: %w", *path, err)
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(*path)+".*")
	if err != nil {
		return nil, fmt.Errorf("the token could not be kept in %s: %w", dir, err)
	}
	return f, nil
}

// put fills next and gives it its name, once it is safe on disk.
func put(next *os.File, path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			discard(next)
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if _, err := next.Write(data); err != nil {
		return err
	}
	if err := next.Sync(); err != nil {
		return err
	}
	if err := next.Close(); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}

// discard removes a file of beside that did not get its name.
func discard(next *os.File) {
	if next != nil {
		_ = next.Close()
		_ = os.Remove(next.Name())
	}
}

// tokenVariable reads which variable the configuration names for an account's
// token: package config keeps the value alone.
func tokenVariable(file, account string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the configuration: %w", err)
	}
	var c struct {
		Account []struct {
			Name     string `toml:"name"`
			TokenEnv string `toml:"token_env"`
		} `toml:"account"`
	}
	if err := toml.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &c); err != nil {
		return "", fmt.Errorf("read the configuration: %w", err)
	}
	for _, a := range c.Account {
		if a.Name == account && a.TokenEnv != "" {
			return a.TokenEnv, nil
		}
	}
	return "", fmt.Errorf("the configuration does not say where the token of %s is kept: write token_file = \"%s.token\" into its section", account, account)
}
