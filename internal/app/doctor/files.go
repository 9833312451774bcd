package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rookery/internal/store"
	"rookery/internal/words"
)

// checkData looks at the data directory and who is at work on it.
func (d *doctor) checkData(_ context.Context, r *report) {
	dir := d.cfg.DataDir
	args := words.Args{"dir": dir}
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := writable(existing(dir)); err != nil {
			args["reason"] = reason(err)
			r.fail(words.DoctorDataNotMakeable, words.DoctorDataNotWritableHelp, args)
			return
		}
		r.ok(words.DoctorDataNew, args)
	case err != nil:
		args["reason"] = reason(err)
		r.fail(words.DoctorDataNotWritable, words.DoctorDataNotWritableHelp, args)
	case !st.IsDir():
		r.fail(words.DoctorDataFile, words.DoctorDataFileHelp, args)
	default:
		if err := writable(dir); err != nil {
			args["reason"] = reason(err)
			r.fail(words.DoctorDataNotWritable, words.DoctorDataNotWritableHelp, args)
			return
		}
		if who, alive := holder(dir); alive {
			args["who"] = who
			r.ok(words.DoctorDataRunning, args)
			return
		}
		r.ok(words.DoctorDataOk, args)
	}
}

// holder reads the note that whoever takes the data directory leaves there
// (store.LockDir). The lock itself is not tried: a bot that starts at that
// moment would find it taken.
func holder(dir string) (who string, alive bool) {
	b, err := os.ReadFile(filepath.Join(dir, "rookery.pid"))
	if err != nil || len(b) > 1000 {
		return "", false
	}
	who = strings.TrimSpace(string(b))
	m := regexp.MustCompile(`process (\d+)`).FindStringSubmatch(who)
	if m == nil {
		return who, false
	}
	pid, err := strconv.Atoi(m[1])
	return who, err == nil && pid > 0 && running(pid)
}

// existing is the folder itself or the nearest one above it that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return dir
		}
		dir = up
	}
}

const (
	megabyte = 1 << 20
	lowDisk  = 200 * megabyte // SQLite's log and a backup need room
	fullDisk = 50 * megabyte
)

// checkDisk compares the free space with what the database and a copy of it
// take.
func (d *doctor) checkDisk(_ context.Context, r *report) {
	dirs := []string{d.cfg.DataDir}
	if up, err := filepath.Rel(d.cfg.DataDir, d.cfg.Backup.Dir); d.cfg.Backup.Daily && (err != nil || !filepath.IsLocal(up)) {
		dirs = append(dirs, d.cfg.Backup.Dir)
	}
	size := int64(0)
	if d.db != nil {
		size = max(d.db.size, 0)
	}
	for _, dir := range dirs {
		free, err := d.Free(existing(dir))
		args := words.Args{"dir": dir, "free": free / megabyte, "size": size / megabyte}
		switch {
		case err != nil:
			args["reason"] = reason(err)
			r.warn(words.DoctorDiskUnknown, words.DoctorDiskUnknownHelp, args)
		case free < fullDisk:
			r.fail(words.DoctorDiskLow, words.DoctorDiskLowHelp, args)
		case free < lowDisk || free < 2*size:
			r.warn(words.DoctorDiskLow, words.DoctorDiskLowHelp, args)
		default:
			r.ok(words.DoctorDiskOk, args)
		}
	}
}

// backupName is what package backup calls its copies.
var backupName = regexp.MustCompile(`^rookery-(\d{4}-\d\d-\d\dT\d{6}Z)\.(db|dump)$`)

// newestBackup is zero if there is none.
func newestBackup(dir string) (name string, at time.Time, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", at, nil
	}
	for _, e := range entries {
		m := backupName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		if t, err := time.Parse("2006-01-02T150405Z", m[1]); err == nil && t.After(at) {
			name, at = e.Name(), t
		}
	}
	return name, at, err
}

// oldBackup is the age at which a daily copy is missing.
const oldBackup = 49 * time.Hour

func (d *doctor) checkBackups(ctx context.Context, r *report) {
	b := d.cfg.Backup
	name, at, err := newestBackup(b.Dir)
	now := d.Clock.Now()
	args := words.Args{"dir": b.Dir, "file": name, "at": b.At, "age": d.age(now.Sub(at)), "dialect": d.dialect()}
	switch failed := d.backupFailure(ctx); {
	case err != nil:
		args["reason"] = reason(err)
		r.fail(words.DoctorBackupsUnreadable, words.DoctorDataNotWritableHelp, args)
	case failed != "":
		args["reason"] = failed
		r.warn(words.DoctorBackupsFailed, words.DoctorBackupsFailedHelp, args)
	case name == "" && d.db == nil:
		r.ok(words.DoctorBackupsNothing, args)
	case !b.Daily:
		r.warn(words.DoctorBackupsOff, words.DoctorBackupsOffHelp, args)
	case name == "":
		r.warn(words.DoctorBackupsNone, words.DoctorBackupsNoneHelp, args)
	case now.Sub(at) > oldBackup:
		r.warn(words.DoctorBackupsOld, words.DoctorBackupsNoneHelp, args)
	default:
		r.ok(words.DoctorBackupsOk, args)
	}
}

// backupFailure is what the operator was told of a backup, and is not over.
func (d *doctor) backupFailure(ctx context.Context) string {
	if d.db == nil || !d.db.current {
		return ""
	}
	var text string
	err := d.db.row(ctx, []any{&text}, `select text from operator_notice where key like 'backup%' order by said_at desc limit 1`)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return err.Error()
	}
	return text
}

// age is a time that has passed, as words.
func (d *doctor) age(t time.Duration) words.Phrase {
	switch {
	case t >= 48*time.Hour:
		return words.Days(int(t / (24 * time.Hour)))
	case t >= time.Hour:
		return words.Hours(int(t / time.Hour))
	}
	return words.Phrase{Key: words.DoctorMinutes, Args: words.Args{"n": int(max(t, 0) / time.Minute)}}
}
