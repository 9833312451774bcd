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
)
