package config

import (
	"slices"
	"strings"
)

// checkGallery brings the gallery's values into their final form and looks at
// what its keys say together, in [gallery], in the accounts and in [discord].
func (d *draft) checkGallery(dir string, rep *report) {
	c := d.cfg
	c.Gallery.Texts = inDir(dir, c.Gallery.Texts)
	if t := d.known["gallery"]; t != nil {
		c.Gallery.textsLine = lineOf(t, "texts")
	}
	d.checkVision(rep)
	posts := false
	for i := range c.Accounts {
		a, t := &c.Accounts[i], d.accounts[i]
		if !a.Doing(FeatureGallery) {
			if len(a.Does) > 0 { // else its mistake is said already
				misplaced(t, rep)
			}
			continue
		}
		posts = true
		line := lineOf(t, "does")
		if len(a.Does) > 1 {
			others := slices.DeleteFunc(slices.Clone(a.Does), func(f string) bool { return f == FeatureGallery })
			rep.mistake(line, "account.does", `does in [[account]]: an account that does "%s" does nothing else, for what people write to it is for you to answer: give %s an [[account]] of its own`,
				FeatureGallery, list(others))
		}
		switch {
		case c.Discord.Doing(FeatureGallery), c.Discord.On && len(c.Discord.Does) == 0: // said already
		case c.Discord.On:
			rep.mistake(line, "account.does", `does in [[account]]: "%s" posts what members share on Discord: write "%s" into does in [discord] as well`, FeatureGallery, FeatureGallery)
		default:
			rep.mistake(line, "account.does", `does in [[account]]: "%s" posts what members share on Discord: write [discord] with token_file and does = ["%s"] as well`, FeatureGallery, FeatureGallery)
		}
		if a.Contact == "" && c.Operator.Fediverse != "" {
			a.Contact = "@" + c.Operator.Fediverse
		}
	}
	if c.Discord.Doing(FeatureGallery) && !posts {
		rep.mistake(lineOf(d.known["discord"], "does"), "discord.does", `does in [discord]: "%s" needs an account on the Fediverse to post to: write [[account]] with name, server, token_file and does = ["%s"]`,
			FeatureGallery, FeatureGallery)
	}
}

// misplaced refuses the gallery's keys in an account that does something else.
func misplaced(t *table, rep *report) {
	for _, key := range galleryKeys() {
		if e := t.find(key); e != nil {
			rep.mistake(e.line, "account."+key, `%s in [[account]]: only an account that does "%s" has it: take this line away`, key, FeatureGallery)
		}
	}
}

// checkVision takes from [llm] what [gallery.vision] leaves out. A key and the
// name of who runs a model belong to their address, and are not taken over for
// another one.
func (d *draft) checkVision(rep *report) {
	v, l, t := &d.cfg.Gallery.Vision, d.cfg.LLM, d.known["gallery.vision"]
	v.BaseURL = strings.TrimRight(strings.TrimSpace(v.BaseURL), "/")
	d.cfg.Gallery.VisionSection = "gallery.vision"
	if t == nil {
		d.cfg.Gallery.VisionSection = "llm"
		*v = Vision{}
		if l.BaseURL != "" && l.Model != "" {
			*v = Vision{BaseURL: l.BaseURL, Model: l.Model, Timeout: l.Timeout, Named: l.Processor}
		}
		return
	}
	if t.find("timeout") == nil {
		v.Timeout = l.Timeout
	}
	switch {
	case t.find("base_url") == nil && l.BaseURL == "":
		rep.mistake(t.line, "gallery.vision.base_url", `base_url is missing in [gallery.vision], and there is none in [llm]: write base_url = "https://api.openai.com/v1"`)
		return
	case t.find("base_url") == nil:
		v.BaseURL = l.BaseURL
	case v.BaseURL == "":
		return // said already
	}
	same := v.BaseURL == l.BaseURL
	if same && t.find("processor") == nil {
		v.Named = l.Processor
	}
	switch {
	case t.find("model") != nil:
	case same && l.Model != "":
		v.Model = l.Model
	default:
		rep.mistake(t.line, "gallery.vision.model", `model is missing in [gallery.vision]: write the name of a model that understands pictures, as %s knows it`, hostOf(v.BaseURL))
	}
}

// resolveVision fetches the key of the model that describes pictures.
func (d *draft) resolveVision(s *secrets) {
	v, t := &d.cfg.Gallery.Vision, d.known["gallery.vision"]
	if t != nil && d.visionKey != (source{}) {
		local := v.BaseURL != "" && nearby(hostOf(v.BaseURL))
		v.APIKey = s.fetch(t, "gallery.vision", "api_key", d.visionKey, !local)
		if v.APIKey.IsSet() && !local && strings.HasPrefix(v.BaseURL, "http:") {
			s.rep.warn(lineOf(t, "base_url"), "gallery.vision.base_url", "the API key goes over plain http, where others can read it: use https:// if the server has it")
		}
		return
	}
	if v.Model != "" && v.BaseURL == d.cfg.LLM.BaseURL {
		v.APIKey = d.cfg.LLM.APIKey
	}
}
