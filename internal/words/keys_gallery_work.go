package words

// What the artist is told when a submission cannot be posted as it is, or has
// to wait. {name} is a file's name.
const (
	// Why it is back with the artist: these stand above the offer.
	GalleryWorkChanged        Key = "gallery_work.changed"        // the message was edited after it was agreed to
	GalleryWorkGuildOff       Key = "gallery_work.guild_off"      // the server on Discord has turned the gallery off
	GalleryWorkBlocked        Key = "gallery_work.blocked"        // moderators have taken sharing away
	GalleryWorkAccountOff     Key = "gallery_work.account_off"    // {account} is not to be used from there any more
	GalleryWorkKindOff        Key = "gallery_work.kind_off"       // {name}: its kind of file is not taken any more
	GalleryWorkNotMedia       Key = "gallery_work.not_media"      // {name}: no picture, film or sound
	GalleryWorkBroken         Key = "gallery_work.broken"         // {name}
	GalleryWorkMissing        Key = "gallery_work.missing"        // {name}: it is not where it was
	GalleryWorkNotPublic      Key = "gallery_work.not_public"     // {name}: its address is none of the public Internet
	GalleryWorkTooLarge       Key = "gallery_work.too_large"      // {name}: too large to be fetched
	GalleryWorkUnfit          Key = "gallery_work.unfit"          // {name}: {account}'s server does not take it, and it cannot be made to fit
	GalleryWorkCannotConvert  Key = "gallery_work.cannot_convert" // {name}: the same, because converting it failed here
	GalleryWorkUnreachable    Key = "gallery_work.unreachable"    // {name}: its host was in trouble for a day
	GalleryWorkAIChanged      Key = "gallery_work.ai_changed"     // who would describe the pictures is not who was agreed to
	GalleryWorkRefused        Key = "gallery_work.refused"        // {account}'s server said {reason}
	GalleryWorkLost           Key = "gallery_work.lost"           // {account}'s server has lost the files again and again
	GalleryWorkLimits         Key = "gallery_work.limits"         // {account}
	GalleryWorkUndescribed    Key = "gallery_work.undescribed"
	GalleryWorkTooLate        Key = "gallery_work.too_late"        // {account} could not be reached for days
	GalleryWorkIncomplete     Key = "gallery_work.incomplete"      // it stands, but {n} of its {posts} posts alone; {account}'s server said {reason}
	GalleryWorkIncompleteLost Key = "gallery_work.incomplete_lost" // the same, because the server has lost the files; {n}, {posts}, {account}
	GalleryWorkIncompleteRest Key = "gallery_work.incomplete_rest" // the same, because the rest is not what was agreed to any more; {n}, {posts}
	GalleryWorkReviewExpired  Key = "gallery_work.review_expired"  // no moderator has decided in time
	GalleryWorkNotEdited      Key = "gallery_work.not_edited"      // the descriptions of the post stay as they are: {account}'s server said {reason}

	// What it waits for: these stand below "it is being posted".
	GalleryWorkWaitsServer  Key = "gallery_work.waits_server" // {account}
	GalleryWorkWaitsDiscord Key = "gallery_work.waits_discord"
	GalleryWorkWaitsFile    Key = "gallery_work.waits_file" // {name}
	GalleryWorkWaitsHere    Key = "gallery_work.waits_here" // the bot's own computer is in trouble
	GalleryWorkWaitsTurn    Key = "gallery_work.waits_turn" // {account} posts so many an hour
)
