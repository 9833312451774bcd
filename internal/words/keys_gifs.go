package words

// What a request for a picture is answered with.
const (
	// The description of the picture; {tags} are the board's, in English.
	GIFsAlt         Key = "gifs.alt"
	GIFsAltNSFW     Key = "gifs.alt_nsfw"
	GIFsAltBare     Key = "gifs.alt_bare" // nothing can be said of it
	GIFsAltBareNSFW Key = "gifs.alt_bare_nsfw"

	GIFsCredit        Key = "gifs.credit"         // {artists}
	GIFsCreditUnknown Key = "gifs.credit_unknown" // the board names no artist
	GIFsSource        Key = "gifs.source"         // {url}
	GIFsDropped       Key = "gifs.dropped"        // {n} words were more than can be looked for

	GIFsNothing    Key = "gifs.nothing"     // {said} was looked for, {random} is what to send for any picture
	GIFsNothingAny Key = "gifs.nothing_any" // any picture was asked for
	GIFsNothingNew Key = "gifs.nothing_new" // {said}: all of it was shown lately
	GIFsSafeOnly   Key = "gifs.safe_only"   // follows GIFsNothing where only safe pictures were looked for
	GIFsNSFWOff    Key = "gifs.nsfw_off"
	GIFsBlocked    Key = "gifs.blocked"    // {tag} is on the blocklist
	GIFsUnsayable  Key = "gifs.unsayable"  // {tag} cannot be looked for at any board
	GIFsTooMany    Key = "gifs.too_many"   // {n} tags are what the board takes
	GIFsUnfit      Key = "gifs.unfit"      // {url}: this server takes the picture in no form
	GIFsQueueFull  Key = "gifs.queue_full" // {n} requests of the member wait already
	GIFsLater      Key = "gifs.later"      // the request is kept, it takes longer
)
