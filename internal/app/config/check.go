package config

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// check looks at what is missing and at what keys say together, and brings
// addresses and paths into their final form.
func (d *draft) check(root *table, rep *report) {
	c := d.cfg
	dir := filepath.Dir(c.File)
	if root.find("data_dir") == nil {
		rep.mistake(1, "data_dir", `data_dir is missing: write data_dir = "data" at the top of the file`)
	}
	c.DataDir, c.EnvFile, c.Log.File = inDir(dir, c.DataDir), inDir(dir, c.EnvFile), inDir(dir, c.Log.File)
	d.checkDiscord(rep)
	if len(d.accounts) == 0 && root.find("account") == nil && !c.Discord.On {
		rep.mistake(1, "account", "there is no account: write [[account]] with name, server, token_file and does, or [discord] with token_file and does")
	}
	names := map[string]int{}
	near := true
	for i := range c.Accounts {
		a, t := &c.Accounts[i], d.accounts[i]
		near = d.checkAccount(a, t, rep) && near
		if a.Name == "" {
			continue
		}
		if first, ok := names[a.Name]; ok {
			rep.mistake(lineOf(t, "name"), "account.name", "name in [[account]]: %q is already the account on line %d: give this one another name", a.Name, first)
		} else {
			names[a.Name] = lineOf(t, "name")
		}
	}
	c.Backup.Dir = inDir(c.DataDir, c.Backup.Dir)
	c.Operator.Fediverse = strings.TrimPrefix(c.Operator.Fediverse, "@")
	c.LLM.BaseURL = strings.TrimRight(strings.TrimSpace(c.LLM.BaseURL), "/")
	// Before the others: that an account does too much is what is wrong, and
	// what its other features lack is not.
	d.checkGallery(dir, rep)
	if d.needsPersona() {
		d.checkPersona(rep)
	}
	d.checkGIFs(dir, rep)
	d.checkOutbox(near, rep)
	d.checkBudget(rep)
}

// checkAccount reports whether the account's server is this machine.
func (d *draft) checkAccount(a *Account, t *table, rep *report) (near bool) {
	for _, need := range []struct{ key, how string }{
		{"name", `name = "elelem"`},
		{"server", `server = "https://social.example"`},
		{"does", `does = ["` + FeaturePersona + `"]`},
	} {
		if t.find(need.key) == nil {
			rep.mistake(t.line, "account."+need.key, "%s is missing in [[account]]: write %s", need.key, need.how)
		}
	}
	if e := t.find("does"); e != nil && e.val.kind == unstable.Array && len(e.val.items) == 0 {
		rep.mistake(e.line, "account.does", `does in [[account]]: the list is empty: write what the account does, like does = ["%s"]`, FeaturePersona)
	}
	if a.Server == "" {
		return true // said already; no more rules for it
	}
	u, err := url.Parse(strings.TrimSpace(a.Server))
	if err != nil {
		return true // not reached: isServer has parsed it
	}
	a.Server = origin(a.Server)
	if loopback(u.Hostname()) {
		return true
	}
	if a.Poll < 5*time.Second {
		rep.mistake(lineOf(t, "poll"), "account.poll", "poll in [[account]]: %q is out of range: from \"5s\" to \"1h\" for a server that is not on this machine", short(a.Poll))
	}
	return false
}

// needsPersona reports whether the persona is done anywhere where it can be:
// not by an account of the gallery, of which another mistake is told.
func (d *draft) needsPersona() bool {
	return d.cfg.Discord.Doing(FeaturePersona) ||
		slices.ContainsFunc(d.cfg.Accounts, func(a Account) bool { return a.Doing(FeaturePersona) && !a.Doing(FeatureGallery) })
}

func (d *draft) checkPersona(rep *report) {
	line := 1
	for i, a := range d.cfg.Accounts {
		if a.Doing(FeaturePersona) {
			line = lineOf(d.accounts[i], "does")
			break
		}
	}
	for _, need := range []struct{ section, key, how string }{
		{"llm", "base_url", `base_url = "http://127.0.0.1:11434/v1"`},
		{"llm", "model", `model = "llama3.2"`},
		{"persona", "character", `character = "Elelem, a witty …"`},
	} {
		t := d.known[need.section]
		path := need.section + "." + need.key
		switch {
		case t == nil:
			rep.mistake(line, path, "%s is missing, which the feature %s needs: write [%s] with %s", path, FeaturePersona, need.section, need.how)
		case t.find(need.key) == nil:
			rep.mistake(t.line, path, "%s is missing in [%s]: write %s", need.key, need.section, need.how)
		}
	}
}

// checkOutbox: looking for a post too early and posting again would make two
// of it, so short waits are for servers that are on this machine.
func (d *draft) checkOutbox(near bool, rep *report) {
	t := d.known["outbox"]
	if near || t == nil {
		return
	}
	o := d.cfg.Outbox
	for key, wait := range map[string]time.Duration{"settle_after_error": o.SettleAfterError, "settle_after_silence": o.SettleAfterSilence} {
		if wait < time.Second {
			rep.mistake(lineOf(t, key), "outbox."+key, "%s in [outbox]: %q is out of range: from \"1s\" to \"1h\" for servers that are not on this machine", key, short(wait))
		}
	}
}

// smallestPrompt is about what a short question in a short character takes, in
// tokens.
const smallestPrompt = 200

// checkBudget: a limit in money cannot be kept without the prices, and whoever
// wrote one counts on it.
func (d *draft) checkBudget(rep *report) {
	t, b := d.known["budget"], d.cfg.Budget
	if t == nil {
		return
	}
	for key, tokens := range map[string]int64{"tokens_per_day": b.TokensPerDay, "tokens_per_account": b.TokensPerAccount, "tokens_per_member": b.TokensPerMember,
		"replies_per_member": b.RepliesPerMember} {
		least := int64(1)
		if key != "replies_per_member" {
			least = int64(d.cfg.LLM.MaxTokens) + smallestPrompt
		}
		switch {
		case tokens == 0:
			rep.warn(lineOf(t, key), "budget."+key, "%s in [budget]: 0 means that nobody gets an answer; to set no limit write \"unlimited\"", key)
		case tokens > 0 && tokens < least:
			rep.warn(lineOf(t, key), "budget."+key, "%s in [budget]: %d is less than one answer may take (max_tokens in [llm] and the question, about %d): nobody gets one", key, tokens, least)
		}
	}
	if b.PricePrompt != nil && b.PriceCompletion != nil {
		return
	}
	for _, key := range []string{"money_per_day", "money_per_account", "money_per_member", "money_per_guild"} {
		if e := t.find(key); e != nil && e.val.kind != unstable.String {
			rep.mistake(e.line, "budget."+key, "%s in [budget]: without prices it cannot be kept: write price_prompt and price_completion, "+
				"what a million tokens cost, as well (0 for a model of your own)", key)
		}
	}
}

// lineOf is the line of a key, or of its section when the key is not there.
func lineOf(t *table, key string) int {
	if e := t.find(key); e != nil {
		return e.line
	}
	return t.line
}

// inDir is where a path of the file leads; "" stays "".
func inDir(dir, p string) string {
	if p == "" {
		return ""
	}
	p = filepath.FromSlash(p)
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	if filepath.VolumeName(p) == "" && strings.HasPrefix(p, string(filepath.Separator)) {
		return filepath.Join(filepath.VolumeName(dir)+string(filepath.Separator), p) // \data on Windows
	}
	return filepath.Join(dir, p)
}
