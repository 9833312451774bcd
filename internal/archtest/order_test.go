package archtest

import (
	"fmt"
	"strings"
)

// Ranks, from the top of the house to its floor: a package imports only
// packages of lower ranks. Those of one rank do not know each other; when one
// needs another, it declares a small interface and app passes the other in.
const (
	floor = iota
	stores
	services
	boxes
	platforms
	features
	apps
	commands

	// kit is a leaf without decisions of its own. Everything above the floor
	// may import it; it imports community at most.
	kit
	// sim are the simulated services: kits that know each other, for tests and
	// for the app's sandbox alone.
	sim
	// free may be imported by everyone and imports nothing.
	free
	// alone imports nothing of the project and is imported by nothing.
	alone
)

// ranks names the place of every folder in internal. A new folder needs a row.
var ranks = map[string]int{
	"app": apps,

	"gallery": features, "playtime": features, "voice": features, "greeter": features,
	"insight": features, "persona": features, "gifs": features, "mydata": features, "operator": features, "guild": features,

	"dashboard": platforms, "discord": platforms, "fedi": platforms,
	// What features share stands between them and inbox, as the platforms do.
	"turns": platforms, "answers": platforms,

	"inbox": boxes, "outbox": boxes,

	"budget": services, "settings": services, "jobs": services,

	"store": stores,

	"words": floor, "clock": floor, "community": floor,

	"llm": kit, "media": kit, "booru": kit, "speech": kit, "chart": kit, "htmltext": kit, "webpage": kit,

	"sim": sim, "failpoint": free, "publicnet": free, "archtest": alone,
}

// edge is one import: from and to are folders of the project, like
// "internal/persona"; test says that the importing file is a _test.go.
type edge struct {
	from, to string
	test     bool
}

// place is what the order knows of a package.
type place struct {
	top    string // folder in internal, or "cmd"
	rank   int
	helper bool // a package for tests, named …test
}

// placeOf is false for a folder without a rank.
func placeOf(folder string) (place, bool) {
	parts := strings.Split(folder, "/")
	if parts[0] == "cmd" {
		return place{top: folder, rank: commands}, true
	}
	if parts[0] != "internal" || len(parts) < 2 {
		return place{}, false
	}
	p := place{top: parts[1]}
	p.helper = p.top != "archtest" && strings.HasSuffix(parts[len(parts)-1], "test")
	rank, ok := ranks[p.top]
	if !ok && p.helper && len(parts) == 2 {
		// internal/storetest belongs to internal/store.
		p.top = strings.TrimSuffix(p.top, "test")
		rank, ok = ranks[p.top]
	}
	p.rank = rank
	return p, ok
}

// wrong says what is wrong with an import; "" if nothing is.
func wrong(e edge) string {
	from, ok := placeOf(e.from)
	if !ok {
		return unranked(e.from)
	}
	to, ok := placeOf(e.to)
	if !ok {
		return unranked(e.to)
	}
	say := func(why string) string {
		kind := ""
		if e.test {
			kind = " (in a test)"
		}
		return fmt.Sprintf("%s imports %s%s: %s", e.from, e.to, kind, why)
	}
	forTests := e.test || from.helper

	switch {
	case to.helper && !forTests:
		return say("only tests import a package for tests")
	case to.rank == free || from.top == to.top:
		return ""
	case from.rank == alone || to.rank == alone || from.rank == free || from.rank == floor:
		return say("neither knows anything of the project")
	case from.rank == kit || from.rank == sim:
		if to.top == "community" || to.rank == sim && forTests {
			return ""
		}
		return say("a kit imports community at most")
	case to.rank == kit:
		return ""
	case to.rank == sim:
		if forTests || from.rank >= apps {
			return ""
		}
		return say("simulators are for tests and the app's sandbox")
	case to.rank == from.rank:
		return say("packages of one rank do not import each other: declare a small interface, app passes the other in")
	case to.rank > from.rank:
		return say("imports go down: cmd, app, features, platforms, inbox and outbox, services, store, floor")
	}
	return ""
}

func unranked(folder string) string {
	return folder + " has no rank: give its folder a row in the table ranks of internal/archtest/order_test.go, " +
		"so that it is clear who may import it"
}
