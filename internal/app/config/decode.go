package config

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// parse makes a Config of the file's bytes. shown is the file's name in
// messages, full its absolute path; env and read look up what the file names;
// without tokens those of the accounts may be missing.
func parse(shown, full string, data []byte, env func(string) (string, bool), read func(string) ([]byte, error), tokens bool) (*Config, error) {
	rep := &report{file: shown}
	root, whole := readTree(data, rep)
	d := &draft{cfg: &Config{File: full}}
	d.decode(root, rep)
	// What is missing in a file that could not be read to its end may well be
	// in the rest of it.
	if whole {
		d.check(root, rep)
		s := secrets{dir: filepath.Dir(full), env: env, read: read, rep: rep, tokens: tokens}
		d.resolve(root, &s)
	}
	if len(rep.mistakes) > 0 {
		return nil, rep.sorted()
	}
	d.cfg.Warnings = rep.warnings
	return d.cfg, nil
}

// decode reads every key of the tree that is known and reports the others.
func (d *draft) decode(root *table, rep *report) {
	all := d.sections()
	top := all[0]
	d.known = map[string]*table{"": root}
	for _, e := range root.entries {
		if top.field(e.name) != nil {
			continue
		}
		i := slices.IndexFunc(all[1:], func(s section) bool { return s.name == e.name })
		if i < 0 {
			unknown(e, top, all, rep)
			continue
		}
		if s := all[1+i]; s.many {
			d.decodeMany(s, e, all, rep)
		} else if t := one(s, e, rep); t != nil {
			d.known[s.name] = t
			decodeTable(s, t, all, rep)
		}
	}
	rest := &table{line: root.line}
	for _, e := range root.entries {
		if top.field(e.name) != nil {
			rest.add(e)
		}
	}
	decodeTable(top, rest, all, rep)
}

// one is the table of a section that is written once.
func one(s section, e *entry, rep *report) *table {
	switch {
	case e.val.kind == unstable.Table:
		return e.val.table
	case e.val.kind == unstable.Array && len(e.val.items) > 0 && e.val.items[0].table != nil:
		rep.mistake(e.val.items[0].line, s.name, "[[%s]] has too many brackets: there is one such section, write [%s]", s.name, s.name)
		return e.val.items[0].table
	}
	rep.mistake(e.line, s.name, "%q is a section: write [%s] on a line of its own and its keys below", s.name, s.name)
	return nil
}

// decodeMany reads the accounts, the only section that there can be many of.
func (d *draft) decodeMany(s section, e *entry, all []section, rep *report) {
	items := e.val.items
	if e.val.kind == unstable.Table {
		rep.mistake(e.line, s.name, "[%s] needs two pairs of brackets: write [[%s]]", s.name, s.name)
		items = []*value{e.val}
	} else if e.val.kind != unstable.Array {
		rep.mistake(e.line, s.name, "%q is a section: write [[%s]] on a line of its own and its keys below", s.name, s.name)
		return
	}
	for _, item := range items {
		if item.table == nil {
			rep.mistake(item.line, s.name, "%q is a section: write [[%s]] on a line of its own and its keys below", s.name, s.name)
			continue
		}
		a, token := new(Account), new(source)
		decodeTable(accountSection(a, token), item.table, all, rep)
		d.cfg.Accounts = append(d.cfg.Accounts, *a)
		d.tokens = append(d.tokens, token)
		d.accounts = append(d.accounts, item.table)
	}
}

func decodeTable(s section, t *table, all []section, rep *report) {
	for _, e := range t.entries {
		f := s.field(e.name)
		if f == nil {
			unknown(e, s, all, rep)
			continue
		}
		if bad := f.read(e.val); bad != "" {
			where := e.name
			if s.name != "" {
				where += " in " + s.title()
			}
			rep.mistake(e.line, s.path(e.name), "%s: %s", where, bad)
		}
	}
}

// unknown reports a key or section that s does not have, with what was
// probably meant. It never shows the value, which may be a secret.
func unknown(e *entry, s section, all []section, rep *report) {
	path := s.path(e.name)
	if key, ok := s.secrets[plain(e.name)]; ok {
		rep.mistake(e.line, path, "%s in %s: a secret is not written in this file. Put it into an environment variable and name that: "+
			"%s_env = \"NAME\", or into a file: %s_file = \"path\"", e.name, s.title(), key, key)
		return
	}
	isTable := e.val.kind == unstable.Table || (len(e.val.items) > 0 && e.val.items[0].table != nil)
	if s.name == "" && isTable {
		var names []string
		for _, o := range all[1:] {
			names = append(names, o.name)
		}
		near := nearest(e.name, names)
		if near == "" {
			rep.mistake(e.line, path, "unknown section [%s]: the sections are %s", e.name, strings.Join(titles(all[1:]), ", "))
			return
		}
		i := slices.Index(names, near)
		rep.mistake(e.line, path, "unknown section [%s]: did you mean %s?", e.name, all[1+i].title())
		return
	}
	var own []string
	for _, f := range s.fields {
		own = append(own, f.Path)
	}
	where := s.title()
	if s.name == "" {
		where = "at " + where
	} else {
		where = "in " + where
	}
	if home := homeOf(e.name, s, all); home != nil {
		if home.name == "" {
			rep.mistake(e.line, path, "unknown key %q %s: it belongs at the top of the file, before the first [section]", e.name, where)
		} else {
			rep.mistake(e.line, path, "unknown key %q %s: it belongs in %s", e.name, where, home.title())
		}
		return
	}
	if near := nearest(e.name, own); near != "" {
		rep.mistake(e.line, path, "unknown key %q %s: did you mean %q?", e.name, where, near)
		return
	}
	rep.mistake(e.line, path, "unknown key %q %s: its keys are %s", e.name, where, strings.Join(own, ", "))
}

// homeOf is another section that has exactly this key.
func homeOf(key string, not section, all []section) *section {
	for i := range all {
		if all[i].name != not.name && all[i].field(key) != nil {
			return &all[i]
		}
	}
	return nil
}

func titles(all []section) []string {
	var t []string
	for _, s := range all {
		t = append(t, s.title())
	}
	return t
}
