package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

const hidden = "[secret]"

// Secret is a value that is shown to nobody: however it is printed, logged or
// encoded, it reads "[secret]". The zero Secret is not set.
type Secret struct {
	// A pointer, because fmt prints it as an address where it cannot call
	// Format: in an unexported field of another struct.
	value *string
}

// NewSecret hides value; an empty one is not set.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{&value}
}

// Reveal returns the value itself, "" when it is not set.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a value.
func (s Secret) IsSet() bool { return s.value != nil }

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return hidden }

// Format implements fmt.Formatter, so that no verb shows the value.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// secrets fetches what _env and _file keys name. What it reports never holds
// the names it was given unless they surely are names: people do write the
// secret itself there.
type secrets struct {
	dir   string
	env   func(string) (string, bool)
	read  func(string) ([]byte, error)
	rep   *report
	extra map[string]string // from env_file
	// tokens says that the accounts' tokens, and that of Discord, must be there.
	tokens bool
}

// forTokens is how tokens are fetched: where they need not be there, nothing is
// said of them.
func (s *secrets) forTokens() *secrets {
	if s.tokens {
		return s
	}
	quiet := *s
	quiet.rep = &report{file: s.rep.file}
	return &quiet
}

func (d *draft) resolve(root *table, s *secrets) {
	c := d.cfg
	if c.EnvFile != "" {
		s.load(c.EnvFile, lineOf(root, "env_file"))
	}
	if t := d.known["store"]; t != nil {
		c.Store.PostgresURL = s.fetch(t, "store", "postgres_url", d.storeURL, true)
		if u := c.Store.PostgresURL; u.IsSet() && !isPostgres(u.Reveal()) {
			s.rep.mistake(d.storeURL.line(t, "postgres_url"), "store.postgres_url",
				"the value that [store] names is not the URL of a PostgreSQL database: it is like postgres://user:password@host/database")
		}
	}
	if t := d.known["llm"]; t != nil {
		local := c.LLM.BaseURL != "" && nearby(hostOf(c.LLM.BaseURL))
		c.LLM.APIKey = s.fetch(t, "llm", "api_key", d.apiKey, !local)
		if c.LLM.APIKey.IsSet() && !local && strings.HasPrefix(c.LLM.BaseURL, "http:") {
			s.rep.warn(lineOf(t, "base_url"), "llm.base_url", "the API key goes over plain http, where others can read it: use https:// if the server has it")
		}
	}
	d.resolveVision(s)
	for i, t := range d.boards {
		d.cfg.GIFs.Sources[i].Key = s.fetch(t, "gifs.source", "key", *d.boardKeys[i], true)
	}
	d.resolveTokens(s)
	d.resolveDiscord(s)
}

func (d *draft) resolveTokens(s *secrets) {
	type login struct{ server, token string }
	seen := map[login]string{}
	for i := range d.cfg.Accounts {
		a, t, from := &d.cfg.Accounts[i], d.accounts[i], *d.tokens[i]
		a.TokenFile = inDir(s.dir, from.file)
		if t.find("token_env") == nil && t.find("token_file") == nil {
			if !hasInline(t, accountSection(new(Account), new(source))) {
				s.rep.mistake(t.line, "account.token_env", `token_env is missing in [[account]]: write token_env = "NAME" and put the access token into the environment variable NAME`)
			}
			continue
		}
		quiet := s.forTokens()
		a.Token = quiet.fetch(t, "account", "token", from, true)
		if !a.Token.IsSet() || a.Server == "" {
			continue
		}
		l := login{a.Server, a.Token.Reveal()}
		if other, twice := seen[l]; twice {
			quiet.rep.mistake(from.line(t, "token"), "account.token", "the accounts %q and %q have the same server and token: they are one account, and would answer twice", other, a.Name)
			continue
		}
		seen[l] = a.Name
	}
}

// hasInline reports whether the table holds a secret itself, which is a
// mistake told already.
func hasInline(t *table, s section) bool {
	for _, e := range t.entries {
		if _, ok := s.secrets[plain(e.name)]; ok {
			return true
		}
	}
	return false
}

// line is the line of the key that names the source.
func (s source) line(t *table, key string) int {
	if s.env == "" {
		return lineOf(t, key+"_file")
	}
	return lineOf(t, key+"_env")
}

// fetch returns the secret of key, which may be absent. A variable that is
// not set is a mistake if it is needed, else a warning.
func (s *secrets) fetch(t *table, section, key string, from source, needed bool) Secret {
	if t.find(key+"_env") != nil && t.find(key+"_file") != nil {
		s.rep.mistake(lineOf(t, key+"_file"), section+"."+key+"_file", "%s_env and %s_file say the same: keep one of the two", key, key)
		return Secret{}
	}
	switch {
	case from.env != "":
		return s.variable(lineOf(t, key+"_env"), section+"."+key+"_env", from.env, needed)
	case from.file != "":
		return s.file(lineOf(t, key+"_file"), section+"."+key+"_file", from.file)
	}
	return Secret{}
}

func (s *secrets) variable(line int, path, name string, needed bool) Secret {
	val, ok := s.env(name)
	if !ok || strings.TrimSpace(val) == "" {
		if v, has := s.extra[name]; has {
			val, ok = v, true
		}
	}
	key := path[strings.LastIndexByte(path, '.')+1:]
	what := key + ": the environment variable that it names"
	if regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`).MatchString(name) && len(name) <= 64 {
		what = key + ": the environment variable " + name
	}
	state := "is not set"
	if ok {
		state = "is empty"
	}
	val = strings.TrimSpace(val)
	switch {
	case val != "":
		return s.clean(line, path, key, val)
	case needed:
		s.rep.mistake(line, path, "%s %s: set it, or write it into the file that env_file names", what, state)
	default:
		s.rep.warn(line, path, "%s %s: the model is asked without a key", what, state)
	}
	return Secret{}
}

func (s *secrets) file(line int, path, name string) Secret {
	key := path[strings.LastIndexByte(path, '.')+1:]
	data, err := s.read(inDir(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) && path == "account.token_file" {
		s.rep.mistake(line, path, "%s: the file that it names is not there (a relative path starts at %s): rookery login writes it, or put the access token into it", key, s.dir)
		return Secret{}
	}
	if errors.Is(err, fs.ErrNotExist) && path == "discord.token_file" {
		s.rep.mistake(line, path, "%s: the file that it names is not there (a relative path starts at %s): put the bot's token into it, "+
			"which the developer portal shows under Bot, after Reset Token", key, s.dir)
		return Secret{}
	}
	if err != nil {
		s.rep.mistake(line, path, "%s: the file that it names cannot be read: %s (a relative path starts at %s)", key, reason(err), s.dir)
		return Secret{}
	}
	val := strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	if val == "" && path == "discord.token_file" {
		s.rep.mistake(line, path, "%s: the file that it names is empty: put the bot's token into it, and nothing else; the developer portal shows it under Bot, after Reset Token", key)
		return Secret{}
	}
	if val == "" {
		s.rep.mistake(line, path, "%s: the file that it names is empty: write the secret into it, and nothing else", key)
		return Secret{}
	}
	return s.clean(line, path, key, val)
}

// clean refuses what cannot be sent in a header: a file with more than the
// secret in it, mostly.
func (s *secrets) clean(line int, path, key, val string) Secret {
	for _, r := range val {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			s.rep.mistake(line, path, "%s: the secret has more than one line, or a control character: it must stand there alone", key)
			return Secret{}
		}
	}
	return NewSecret(val)
}

// reason is an error without the path in it.
func reason(err error) string {
	var at *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.As(err, &at):
		return at.Err.Error()
	}
	return err.Error()
}

func isPostgres(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
}
