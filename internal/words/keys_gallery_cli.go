package words

// What “rookery gallery emoji” says of the packs that it has written. {names}
// are those of emoji in their guild.
const (
	GalleryCLIEmojiWritten    Key = "gallery_cli.emoji_written"     // {n} emoji, {folder}
	GalleryCLIEmojiAkkoma     Key = "gallery_cli.emoji_akkoma"      // {pack}, a folder
	GalleryCLIEmojiMastodon   Key = "gallery_cli.emoji_mastodon"    // {archive}
	GalleryCLIEmojiNoArchive  Key = "gallery_cli.emoji_no_archive"  // in place of the one before
	GalleryCLIEmojiRenamed    Key = "gallery_cli.emoji_renamed"     // {names}, each with what it is called now
	GalleryCLIEmojiWebp       Key = "gallery_cli.emoji_webp"        // {names}
	GalleryCLIEmojiLarge      Key = "gallery_cli.emoji_large"       // {names}, {limit} in KiB
	GalleryCLIEmojiNotFetched Key = "gallery_cli.emoji_not_fetched" // {names}
	GalleryCLIEmojiNotPicture Key = "gallery_cli.emoji_not_picture" // {names}
	GalleryCLIEmojiTooLarge   Key = "gallery_cli.emoji_too_large"   // {names}, {limit} in MiB
)
