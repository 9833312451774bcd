package config

import (
	"path/filepath"
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
		s := top.part(e.name, all)
		switch {
		case s == nil:
			unknown(e, top, all, rep)
		case s.many:
			d.decodeMany(*s, e, all, rep)
		default:
			d.decodeOne(*s, e, all, rep)
		}
	}
	rest := &table{line: root.line}
	for _, e := range root.entries {
		if top.field(e.name) != nil {
			rest.add(e)
		}
	}
	d.decodeTable(top, rest, all, rep)
}

// decodeOne reads a section that there is one of.
func (d *draft) decodeOne(s section, e *entry, all []section, rep *report) {
	if t := one(s, e, rep); t != nil {
		d.known[s.name] = t
		d.decodeTable(s, t, all, rep)
	}
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

// decodeMany reads a section that there can be many of.
func (d *draft) decodeMany(s section, e *entry, all []section, rep *report) {
	items := e.val.items
	if e.val.kind == unstable.Table {
		rep.mistake(e.line, s.name, "[%s] needs two pairs of brackets: write [[%s]]", s.name, s.name)
		items = []*value{e.val}
	} else if e.val.kind != unstable.Array {
		rep.mistake(e.line, s.name, "%q is a section: write [[%s]] on a line of its own and its keys below", s.name, s.name)
		return
	} else if len(items) == 0 {
		rep.mistake(e.line, s.name, "%q is an empty list: write [[%s]] on a line of its own and its keys below, or take the line away", s.name, s.name)
	}
	for _, item := range items {
		if item.table == nil {
			rep.mistake(item.line, s.name, "%q is a section: write [[%s]] on a line of its own and its keys below", s.name, s.name)
			continue
		}
		own, done := s.next(item.table)
		d.decodeTable(own, item.table, all, rep)
		done()
	}
}

func (d *draft) decodeTable(s section, t *table, all []section, rep *report) {
	for _, e := range t.entries {
		f := s.field(e.name)
		if f == nil {
			switch p := s.part(e.name, all); {
			case p == nil || s.name == "":
				unknown(e, s, all, rep)
			case p.many:
				d.decodeMany(*p, e, all, rep)
			default:
				d.decodeOne(*p, e, all, rep)
			}
			continue
		}
		bad := f.read(e.val)
		if bad == "" {
			continue
		}
		where := e.name
		if s.name != "" {
			where += " in " + s.title()
		}
		for bad := range strings.SplitSeq(bad, "\n") {
			rep.mistake(e.line, s.path(e.name), "%s: %s", where, bad)
		}
	}
}

// unknown reports a key or section that s does not have, with what was
// probably meant. It never shows the value, which may be a secret.
func unknown(e *entry, s section, all []section, rep *report) {
	path := s.path(e.name)
	if key, ok := s.secrets[plain(e.name)]; ok {
		if s.secretFile != "" {
			rep.mistake(e.line, path, "%s in %s: a secret is not written in this file. Put it into a file of its own and name that: "+
				"%s_file = %q, or into an environment variable: %s_env = \"NAME\"", e.name, s.title(), key, s.secretFile, key)
			return
		}
		rep.mistake(e.line, path, "%s in %s: a secret is not written in this file. Put it into an environment variable and name that: "+
			"%s_env = \"NAME\", or into a file: %s_file = \"path\"", e.name, s.title(), key, key)
		return
	}
	isTable := e.val.kind == unstable.Table || (len(e.val.items) > 0 && e.val.items[0].table != nil)
	if isTable && (s.name == "" || s.hasParts(all)) {
		if near := meant(e.name, s, all); near != nil {
			rep.mistake(e.line, path, "unknown section [%s]: did you mean %s?", path, near.title())
		} else {
			rep.mistake(e.line, path, "unknown section [%s]: the sections are %s", path, strings.Join(titles(all[1:]), ", "))
		}
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
	if key := s.secretKey(e.name); key != "" {
		rep.mistake(e.line, path, "unknown key %q %s: did you mean %q?", e.name, where, key)
		return
	}
	if how := s.elsewhere[e.name]; how != "" {
		rep.mistake(e.line, path, "unknown key %q %s: %s", e.name, where, how)
		return
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

// meant is the section that was most likely meant by a table called name in
// s: one that belongs there, or else one of another place by its last word.
func meant(name string, s section, all []section) *section {
	var near, far []string
	for _, o := range all[1:] {
		_, last := o.split()
		if s.part(last, all) != nil {
			near = append(near, last)
		}
		far = append(far, last)
	}
	if last := nearest(name, near); last != "" {
		return s.part(last, all)
	}
	last := nearest(name, far)
	for i := range all[1:] {
		if _, l := all[1+i].split(); last != "" && l == last {
			return &all[1+i]
		}
	}
	return nil
}

// homeOf is another section that has exactly this key, a part of this one
// first. A part's keys are looked for from its own section alone: url and login
// are what people write for other keys elsewhere.
func homeOf(key string, not section, all []section) *section {
	for _, in := range []string{not.name, ""} {
		for i := range all {
			if of, _ := all[i].split(); of == in && all[i].name != not.name && all[i].field(key) != nil {
				return &all[i]
			}
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
