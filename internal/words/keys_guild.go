package words

// What a guild sets for all features.
const (
	GuildGeneral      Key = "guild.general"
	GuildGeneralHelp  Key = "guild.general_help"
	GuildLanguageHelp Key = "guild.language_help"
	GuildLanguageEach Key = "guild.language_each"
	GuildNoticesHelp  Key = "guild.notices_help"
)

// The names and descriptions of commands, as Discord shows them: a name has 32
// small letters at most, a description 100 characters.
const (
	GuildHelpName     Key = "guild.help_name"
	GuildHelpHelp     Key = "guild.help_help"
	GuildSetupName    Key = "guild.setup_name"
	GuildSetupHelp    Key = "guild.setup_help"
	GuildSettingsName Key = "guild.settings_name"
	GuildSettingsHelp Key = "guild.settings_help"
	GuildResetHelp    Key = "guild.reset_help"
	GuildResetSetting Key = "guild.reset_setting"
	GuildHistoryHelp  Key = "guild.history_help"
	GuildExportHelp   Key = "guild.export_help"
	GuildImportHelp   Key = "guild.import_help"
	GuildImportFile   Key = "guild.import_file"
)

// What /settings answers.
const (
	GuildOpenTooLong    Key = "guild.open_too_long"
	GuildNothingChanged Key = "guild.nothing_changed"
	GuildLookAgain      Key = "guild.look_again"
	GuildAlready        Key = "guild.already"
	GuildWasNow         Key = "guild.was_now"       // {old}, {new}, {default}
	GuildDefault        Key = "guild.default"       // {default}, {bounds}
	GuildHowToChange    Key = "guild.how_to_change" // {command}
	GuildChoose         Key = "guild.choose"        // {setting}
	GuildLine           Key = "guild.line"          // {line} of a file
	GuildMore           Key = "guild.more"          // {n} mistakes
	GuildNoHistory      Key = "guild.no_history"
	GuildHistoryTitle   Key = "guild.history_title"
	GuildHistoryLine    Key = "guild.history_line" // {who}, {setting}, {old}, {new}
	GuildExported       Key = "guild.exported"     // {command}
	GuildExportAlt      Key = "guild.export_alt"
	GuildNoFile         Key = "guild.no_file"
	GuildFileLost       Key = "guild.file_lost"
)

// What /setup asks.
const (
	GuildQuestion       Key = "guild.question" // {number} of {of}
	GuildAskLanguage    Key = "guild.ask_language"
	GuildAskFeatures    Key = "guild.ask_features"
	GuildAskChannels    Key = "guild.ask_channels"
	GuildAskGallery     Key = "guild.ask_gallery"
	GuildAskNotices     Key = "guild.ask_notices"
	GuildChooseFeatures Key = "guild.choose_features"
	GuildChooseChannels Key = "guild.choose_channels"
	GuildChooseChannel  Key = "guild.choose_channel"
	GuildEverywhere     Key = "guild.everywhere"
	GuildNowhere        Key = "guild.nowhere"
	GuildSkip           Key = "guild.skip"
	GuildFinished       Key = "guild.finished" // {features}
	GuildFinishedOff    Key = "guild.finished_off"
	GuildFinishedHow    Key = "guild.finished_how"
)

// What /help says.
const (
	GuildHelpTitle    Key = "guild.help_title"
	GuildHelpCommands Key = "guild.help_commands"
	GuildHelpMenu     Key = "guild.help_menu" // {name} of a context-menu command
	GuildHelpNothing  Key = "guild.help_nothing"

	GuildNoticeForbidden Key = "guild.notice_forbidden" // {channel}

	GuildTopicPersona   Key = "guild.topic_persona" // {processor} runs the language model
	GuildTopicGIFs      Key = "guild.topic_gifs"    // {word}
	GuildTopicGIFsAlone Key = "guild.topic_gifs_alone"
	GuildTopicPrivacy   Key = "guild.topic_privacy"
	GuildTopicOperator  Key = "guild.topic_operator" // {operator}
	GuildTopicManagers  Key = "guild.topic_managers"
)
