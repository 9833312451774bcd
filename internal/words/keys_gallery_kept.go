package words

// What "my data" says of what the gallery keeps about a member. Each is a line
// of its own.
const (
	GalleryKeptWaiting   Key = "gallery_kept.waiting"    // {n} offers, and what is agreed to and not posted yet
	GalleryKeptEnded     Key = "gallery_kept.ended"      // {n}, {kept} Days
	GalleryKeptCredit    Key = "gallery_kept.credit"     // {credit}: name and links
	GalleryKeptLedger    Key = "gallery_kept.ledger"     // {pseudonym}
	GalleryKeptQuiet     Key = "gallery_kept.quiet"      // {n} guilds
	GalleryKeptBlocked   Key = "gallery_kept.blocked"    // {n} guilds
	GalleryKeptBlockedBy Key = "gallery_kept.blocked_by" // {n} members whom they have blocked
	GalleryKeptLetters   Key = "gallery_kept.letters"    // {n}, {since} Date of the oldest, {kept} Days

	// GalleryKeptSomebody takes the place of a name that is not known any more.
	GalleryKeptSomebody Key = "gallery_kept.somebody"
)
