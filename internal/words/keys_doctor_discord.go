package words

// What “rookery doctor” finds of the section [discord], and what helps. A key
// that ends in _help has the placeholders of the texts it goes with.
const (
	DoctorDiscordConfig     Key = "doctor_discord.config"      // {file}, {n}
	DoctorDiscordConfigOnly Key = "doctor_discord.config_only" // {file}

	DoctorDiscordTokenOk          Key = "doctor_discord.token_ok" // {name}
	DoctorDiscordTokenMissing     Key = "doctor_discord.token_missing"
	DoctorDiscordTokenMissingHelp Key = "doctor_discord.token_missing_help"
	DoctorDiscordTokenRefused     Key = "doctor_discord.token_refused" // {api}
	DoctorDiscordTokenHelp        Key = "doctor_discord.token_help"
	DoctorDiscordUnclear          Key = "doctor_discord.unclear" // {api}, {reason}
	DoctorDiscordUnclearHelp      Key = "doctor_discord.unclear_help"
	DoctorDiscordLimited          Key = "doctor_discord.limited" // {api}, {time}
	DoctorDiscordLimitedHelp      Key = "doctor_discord.limited_help"
	DoctorDiscordNotDiscord       Key = "doctor_discord.not_discord" // {api}
	DoctorDiscordNotDiscordHelp   Key = "doctor_discord.not_discord_help"
	DoctorDiscordAnotherKind      Key = "doctor_discord.another_kind" // {name}
	DoctorDiscordContentOk        Key = "doctor_discord.content_ok"
	DoctorDiscordContentUnused    Key = "doctor_discord.content_unused"
	DoctorDiscordContentOff       Key = "doctor_discord.content_off"
	DoctorDiscordContentHelp      Key = "doctor_discord.content_help" // {address}
	DoctorDiscordGuilds           Key = "doctor_discord.guilds"       // {n}, {names}
	DoctorDiscordGuildsMany       Key = "doctor_discord.guilds_many"  // {n}
	DoctorDiscordGuildsNone       Key = "doctor_discord.guilds_none"
	DoctorDiscordGuildsHelp       Key = "doctor_discord.guilds_help" // {link}
	DoctorDiscordSessions         Key = "doctor_discord.sessions"    // {n}, {total}
	DoctorDiscordSessionsFew      Key = "doctor_discord.sessions_few"
	DoctorDiscordSessionsHelp     Key = "doctor_discord.sessions_help"   // {time}
	DoctorDiscordChannelOk        Key = "doctor_discord.channel_ok"      // {channel}
	DoctorDiscordChannelUnknown   Key = "doctor_discord.channel_unknown" // {id}
	DoctorDiscordChannelHidden    Key = "doctor_discord.channel_hidden"  // {id}
	DoctorDiscordChannelNoText    Key = "doctor_discord.channel_no_text" // {channel}
	DoctorDiscordChannelMay       Key = "doctor_discord.channel_may"     // {channel}, {permissions}
	DoctorDiscordChannelUnclear   Key = "doctor_discord.channel_unclear" // {id}, {reason}
	DoctorDiscordChannelOtherHelp Key = "doctor_discord.channel_other_help"
	DoctorDiscordChannelSeeHelp   Key = "doctor_discord.channel_see_help"
	DoctorDiscordChannelMayHelp   Key = "doctor_discord.channel_may_help"

	DoctorDiscordOperatorHelp Key = "doctor_discord.operator_help"
)
