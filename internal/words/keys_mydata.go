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
	MyDataQuota            Key = "mydata.quota"           // {used}, {limit}, {time}
	MyDataQuotaUnlimited   Key = "mydata.quota_unlimited" // {used}
)
