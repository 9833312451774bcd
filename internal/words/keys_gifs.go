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

// What is said on Discord alone.
const (
	GIFsCommandHelp     Key = "gifs.command_help"
	GIFsOptionWords     Key = "gifs.option_words" // the option's name: small letters, no blanks
	GIFsOptionWordsHelp Key = "gifs.option_words_help"
	GIFsOptionNSFWHelp  Key = "gifs.option_nsfw_help"

	GIFsOffHere     Key = "gifs.off_here"     // the guild has no pictures, or not in this channel
	GIFsNSFWGuild   Key = "gifs.nsfw_guild"   // the guild wants none
	GIFsNSFWChannel Key = "gifs.nsfw_channel" // the channel is not age-restricted
	GIFsNSFWDirect  Key = "gifs.nsfw_direct"  // a direct message
	GIFsNoFiles     Key = "gifs.no_files"     // {permission} is what the bot lacks, as Discord calls it
	GIFsStopped     Key = "gifs.stopped"      // the member has asked to be left alone

	GIFsDelete         Key = "gifs.delete" // a button
	GIFsDeleteNotYours Key = "gifs.delete_not_yours"
	GIFsDeleteUnknown  Key = "gifs.delete_unknown"

	GIFsSettingsTitle      Key = "gifs.settings_title"
	GIFsSettingsHelp       Key = "gifs.settings_help"
	GIFsSettingEnabled     Key = "gifs.setting_enabled"
	GIFsSettingNSFW        Key = "gifs.setting_nsfw"
	GIFsSettingChannels    Key = "gifs.setting_channels"
	GIFsSettingNotChannels Key = "gifs.setting_not_channels"
)
