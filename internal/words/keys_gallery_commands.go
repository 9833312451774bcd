package words

// What is said of the gallery's commands on Discord, and what they answer.
const (
	GalleryCommandsShareMenu   Key = "gallery_commands.share_menu" // an entry of a message's menu: 32 characters at most
	GalleryCommandsShareHelp   Key = "gallery_commands.share_help" // descriptions: 100 characters at most
	GalleryCommandsArtistHelp  Key = "gallery_commands.artist_help"
	GalleryCommandsProfileHelp Key = "gallery_commands.profile_help"
	GalleryCommandsPostsHelp   Key = "gallery_commands.posts_help"
	GalleryCommandsOffersHelp  Key = "gallery_commands.offers_help"
	GalleryCommandsDeleteHelp  Key = "gallery_commands.delete_help"
	GalleryCommandsGuardHelp   Key = "gallery_commands.guard_help"
	GalleryCommandsBlockHelp   Key = "gallery_commands.block_help"
	GalleryCommandsUnblockHelp Key = "gallery_commands.unblock_help"
	GalleryCommandsBlockedHelp Key = "gallery_commands.blocked_help"

	GalleryCommandsOptionName       Key = "gallery_commands.option_name" // names of options: small letters, no blanks
	GalleryCommandsOptionNameHelp   Key = "gallery_commands.option_name_help"
	GalleryCommandsOptionLinks      Key = "gallery_commands.option_links"
	GalleryCommandsOptionLinksHelp  Key = "gallery_commands.option_links_help"
	GalleryCommandsOptionClear      Key = "gallery_commands.option_clear"
	GalleryCommandsOptionClearHelp  Key = "gallery_commands.option_clear_help"
	GalleryCommandsOptionAsk        Key = "gallery_commands.option_ask"
	GalleryCommandsOptionAskHelp    Key = "gallery_commands.option_ask_help"
	GalleryCommandsOptionPost       Key = "gallery_commands.option_post"
	GalleryCommandsOptionPostHelp   Key = "gallery_commands.option_post_help"
	GalleryCommandsOptionMember     Key = "gallery_commands.option_member"
	GalleryCommandsOptionMemberHelp Key = "gallery_commands.option_member_help"

	GalleryCommandsOffered       Key = "gallery_commands.offered" // {channel} in which the offer stands
	GalleryCommandsShareHow      Key = "gallery_commands.share_how"
	GalleryCommandsNotYourThread Key = "gallery_commands.not_your_thread"
	GalleryCommandsOneAtATime    Key = "gallery_commands.one_at_a_time"

	GalleryCommandsProfile      Key = "gallery_commands.profile"       // {credit}
	GalleryCommandsProfileSet   Key = "gallery_commands.profile_set"   // {credit}
	GalleryCommandsProfileGuild Key = "gallery_commands.profile_guild" // follows: there is no name of their own
	GalleryCommandsBadLink      Key = "gallery_commands.bad_link"      // {link}, {n} are taken at most
	GalleryCommandsLongName     Key = "gallery_commands.long_name"     // {n} characters at most

	GalleryCommandsOffersOn    Key = "gallery_commands.offers_on"
	GalleryCommandsOffersOnAll Key = "gallery_commands.offers_on_all"
	GalleryCommandsOffersOff   Key = "gallery_commands.offers_off"
	GalleryCommandsOffersWhere Key = "gallery_commands.offers_where"

	GalleryCommandsNoPosts      Key = "gallery_commands.no_posts"
	GalleryCommandsPosts        Key = "gallery_commands.posts"         // {n} in all
	GalleryCommandsPostLine     Key = "gallery_commands.post_line"     // {number}, {link}, {code}
	GalleryCommandsPostNoLink   Key = "gallery_commands.post_no_link"  // {number}, {account}, {code}
	GalleryCommandsPostWaits    Key = "gallery_commands.post_waits"    // {number}, {account}, {code}
	GalleryCommandsPostGoes     Key = "gallery_commands.post_goes"     // {number}, {account}
	GalleryCommandsDeleteNumber Key = "gallery_commands.delete_number" // a button; {number}
	GalleryCommandsNewer        Key = "gallery_commands.newer"         // likewise
	GalleryCommandsOlder        Key = "gallery_commands.older"         // likewise

	GalleryCommandsWhich       Key = "gallery_commands.which"
	GalleryCommandsWhichLine   Key = "gallery_commands.which_line"    // {number}, {link}
	GalleryCommandsWhichNoLink Key = "gallery_commands.which_no_link" // {number}, {account}
	GalleryCommandsWhichMore   Key = "gallery_commands.which_more"    // {n}
	GalleryCommandsStrange     Key = "gallery_commands.strange"       // {link}: its account is not ours any more

	GalleryCommandsBlocked           Key = "gallery_commands.blocked"         // {member}
	GalleryCommandsBlockedAlready    Key = "gallery_commands.blocked_already" // {member}
	GalleryCommandsUnblocked         Key = "gallery_commands.unblocked"       // {member}
	GalleryCommandsNotBlocked        Key = "gallery_commands.not_blocked"     // {member}
	GalleryCommandsNobodyBlocked     Key = "gallery_commands.nobody_blocked"
	GalleryCommandsBlockedList       Key = "gallery_commands.blocked_list"        // {n}
	GalleryCommandsBlockedLine       Key = "gallery_commands.blocked_line"        // {member}, {moderator}, {date}
	GalleryCommandsBlockedLineNobody Key = "gallery_commands.blocked_line_nobody" // {member}, {date}
	GalleryCommandsBlockedMore       Key = "gallery_commands.blocked_more"        // {n}
)
