package words

// What “rookery import fediversebot” says. {names} are options in the bot's
// INI file; each of the reasons says why they have no place here.
const (
	ImportFediversebotWritten   Key = "import_fediversebot.written"    // {config} file
	ImportFediversebotSecrets   Key = "import_fediversebot.secrets"    // {names} of files
	ImportFediversebotTaken     Key = "import_fediversebot.taken"      // {names}
	ImportFediversebotData      Key = "import_fediversebot.data"       // {names}
	ImportFediversebotDatabase  Key = "import_fediversebot.database"   // {names}
	ImportFediversebotLog       Key = "import_fediversebot.log"        // {names}
	ImportFediversebotLogin     Key = "import_fediversebot.login"      // {names}
	ImportFediversebotSettings  Key = "import_fediversebot.settings"   // {names}
	ImportFediversebotUnknown   Key = "import_fediversebot.unknown"    // {names}
	ImportFediversebotNoDiscord Key = "import_fediversebot.no_discord" // {file} that the token belongs in
	ImportFediversebotNoToken   Key = "import_fediversebot.no_token"   // {account}
	ImportFediversebotNext      Key = "import_fediversebot.next"       // {file}, the database

	// The bot's posts. {account} is the name in the configuration; {row} is
	// one of the bot's table.
	ImportFediversebotPosts      Key = "import_fediversebot.posts"      // {n}, {account}
	ImportFediversebotAgain      Key = "import_fediversebot.again"      // {account}
	ImportFediversebotNothing    Key = "import_fediversebot.nothing"    // {file}
	ImportFediversebotUnfinished Key = "import_fediversebot.unfinished" // {n}
	ImportFediversebotOddID      Key = "import_fediversebot.odd_id"     // {row}, {column}
	ImportFediversebotOddAuthor  Key = "import_fediversebot.odd_author" // {row}, {post}
	ImportFediversebotOddTwo     Key = "import_fediversebot.odd_two"    // {row}, {post}
	ImportFediversebotOddMore    Key = "import_fediversebot.odd_more"   // {n}
	ImportFediversebotRun        Key = "import_fediversebot.run"
)
