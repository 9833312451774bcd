package words

// What “rookery import” says once it has written its files.
const (
	ImportWritten Key = "import.written" // {config} and {env} files
	ImportTaken   Key = "import.taken"   // {url}, {token} and {key} variables
	ImportModel   Key = "import.model"   // {model}
	ImportClosed  Key = "import.closed"  // {server}
	ImportUnknown Key = "import.unknown" // {names} of variables
	ImportCron    Key = "import.cron"    // the line follows
	ImportNext    Key = "import.next"

	// giffer's settings. {names} are variables; each of the reasons says why
	// they have no place here.
	ImportGifferWritten    Key = "import.giffer_written"    // {config} and {token} files
	ImportGifferTaken      Key = "import.giffer_taken"      // {names}
	ImportGifferChanged    Key = "import.giffer_changed"    // {name} of a variable, {now} as the configuration has it
	ImportGifferTimeouts   Key = "import.giffer_timeouts"   // {names}
	ImportGifferProcessing Key = "import.giffer_processing" // {names}
	ImportGifferMemory     Key = "import.giffer_memory"     // {names}
	ImportGifferLog        Key = "import.giffer_log"        // {names}
	ImportGifferAgent      Key = "import.giffer_agent"      // {names}
	ImportGifferNSFW       Key = "import.giffer_nsfw"
	ImportGifferNext       Key = "import.giffer_next"

	// giffer's work. {account} is the name in the configuration, {handle} its
	// own at its server.
	ImportStatePosts   Key = "import.state_posts" // {n}, {handle}
	ImportStateAgain   Key = "import.state_again" // {handle}
	ImportStateBegun   Key = "import.state_begun"
	ImportStatePlace   Key = "import.state_place" // {time}
	ImportStateOlder   Key = "import.state_older" // {time}
	ImportStateAll     Key = "import.state_all"
	ImportStateNoPlace Key = "import.state_no_place"
	ImportStateNext    Key = "import.state_next" // {account}
)
