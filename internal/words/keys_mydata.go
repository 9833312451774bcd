package words

// What a member is told about their data and about the commands.
const (
	MyDataHelp             Key = "mydata.help"             // {operator} handle, {processor} the service that runs the model
	MyDataHelpNoOperator   Key = "mydata.help_no_operator" // {processor}
	MyDataOwnMachine       Key = "mydata.own_machine"      // the {processor} that is nobody else's
	MyDataStopped          Key = "mydata.stopped"
	MyDataStoppedAlready   Key = "mydata.stopped_already"
	MyDataStarted          Key = "mydata.started"
	MyDataIntro            Key = "mydata.intro"             // the lines below follow it
	MyDataMentions         Key = "mydata.mentions"          // {n}, {since} Date of the oldest, {kept} Days
	MyDataAnswers          Key = "mydata.answers"           // {n}, {kept} Days
	MyDataUse              Key = "mydata.use"               // {answers} and {tokens} used today, {kept} Days
	MyDataOptedOut         Key = "mydata.opted_out"         // {since} Date
	MyDataForgotten        Key = "mydata.forgotten"         // no answer of ours stands
	MyDataForgottenAnswers Key = "mydata.forgotten_answers" // {n} answers of ours still stand
	MyDataAnswersDeleted   Key = "mydata.answers_deleted"   // {n}
	MyDataNoAnswers        Key = "mydata.no_answers"

	// What a member has shared, of which posts of ours stand.
	MyDataShared          Key = "mydata.shared"           // {n}
	MyDataForgottenShared Key = "mydata.forgotten_shared" // {n}; follows MyDataForgotten or MyDataForgottenAnswers
	MyDataSharedDeleted   Key = "mydata.shared_deleted"   // {n}
	MyDataNoPosts         Key = "mydata.no_posts"

	// What is said where members only share.
	MyDataHelpShares           Key = "mydata.help_shares" // {operator}
	MyDataHelpSharesNoOperator Key = "mydata.help_shares_no_operator"
	MyDataQuotaShares          Key = "mydata.quota_shares"
	MyDataStoppedShares        Key = "mydata.stopped_shares"
	MyDataStoppedSharesAlready Key = "mydata.stopped_shares_already"
	MyDataStartedShares        Key = "mydata.started_shares"

	MyDataQuota          Key = "mydata.quota"           // {used}, {limit}, {time}
	MyDataQuotaUnlimited Key = "mydata.quota_unlimited" // {used}
)

// The same from an account that only shows pictures, and from one that answers
// and shows them.
const (
	MyDataHelpPictures           Key = "mydata.help_pictures" // {operator}
	MyDataHelpPicturesNoOperator Key = "mydata.help_pictures_no_operator"
	MyDataHelpBoth               Key = "mydata.help_both"             // {operator}, {processor}, {word} that begins a request for a picture
	MyDataHelpBothNoOperator     Key = "mydata.help_both_no_operator" // {processor}, {word}
	MyDataStoppedPictures        Key = "mydata.stopped_pictures"
	MyDataStoppedPicturesAlready Key = "mydata.stopped_pictures_already"
	MyDataStartedPictures        Key = "mydata.started_pictures"
	MyDataQuotaPictures          Key = "mydata.quota_pictures"
	MyDataQuotaBoth              Key = "mydata.quota_both" // follows MyDataQuota or MyDataQuotaUnlimited
)
