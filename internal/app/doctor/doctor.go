// Package doctor looks at everything an installation needs, from the
// configuration to the language model, and says of each thing whether it is in
// order and, if not, what to do.
//
// It only looks: it takes no lock, writes nothing that stays and posts nothing,
// so that it may run beside a bot at work. The database is opened for reading,
// on a connection of its own. What it asks of others is what the bot asks too,
// one question of the language model, and one picture of each image board; the
// model for pictures is shown one only if that is wanted. It leaves to the
// packages it looks at what is right and wrong there, and the mending to the
// operator.
package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"runtime"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/clock"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Level is how a thing stands.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, but not as it might, or not for long
	Error   Level = "error"   // something does not work
)

// Line is what was found of one thing.
type Line struct {
	Check   string `json:"check"`             // stable name of the check: "config", "token"
	Account string `json:"account,omitempty"` // its name in the configuration; empty if it is about none
	Level   Level  `json:"level"`
	Text    string `json:"text"`           // what is
	Help    string `json:"help,omitempty"` // what to do; empty if nothing
}

// Config is what is looked at, and with what. The zero value of every field
// but Migrations will do.
type Config struct {
	File       string                      // as config.Load takes it
	Env        func(string) (string, bool) // nil: os.LookupEnv
	Version    string                      // of this program
	Migrations []store.Migrations          // of all parts of this program
	Language   words.Language
	Clock      clock.Clock   // nil: the system's
	Timeout    time.Duration // of one check; 0 means 10 s. The model has that of the configuration

	// Texts looks at the operator's own texts in a file, as the gallery reads
	// them (config.Config.CheckTexts); nil looks only whether the file is TOML.
	Texts func(file string) error
	// ShowPicture has the model that describes pictures describe a small one,
	// which costs what a short answer costs. Without it the model is only looked
	// for in the list of its service.
	ShowPicture bool

	// Transport carries the requests to servers, boards and the model; nil for
	// own ones.
	Transport http.RoundTripper
	// Free tells how many bytes a user may still write to the disk that a
	// folder is on; nil asks the system.
	Free func(dir string) (int64, error)
	// Finds tells whether somebody has the handle (user@host); nil asks the
	// handle's host (WebFinger, RFC 7033).
	Finds func(ctx context.Context, handle string) (bool, error)
}

const defaultTimeout = 10 * time.Second

// doctor is one round.
type doctor struct {
	Config
	cfg   *config.Config
	tell  func(Line)
	lines []Line

	db    *database // nil if there is none that can be read
	dbErr error     // why
}

// Run checks everything, in an order in which causes come before what follows
// from them. tell, if not nil, gets every line as soon as it is known. A check
// that fails does not stop the others, but what cannot be asked because of it
// is left out; the end of ctx stops the round.
func Run(ctx context.Context, c Config, tell func(Line)) []Line {
	d := &doctor{Config: c.withDefaults(), tell: tell}
	d.check(ctx, "config", "", d.checkConfig)
	if d.cfg == nil {
		return d.lines
	}
	d.openDatabase(ctx)
	defer d.closeDatabase()
	d.check(ctx, "secrets", "", d.checkSecrets)
	d.check(ctx, "data", "", d.checkData)
	d.check(ctx, "disk", "", d.checkDisk)
	d.check(ctx, "database", "", d.checkDatabase)
	d.check(ctx, "backups", "", d.checkBackups)
	for _, a := range d.cfg.Accounts {
		d.checkAccount(ctx, a)
	}
	d.checkDiscord(ctx)
	d.check(ctx, "mentions", "", d.checkMentions)
	d.check(ctx, "effects", "", d.checkEffects)
	d.check(ctx, "jobs", "", d.checkJobs)
	d.check(ctx, "pause", "", d.checkPause)
	d.checkModel(ctx)
	d.check(ctx, "budget", "", d.checkBudget)
	d.check(ctx, "operator", "", d.checkOperator)
	d.check(ctx, "ffmpeg", "", d.checkFFmpeg)
	if d.cfg.Doing(config.FeatureGIFs) || d.cfg.Doing(config.FeatureGallery) {
		d.check(ctx, "tmp", "", d.checkTemp)
	}
	if d.cfg.Doing(config.FeatureGIFs) {
		d.checkBoards(ctx)
	}
	if d.cfg.Doing(config.FeatureGallery) {
		d.checkVision(ctx)
		if d.cfg.Gallery.Texts != "" {
			d.check(ctx, "texts", "", d.checkTexts)
		}
	}
	d.check(ctx, "zone", "", d.checkZone)
	return d.lines
}

func (c Config) withDefaults() Config {
	if c.Env == nil {
		c.Env = os.LookupEnv
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Free == nil {
		c.Free = store.FreeBytes
	}
	if c.Finds == nil {
		c.Finds = webFinger(c.userAgent())
	}
	return c
}

func (c Config) userAgent() string { return "Rookery/" + c.Version + " (community bot)" }

// ExitCode is what the program ends with: 1 if there is any error.
func ExitCode(lines []Line) int {
	for _, l := range lines {
		if l.Level == Error {
			return 1
		}
	}
	return 0
}

// check runs one check within its time.
func (d *doctor) check(ctx context.Context, name, account string, fn func(context.Context, *report)) {
	d.checkFor(ctx, d.Timeout, name, account, fn)
}

func (d *doctor) checkFor(ctx context.Context, most time.Duration, name, account string, fn func(context.Context, *report)) {
	if ctx.Err() != nil {
		return
	}
	own, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	fn(own, &report{d: d, ctx: ctx, name: name, account: account})
}

// report gathers what one check finds.
type report struct {
	d             *doctor
	ctx           context.Context // of the round
	name, account string
}

// ok, warn and fail say what was found; help says what to do.
func (r *report) ok(text words.Key, a words.Args)         { r.say(OK, text, "", a) }
func (r *report) warn(text, help words.Key, a words.Args) { r.say(Warning, text, help, a) }
func (r *report) fail(text, help words.Key, a words.Args) { r.say(Error, text, help, a) }

func (r *report) say(level Level, text, help words.Key, a words.Args) {
	if r.ctx.Err() != nil {
		return // it failed because the round was broken off
	}
	if a == nil {
		a = words.Args{}
	}
	if r.account != "" && a["account"] == nil {
		a["account"] = r.account
	}
	l := Line{Check: r.name, Account: r.account, Level: level, Text: oneLine(r.d.Language.Say(text, a))}
	if help != "" {
		l.Help = oneLine(r.d.Language.Say(help, a))
	}
	r.d.lines = append(r.d.lines, l)
	if r.d.tell != nil {
		r.d.tell(l)
	}
}

// checkConfig loads the configuration. Where only tokens are missing, the rest
// is looked at all the same.
func (d *doctor) checkConfig(_ context.Context, r *report) {
	cfg, err := config.Load(d.File, d.Env)
	if err != nil {
		var mistakes config.Errors
		switch {
		case errors.As(err, &mistakes):
			for _, m := range mistakes {
				r.fail(words.DoctorConfigMistake, words.DoctorConfigMistakeHelp, words.Args{"problem": m.String()})
			}
		case errors.Is(err, fs.ErrNotExist):
			r.fail(words.DoctorConfigNone, words.DoctorConfigNoneHelp, words.Args{"file": fileName(d.File)})
		default:
			r.fail(words.DoctorConfigMistake, words.DoctorConfigMistakeHelp, words.Args{"problem": err})
		}
		if cfg, err = config.LoadForLogin(d.File, d.Env); err != nil {
			return
		}
	} else {
		text := words.DoctorConfigOk
		switch {
		case cfg.Discord.On && len(cfg.Accounts) == 0:
			text = words.DoctorDiscordConfigOnly
		case cfg.Discord.On:
			text = words.DoctorDiscordConfig
		}
		r.ok(text, words.Args{"file": cfg.File, "n": len(cfg.Accounts)})
	}
	d.cfg = cfg
	for _, w := range cfg.Warnings {
		r.warn(words.DoctorConfigWarning, words.DoctorConfigMistakeHelp, words.Args{"problem": w.String()})
	}
}

func fileName(path string) string {
	if path == "" {
		return config.FileName
	}
	return path
}

// checkSecrets looks who may read what only the operator should.
func (d *doctor) checkSecrets(_ context.Context, r *report) {
	if runtime.GOOS == "windows" {
		return // modes say nothing there
	}
	files := []string{d.cfg.DataDir, d.cfg.EnvFile, d.cfg.Discord.TokenFile}
	for _, a := range d.cfg.Accounts {
		files = append(files, a.TokenFile)
	}
	fine := true
	for _, f := range files {
		st, err := os.Stat(f)
		if f == "" || err != nil || st.Mode().Perm()&0o077 == 0 {
			continue
		}
		fine = false
		mode := "600"
		if st.IsDir() {
			mode = "700"
		}
		r.warn(words.DoctorSecretsOpen, words.DoctorSecretsOpenHelp, words.Args{"file": f, "mode": mode})
	}
	if fine {
		r.ok(words.DoctorSecretsOk, nil)
	}
}
