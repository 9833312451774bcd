package words

// What the operator's commands print.
const (
	CommandsPaused       Key = "commands.paused"        // {time} since when
	CommandsResumed      Key = "commands.resumed"       //
	CommandsNoJobs       Key = "commands.no_jobs"       //
	CommandsJobsHead     Key = "commands.jobs_head"     // the columns ID, STATE, KIND, TRIES, WHEN, ERROR, tabs in between as {tab}
	CommandsJobRetried   Key = "commands.job_retried"   // {id}
	CommandsJobDropped   Key = "commands.job_dropped"   // {id}
	CommandsBackupDone   Key = "commands.backup_done"   // {path}, {size} in megabytes
	CommandsRestored     Key = "commands.restored"      // {path} of the backup, {old} where the old database is
	CommandsWishesLost   Key = "commands.wishes_lost"   // {reason}
	CommandsConfigGood   Key = "commands.config_good"   // {path}
	CommandsWarning      Key = "commands.warning"       // {line}, {text}
	CommandsDryRun       Key = "commands.dry_run"       //
	CommandsWouldPost    Key = "commands.would_post"    // {account}, {visibility}
	CommandsWithPictures Key = "commands.with_pictures" // {n}
)
