// Package login gets the access token of an account, once, in a terminal: the
// operator opens an address in a browser, allows Rookery, and pastes the code
// that the server shows. The token then goes where the configuration says, and
// nowhere else: it is never printed.
//
// It leaves the protocol to package fedi, and to package config what the
// configuration means. Whose account a name was before it is told by the
// caller.
package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rookery/internal/app/config"
	"rookery/internal/fedi"
	"rookery/internal/words"
)

// Config says who logs in, and how the operator is spoken to.
type Config struct {
	// Config is the configuration (config.LoadForLogin), and Account the name
	// of one of its accounts; empty will do if there is only one.
	Config  *config.Config
	Account string
	// Server is given in place of the two to log in where no configuration
	// says anything yet: the section to add to it is printed, and the token
	// goes into a file in Dir (empty: the current folder).
	Server string
	Dir    string

	In       io.Reader
	Out      io.Writer
	Language words.Language
	Version  string
	// Known tells whose account this name in the configuration was, user@host;
	// "" if nobody's. Nil: nobody's.
	Known func(ctx context.Context, account string) (string, error)
	// Switch is asked whether an account that was one person's shall be
	// another's from now on; nil asks with In and Out.
	Switch func(was, is string) (bool, error)
	Env    func(string) (string, bool) // nil: os.LookupEnv
	Client *http.Client                // only its transport is used; nil for an own one
}

// tries is how often a code may be pasted.
const tries = 3

// ErrDeclined is returned when the operator did not want to go on; nothing
// was changed then.
var ErrDeclined = errors.New("nothing was changed")

// Run logs in. Its errors say what to do, and hold no secret. Unless it
// returns nil, every file is as it was.
func Run(ctx context.Context, c Config) error {
	if c.Env == nil {
		c.Env = os.LookupEnv
	}
	s := &session{Config: c, lines: newLines(c.In)}
	keep, err := s.destination()
	if err != nil {
		return err
	}
	// Before anything is asked of anybody: a token that cannot be kept would
	// be lost.
	if err := keep.prepare(); err != nil {
		return err
	}
	defer keep.discard()
	token, err := s.token(ctx)
	if err != nil {
		return err
	}
	me, err := s.whose(ctx, token)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.finish(keep, token, me)
}

// session is one log-in.
type session struct {
	Config
	lines  *lines
	server string
	name   string // of the account in the configuration
}

func (s *session) say(k words.Key, a words.Args) { fmt.Fprintln(s.Out, s.Language.Say(k, a)) }

// destination finds out where the token goes.
func (s *session) destination() (keeper, error) {
	if s.Server != "" {
		s.server = strings.TrimRight(strings.TrimSpace(s.Server), "/")
		dir := s.Dir
		if dir == "" {
			dir = "."
		}
		return &newFile{dir: dir}, nil
	}
	a, err := s.pick()
	if err != nil {
		return nil, err
	}
	s.server, s.name = a.Server, a.Name
	if a.TokenFile != "" {
		return &tokenFile{path: a.TokenFile}, nil
	}
	variable, err := tokenVariable(s.Config.Config.File, a.Name)
	if err != nil {
		return nil, err
	}
	if s.Config.Config.EnvFile == "" {
		return nil, fmt.Errorf("the configuration says that the token of %s is in the environment variable %s, which cannot be set from here: "+
			"add env_file = \"rookery.env\" at the top of %s, or write token_file = \"%s.token\" in place of token_env; then run this again",
			a.Name, variable, s.Config.Config.File, a.Name)
	}
	return &envFile{path: s.Config.Config.EnvFile, name: variable}, nil
}

// pick finds the account in the configuration.
func (s *session) pick() (config.Account, error) {
	if s.Config.Config == nil {
		return config.Account{}, errors.New("there is no configuration: give the address of the account's server with --server")
	}
	all := s.Config.Config.Accounts
	var names []string
	for _, a := range all {
		if a.Name == s.Account || s.Account == "" && len(all) == 1 {
			return a, nil
		}
		names = append(names, a.Name)
	}
	switch {
	case strings.EqualFold(s.Account, "discord"), s.Account == "" && len(all) == 0:
		return config.Account{}, errors.New(s.discord())
	case len(all) == 0:
		return config.Account{}, fmt.Errorf("the configuration has no account %q, nor any other. For a new one give its server: rookery login --server https://social.example. %s",
			s.Account, s.discord())
	case s.Account == "":
		return config.Account{}, fmt.Errorf("say which account: one of %s", strings.Join(names, ", "))
	}
	return config.Account{}, fmt.Errorf("the configuration has no account %q; it has %s. For a new one give its server: rookery login --server https://social.example",
		s.Account, strings.Join(names, ", "))
}

// discord says where the token comes from that no log-in can get.
func (s *session) discord() string {
	to := "the file that token_file in [discord] names"
	switch d := s.Config.Config.Discord; {
	case d.TokenFile != "":
		to += ", " + d.TokenFile
	case d.On:
		to = "the environment variable that token_env in [discord] names"
	}
	return "Discord needs no login: its token comes from the developer portal (under Bot, Reset Token) and goes into " + to + "; see docs/discord.md"
}

// token registers Rookery at the server and turns the operator's code into a
// token. What was registered is forgotten afterwards: the id and the secret
// are good for getting another token only, and the next log-in registers anew;
// kept, they would be one more secret to lose.
func (s *session) token(ctx context.Context) (string, error) {
	app, err := fedi.RegisterApp(ctx, s.Client, s.server, "Rookery", "")
	if err != nil {
		return "", err
	}
	verifier := fedi.NewVerifier()
	s.say(words.LoginOpen, words.Args{"server": s.server})
	fmt.Fprintf(s.Out, "\n    %s\n\n", app.AuthorizeURL(verifier))
	for try := 1; ; try++ {
		fmt.Fprint(s.Out, s.Language.Say(words.LoginCode, nil)+" ")
		code, err := s.lines.next(ctx)
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(s.Out)
			return "", errors.New("no code came: run this again and paste the code that the server shows, or give it on standard input")
		}
		if err != nil {
			return "", err
		}
		token, _, err := app.Exchange(ctx, code, verifier)
		if err == nil {
			return token, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if fedi.ClassOf(err) != fedi.Auth || try == tries {
			return "", fmt.Errorf("log in at %s: %w", s.server, err)
		}
		s.say(words.LoginWrong, words.Args{"n": tries - try})
	}
}

// whose asks whose token it is, and the operator if it is somebody else's
// than before.
func (s *session) whose(ctx context.Context, token string) (fedi.Account, error) {
	o := fedi.Options{Server: s.server, Token: token, UserAgent: "Rookery/" + s.Version + " (community bot)"}
	if s.Client != nil {
		o.Transport = s.Client.Transport
	}
	client, err := fedi.New(o)
	if err != nil {
		return fedi.Account{}, err
	}
	defer client.Close()
	if _, err := client.Instance(ctx); err != nil && ctx.Err() != nil { // for the domain of its handles
		return fedi.Account{}, ctx.Err()
	}
	me, err := client.VerifyCredentials(ctx)
	if err != nil {
		return fedi.Account{}, fmt.Errorf("%s gave a token, but does not say whose it is, so it was not kept; run this again: %w", s.server, err)
	}
	is := client.Converter().Member(me).Handle
	s.say(words.LoginWho, words.Args{"handle": is})
	if s.Known == nil || s.name == "" {
		return me, nil
	}
	was, err := s.Known(ctx, s.name)
	if err != nil || was == "" || strings.EqualFold(was, is) {
		return me, err
	}
	yes, err := s.mayChange(ctx, was, is)
	if err == nil && !yes {
		err = fmt.Errorf("%w: open %s again in a browser in which you are logged in as @%s", ErrDeclined, s.server, was)
	}
	return me, err
}

// mayChange asks whether an account may become another.
func (s *session) mayChange(ctx context.Context, was, is string) (bool, error) {
	if s.Switch != nil {
		return s.Switch(was, is)
	}
	s.say(words.LoginOther, words.Args{"account": s.name, "was": was, "is": is})
	fmt.Fprint(s.Out, s.Language.Say(words.LoginGoOn, nil)+" ")
	line, err := s.lines.next(ctx)
	if errors.Is(err, io.EOF) {
		fmt.Fprintln(s.Out)
		return false, nil
	}
	return slices.Contains([]string{"y", "yes", "д", "да"}, strings.ToLower(strings.TrimSpace(line))), err
}

// finish keeps the token and says where it is.
func (s *session) finish(keep keeper, token string, me fedi.Account) error {
	if n, ok := keep.(*newFile); ok {
		return s.begin(n, token, me)
	}
	if err := keep.write(token); err != nil {
		return err
	}
	if e, ok := keep.(*envFile); ok {
		s.say(words.LoginKeptVariable, words.Args{"variable": e.name, "file": e.path})
		if v, ok := s.Env(e.name); ok && strings.TrimSpace(v) != "" && v != token {
			s.say(words.LoginOverruled, words.Args{"variable": e.name})
		}
	} else {
		s.say(words.LoginKept, words.Args{"file": keep.(*tokenFile).path})
	}
	s.say(words.LoginRestart, nil)
	return nil
}

// begin keeps the token of an account that is in no configuration, and prints
// the section for it.
func (s *session) begin(n *newFile, token string, me fedi.Account) error {
	name := accountName(me.Username)
	n.path = filepath.Join(n.dir, name+".token")
	if err := n.write(token); err != nil {
		return err
	}
	s.say(words.LoginKept, words.Args{"file": n.path})
	s.say(words.LoginPaste, nil)
	fmt.Fprintf(s.Out, "\n[[account]]\nname = %q\nserver = %q\ntoken_file = %q\ndoes = [%q]\n", name, origin(s.server), filepath.ToSlash(full(n.path)), config.FeaturePersona)
	return nil
}

// accountName makes a name for the configuration of one on a server.
func accountName(username string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, username)
	name = name[:min(len(name), 64)]
	if strings.Trim(name, "-") == "" {
		return "bot"
	}
	return name
}

// origin is a server's address as the configuration has it.
func origin(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// full is the whole path; the configuration may be in another folder.
func full(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
