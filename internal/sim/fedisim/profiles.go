package fedisim

import "net/http"

// Profile says whose dialect a Server speaks.
type Profile string

// The dialects.
const (
	Mastodon   Profile = "mastodon"   // 4.6
	Akkoma     Profile = "akkoma"     // 3.15, a Pleroma
	GoToSocial Profile = "gotosocial" // 0.20
	Snac       Profile = "snac"       // 2.96
	Sharkey    Profile = "sharkey"    // 2025.4, a Misskey
)

// Profiles lists every dialect.
func Profiles() []Profile { return []Profile{Mastodon, Akkoma, GoToSocial, Snac, Sharkey} }

// traits are the differences between servers that are plain data; those that
// are behaviour are switches on the profile where they happen.
type traits struct {
	software    string // name in nodeinfo
	version     string // "version" of the instance document
	nodeVersion string // version in nodeinfo
	nodePath    string // where the nodeinfo document lives

	maxChars    int
	urlChars    int // every URL counts as this many characters; 0: as it is written
	maxMedia    int
	tooLong     int  // status of a post that is too long
	needsParent bool // a reply to a post that is not there is refused, not posted on its own

	notifyDefault, notifyMax int  // page sizes of notifications
	statusDefault, statusMax int  // page sizes of timelines
	byID                     bool // lists are ordered by id, and ids compare by length, then bytes
	linkHeader               bool
}

func traitsOf(p Profile) traits {
	switch p {
	case Akkoma:
		return traits{
			software: "akkoma", version: "2.7.2 (compatible; Akkoma 3.15.2-0-gb16aafb)", nodeVersion: "3.15.2-0-gb16aafb",
			nodePath: "/nodeinfo/2.0.json", maxChars: 5000, maxMedia: 16, tooLong: http.StatusUnprocessableEntity,
			needsParent:   true,
			notifyDefault: 20, notifyMax: 40, statusDefault: 20, statusMax: 40, byID: true, linkHeader: true,
		}
	case GoToSocial:
		// A text that is too long is a 400 here, not a 422.
		return traits{
			software: "gotosocial", version: "0.20.1+git-f3b1cc5", nodeVersion: "0.20.1+git-f3b1cc5",
			nodePath: "/nodeinfo/2.0", maxChars: 5000, maxMedia: 6, tooLong: http.StatusBadRequest,
			needsParent:   true,
			notifyDefault: 20, notifyMax: 80, statusDefault: 30, statusMax: 80, byID: true, linkHeader: true,
		}
	case Snac:
		return traits{
			software: "snac", version: "4.0.0 (not true; really snac/2.96)", nodeVersion: "2.96",
			nodePath: "/nodeinfo_2_0", maxChars: 0, maxMedia: 8,
			notifyDefault: 1, notifyMax: 64, statusDefault: 20, statusMax: 256,
		}
	case Sharkey:
		return traits{
			software: "sharkey", version: "4.2.0 (compatible; Sharkey 2025.4.2)", nodeVersion: "2025.4.2",
			nodePath: "/nodeinfo/2.1", maxChars: 3000, maxMedia: 16, tooLong: http.StatusBadRequest,
			needsParent:   true,
			notifyDefault: 20, notifyMax: 100, statusDefault: 20, statusMax: 100, byID: true, linkHeader: true,
		}
	default:
		return traits{
			software: "mastodon", version: "4.6.4", nodeVersion: "4.6.4",
			nodePath: "/nodeinfo/2.0", maxChars: 500, urlChars: 23, maxMedia: 4, tooLong: http.StatusUnprocessableEntity,
			needsParent:   true,
			notifyDefault: 40, notifyMax: 80, statusDefault: 20, statusMax: 40, byID: true, linkHeader: true,
		}
	}
}
