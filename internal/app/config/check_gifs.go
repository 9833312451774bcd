package config

import (
	"net/url"
	"strings"
)

// checkGIFs brings the sources of pictures into their final form and looks at
// what their keys say together.
func (d *draft) checkGIFs(dir string, rep *report) {
	g := &d.cfg.GIFs
	g.Word = strings.ToLower(g.Word)
	switch {
	case strings.EqualFold(g.FFmpeg, FFmpegOff):
		g.FFmpeg = FFmpegOff
	case strings.ContainsAny(g.FFmpeg, `/\`):
		g.FFmpeg = inDir(dir, g.FFmpeg)
	}
	type board struct{ kind, url string }
	lines := map[board]int{}
	for i := range g.Sources {
		s, t := &g.Sources[i], d.boards[i]
		d.checkBoard(s, t, rep)
		b := board{s.Kind, s.URL}
		if first, twice := lines[b]; twice && s.Kind != "" && s.URL != "" {
			rep.mistake(t.line, "gifs.source", "[[gifs.source]]: %s at %s is already the source on line %d: keep one of the two", s.Kind, s.URL, first)
			continue
		}
		lines[b] = t.line
	}
	d.checkNSFW(rep)
	if len(g.Sources) == 0 {
		g.Sources = []GIFSource{{Kind: Philomena, URL: boardURL(Philomena)}}
	}
}

func (d *draft) checkBoard(s *GIFSource, t *table, rep *report) {
	if t.find("kind") == nil {
		rep.mistake(t.line, "gifs.source.kind", `kind is missing in [[gifs.source]]: write kind = "%s", or another of %s`, Philomena, list(boardKinds()))
	}
	if t.find("url") == nil {
		s.URL = boardURL(s.Kind)
	} else if s.URL != "" {
		s.URL = origin(s.URL)
	}
	if s.Kind == "" {
		return // said already; the other rules go by the kind
	}
	no := func(key, why string) {
		if e := t.find(key); e != nil {
			rep.mistake(e.line, "gifs.source."+key, "%s in [[gifs.source]]: %s", key, why)
		}
	}
	if s.Kind == Philomena {
		no("login", "the kind philomena knows its members by the key alone: take this line away")
		return
	}
	no("filter_id", "only the kind philomena has filters: take this line away")
	no("nsfw_filter_id", "only the kind philomena has filters: take this line away")
	key := t.find("key_env")
	if key == nil {
		key = t.find("key_file")
	}
	login := t.find("login")
	switch {
	case login != nil && key == nil:
		rep.mistake(login.line, "gifs.source.login", `login in [[gifs.source]]: it is of no use without its API key: write key_env = "NAME" and put the key into the environment variable NAME`)
	case key != nil && login == nil:
		rep.mistake(key.line, "gifs.source."+key.name, "%s in [[gifs.source]]: the key is of no use without the account's name: write login as well", key.name)
	}
	if s.Kind == E621 && t.find("contact") == nil {
		rep.mistake(t.line, "gifs.source.contact", "contact is missing in [[gifs.source]]: e621 refuses those who do not tell how to reach them: "+
			`write contact = "me@social.example", an address of yours`)
	}
}

// checkNSFW warns of an account's nsfw that does nothing, or less than hoped.
func (d *draft) checkNSFW(rep *report) {
	shown := false
	for i, a := range d.cfg.Accounts {
		switch {
		case a.NSFW && !a.Doing(FeatureGIFs):
			rep.warn(lineOf(d.accounts[i], "nsfw"), "account.nsfw", `nsfw in [[account]]: it has no effect, because the account does not do "%s"`, FeatureGIFs)
		case a.NSFW:
			shown = true
		}
	}
	if !shown {
		return
	}
	const why = "the board's own default filter may hide most NSFW pictures: write nsfw_filter_id, the number of a filter on the board's page of filters that hides less"
	for i, s := range d.cfg.GIFs.Sources {
		if s.Kind == Philomena && s.NSFWFilterID == "" {
			rep.warn(d.boards[i].line, "gifs.source.nsfw_filter_id", "[[gifs.source]]: %s", why)
		}
	}
	if len(d.cfg.GIFs.Sources) == 0 {
		line := 1
		if t := d.known["gifs"]; t != nil {
			line = t.line
		}
		rep.warn(line, "gifs.source.nsfw_filter_id", `there is no [[gifs.source]], so pictures come from %s, and %s, in a [[gifs.source]] with kind = "%s"`, boardURL(Philomena), why, Philomena)
	}
}

// origin is scheme and host of an address that was checked, in one spelling.
func origin(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return address // not reached: the rule for the key has parsed it
	}
	host := strings.ToLower(u.Host)
	if (u.Scheme == "https" && u.Port() == "443") || (u.Scheme == "http" && u.Port() == "80") {
		host = strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
	}
	return u.Scheme + "://" + host
}
