package words

// What “rookery doctor” finds, and what helps. A key that ends in _help says
// what to do and has the placeholders of the texts it goes with. {reason} is
// what went wrong, in English, as the log has it.
const (
	// How a line begins, and the summary.
	DoctorLevelOk      Key = "doctor.level_ok"
	DoctorLevelWarning Key = "doctor.level_warning"
	DoctorLevelError   Key = "doctor.level_error"
	DoctorToDo         Key = "doctor.to_do"    // {help}
	DoctorSummary      Key = "doctor.summary"  // {errors}, {warnings}, {fine}
	DoctorErrors       Key = "doctor.errors"   // {n}
	DoctorWarnings     Key = "doctor.warnings" // {n}
	DoctorMinutes      Key = "doctor.minutes"  // {n}
	DoctorUnlimited    Key = "doctor.unlimited"

	// The configuration and its files.
	DoctorConfigOk          Key = "doctor.config_ok"      // {file}, {n}
	DoctorConfigMistake     Key = "doctor.config_mistake" // {problem}
	DoctorConfigMistakeHelp Key = "doctor.config_mistake_help"
	DoctorConfigWarning     Key = "doctor.config_warning" // {problem}
	DoctorConfigNone        Key = "doctor.config_none"    // {file}
	DoctorConfigNoneHelp    Key = "doctor.config_none_help"
	DoctorSecretsOk         Key = "doctor.secrets_ok"
	DoctorSecretsOpen       Key = "doctor.secrets_open"      // {file}
	DoctorSecretsOpenHelp   Key = "doctor.secrets_open_help" // {mode}, {file}

	// The data directory, its disk and the database. {size} and {free} are megabytes.
	DoctorDataOk              Key = "doctor.data_ok"           // {dir}
	DoctorDataRunning         Key = "doctor.data_running"      // {dir}, {who}
	DoctorDataNew             Key = "doctor.data_new"          // {dir}
	DoctorDataNotWritable     Key = "doctor.data_not_writable" // {dir}, {reason}
	DoctorDataNotMakeable     Key = "doctor.data_not_makeable" // {dir}, {reason}
	DoctorDataNotWritableHelp Key = "doctor.data_not_writable_help"
	DoctorDataFile            Key = "doctor.data_file" // {dir}
	DoctorDataFileHelp        Key = "doctor.data_file_help"
	DoctorDiskOk              Key = "doctor.disk_ok"  // {dir}, {free}, {size}
	DoctorDiskLow             Key = "doctor.disk_low" // {dir}, {free}, {size}
	DoctorDiskLowHelp         Key = "doctor.disk_low_help"
	DoctorDiskUnknown         Key = "doctor.disk_unknown" // {dir}, {reason}
	DoctorDiskUnknownHelp     Key = "doctor.disk_unknown_help"
	DoctorDatabaseOk          Key = "doctor.database_ok" // {dialect}, {size}
	DoctorDatabaseNew         Key = "doctor.database_new"
	DoctorDatabaseServer      Key = "doctor.database_server" // {version}, {size}, {ms}
	DoctorDatabaseSlowHelp    Key = "doctor.database_slow_help"
	DoctorDatabaseOlder       Key = "doctor.database_older"
	DoctorDatabaseNewer       Key = "doctor.database_newer" // {feature}
	DoctorDatabaseNewerHelp   Key = "doctor.database_newer_help"
	DoctorDatabaseBroken      Key = "doctor.database_broken" // {reason}
	DoctorDatabaseBrokenHelp  Key = "doctor.database_broken_help"
	DoctorDatabaseClosed      Key = "doctor.database_closed"      // {dialect}, {reason}
	DoctorDatabaseClosedHelp  Key = "doctor.database_closed_help" // {dir}
	DoctorDatabaseServerHelp  Key = "doctor.database_server_help"
	DoctorDatabaseForeign     Key = "doctor.database_foreign" // {reason}
	DoctorDatabaseForeignHelp Key = "doctor.database_foreign_help"
	DoctorBackupsOk           Key = "doctor.backups_ok" // {file}, {age}
	DoctorBackupsNothing      Key = "doctor.backups_nothing"
	DoctorBackupsNone         Key = "doctor.backups_none"      // {dir}
	DoctorBackupsNoneHelp     Key = "doctor.backups_none_help" // {at}
	DoctorBackupsOld          Key = "doctor.backups_old"       // {file}, {age}
	DoctorBackupsOff          Key = "doctor.backups_off"
	DoctorBackupsOffHelp      Key = "doctor.backups_off_help" // {dialect}
	DoctorBackupsFailed       Key = "doctor.backups_failed"   // {reason}
	DoctorBackupsFailedHelp   Key = "doctor.backups_failed_help"
	DoctorBackupsUnreadable   Key = "doctor.backups_unreadable" // {dir}, {reason}

	// An account, named {account}, and its server.
	DoctorServerOk         Key = "doctor.server_ok"        // {server}, {software}, {version}
	DoctorServerUnknown    Key = "doctor.server_unknown"   // {server}, {version}
	DoctorServerDown       Key = "doctor.server_down"      // {server}, {reason}
	DoctorServerDownHelp   Key = "doctor.server_down_help" // {account}, {server}
	DoctorTokenOk          Key = "doctor.token_ok"         // {handle}
	DoctorTokenMissing     Key = "doctor.token_missing"
	DoctorTokenRefused     Key = "doctor.token_refused"      // {server}, {reason}
	DoctorTokenHelp        Key = "doctor.token_help"         // {account}
	DoctorTokenUnclear     Key = "doctor.token_unclear"      // {server}, {reason}
	DoctorTokenSwapped     Key = "doctor.token_swapped"      // {handle}, {was}
	DoctorTokenSwappedHelp Key = "doctor.token_swapped_help" // {was}, {account}
	DoctorScopesOk         Key = "doctor.scopes_ok"          // {scopes}
	DoctorScopesUnknown    Key = "doctor.scopes_unknown"     // {server}
	DoctorScopesMissing    Key = "doctor.scopes_missing"     // {scope}, {breaks}
	DoctorBreaksEverything Key = "doctor.breaks_everything"
	DoctorBreaksMentions   Key = "doctor.breaks_mentions"
	DoctorBreaksThreads    Key = "doctor.breaks_threads"
	DoctorBreaksPosting    Key = "doctor.breaks_posting"
	DoctorBreaksDismissing Key = "doctor.breaks_dismissing"
	DoctorBreaksFollowers  Key = "doctor.breaks_followers"
	DoctorBreaksPictures   Key = "doctor.breaks_pictures"
	DoctorPolicyOk         Key = "doctor.policy_ok"
	DoctorPolicyNone       Key = "doctor.policy_none"    // {server}
	DoctorPolicyUnclear    Key = "doctor.policy_unclear" // {server}, {reason}
	DoctorPolicyFilter     Key = "doctor.policy_filter"  // {who}
	DoctorPolicyDrop       Key = "doctor.policy_drop"    // {who}
	DoctorPolicyHelp       Key = "doctor.policy_help"    // {server}
	DoctorWhoNotFollowed   Key = "doctor.who_not_followed"
	DoctorWhoNotFollowing  Key = "doctor.who_not_following"
	DoctorWhoNew           Key = "doctor.who_new"
	DoctorWhoPrivate       Key = "doctor.who_private"
	DoctorWhoLimited       Key = "doctor.who_limited"
	DoctorBotOk            Key = "doctor.bot_ok"
	DoctorBotMissing       Key = "doctor.bot_missing"
	DoctorBotHelp          Key = "doctor.bot_help" // {server}
	DoctorProfileOk        Key = "doctor.profile_ok"
	DoctorProfileSilent    Key = "doctor.profile_silent"
	DoctorProfileHelp      Key = "doctor.profile_help"   // {server}
	DoctorLimitsOk         Key = "doctor.limits_ok"      // {server}, {chars}
	DoctorLimitsAssumed    Key = "doctor.limits_assumed" // {server}, {chars}
	DoctorRulesRule        Key = "doctor.rules_rule"     // {number}, {server}, {rule}
	DoctorRulesBots        Key = "doctor.rules_bots"     // {number}, {server}, {rule}
	DoctorStreamingOk      Key = "doctor.streaming_ok"
	DoctorStreamingOff     Key = "doctor.streaming_off"    // {poll}
	DoctorStreamingNone    Key = "doctor.streaming_none"   // {reason}, {poll}
	DoctorStreamingFailed  Key = "doctor.streaming_failed" // {reason}, {poll}
	DoctorStreamingHelp    Key = "doctor.streaming_help"   // {account}
	DoctorClockOk          Key = "doctor.clock_ok"         // {server}, {seconds}
	DoctorClockOff         Key = "doctor.clock_off"        // {seconds}, {server}
	DoctorClockHelp        Key = "doctor.clock_help"

	// What waits in the database. {since} is a time.
	DoctorMentionsNone       Key = "doctor.mentions_none"
	DoctorMentionsWait       Key = "doctor.mentions_wait" // {n}, {since}
	DoctorMentionsHelp       Key = "doctor.mentions_help"
	DoctorMentionsUnread     Key = "doctor.mentions_unread" // {n}
	DoctorMentionsUnreadHelp Key = "doctor.mentions_unread_help"
	DoctorEffectsNone        Key = "doctor.effects_none"
	DoctorEffectsOpen        Key = "doctor.effects_open" // {n}, {since}
	DoctorJobsOk             Key = "doctor.jobs_ok"
	DoctorJobsFailed         Key = "doctor.jobs_failed" // {n}
	DoctorJobsFailedHelp     Key = "doctor.jobs_failed_help"
	DoctorPauseOn            Key = "doctor.pause_on" // {since}
	DoctorPauseHelp          Key = "doctor.pause_help"

	// The language model and what is left. {ms} are milliseconds.
	DoctorModelOk          Key = "doctor.model_ok"        // {model}, {ms}, {prompt}, {completion}
	DoctorModelUncounted   Key = "doctor.model_uncounted" // {model}, {ms}
	DoctorModelUnused      Key = "doctor.model_unused"
	DoctorModelFailed      Key = "doctor.model_failed" // {model}, {url}, {reason}
	DoctorModelKeyHelp     Key = "doctor.model_key_help"
	DoctorModelAddressHelp Key = "doctor.model_address_help"
	DoctorModelRateHelp    Key = "doctor.model_rate_help"
	DoctorModelOddHelp     Key = "doctor.model_odd_help"
	DoctorModelDownHelp    Key = "doctor.model_down_help"
	DoctorModelSlowHelp    Key = "doctor.model_slow_help"
	DoctorBudgetTokens     Key = "doctor.budget_tokens" // {n}, {tokens}, {limit}
	DoctorBudgetMoney      Key = "doctor.budget_money"  // {n}, {tokens}, {limit}, {money}, {most}
	DoctorBudgetSpentHelp  Key = "doctor.budget_spent_help"
	DoctorBudgetZero       Key = "doctor.budget_zero" // {key}
	DoctorBudgetZeroHelp   Key = "doctor.budget_zero_help"
	DoctorOperatorOk       Key = "doctor.operator_ok" // {handle}
	DoctorOperatorNone     Key = "doctor.operator_none"
	DoctorOperatorUnknown  Key = "doctor.operator_unknown" // {handle}
	DoctorOperatorUnclear  Key = "doctor.operator_unclear" // {handle}, {reason}
	DoctorOperatorHelp     Key = "doctor.operator_help"
	DoctorZoneOk           Key = "doctor.zone_ok" // {zone}, {now}

	// Pictures. {size} and {films} are megabytes of a GIF and of a film.
	DoctorFfmpegOk          Key = "doctor.ffmpeg_ok"
	DoctorFfmpegFound       Key = "doctor.ffmpeg_found" // {version}, {path}
	DoctorFfmpegOff         Key = "doctor.ffmpeg_off"
	DoctorFfmpegMissing     Key = "doctor.ffmpeg_missing"  // {program}, {reason}
	DoctorFfmpegNoFilms     Key = "doctor.ffmpeg_no_films" // {version}, {path}
	DoctorFfmpegNoGIFs      Key = "doctor.ffmpeg_no_gifs"  // {version}, {path}
	DoctorFfmpegHelp        Key = "doctor.ffmpeg_help"
	DoctorTempOk            Key = "doctor.temp_ok"           // {dir}, {free} megabytes
	DoctorTempNotWritable   Key = "doctor.temp_not_writable" // {dir}, {reason}
	DoctorTempFile          Key = "doctor.temp_file"         // {dir}
	DoctorTempFileHelp      Key = "doctor.temp_file_help"    // {dir}
	DoctorTempLow           Key = "doctor.temp_low"          // {dir}, {free} and {need} megabytes
	DoctorTempLowHelp       Key = "doctor.temp_low_help"
	DoctorBoardOk           Key = "doctor.board_ok"     // {board}, {kind}, {ms}, {page} of what was found
	DoctorBoardEmpty        Key = "doctor.board_empty"  // {board}
	DoctorBoardFailed       Key = "doctor.board_failed" // {board}, {reason}
	DoctorBoardFilterHelp   Key = "doctor.board_filter_help"
	DoctorBoardEmptyHelp    Key = "doctor.board_empty_help"
	DoctorBoardWaitHelp     Key = "doctor.board_wait_help" // {time}
	DoctorBoardDeniedHelp   Key = "doctor.board_denied_help"
	DoctorBoardDownHelp     Key = "doctor.board_down_help"    // {board}
	DoctorBoardAddressHelp  Key = "doctor.board_address_help" // {board}, {kind}
	DoctorPicturesOk        Key = "doctor.pictures_ok"        // {server}, {size}, {films}, {alt} characters
	DoctorPicturesGIFs      Key = "doctor.pictures_gifs"      // {server}, {size}
	DoctorPicturesFilms     Key = "doctor.pictures_films"     // {server}
	DoctorPicturesFilmsHelp Key = "doctor.pictures_films_help"
	DoctorPicturesNone      Key = "doctor.pictures_none" // {server}
	DoctorPicturesNoneHelp  Key = "doctor.pictures_none_help"
	DoctorPicturesAlt       Key = "doctor.pictures_alt" // {server}, {alt}
	DoctorPicturesAltHelp   Key = "doctor.pictures_alt_help"
	DoctorPicturesNSFW      Key = "doctor.pictures_nsfw" // {server}
)
