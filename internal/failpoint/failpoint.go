// Package failpoint marks the steps of the program at which a test wants the
// process killed: steps that leave no trace on the wire. It is empty unless
// built with the tag "failpoint"; released binaries never are.
//
// The steps of a mention's way are listed here, in order, so that a test can
// walk them all and a new step is not forgotten.
package failpoint

// Steps are the numbered steps of a mention's way through the program, to an
// answer in words.
var Steps = []string{
	"1-page-read",          // notifications read, nothing stored
	"2-taken-in",           // mention, waiting row and job committed
	"3-picked",             // the worker has taken the mention
	"4-thread-read",        // the thread is known, the model not yet asked
	"5-model-answered",     // the answer is in memory only
	"6-claimed",            // effect and attempt committed, nothing sent
	"7-answered-by-server", // the server stored the post, we did not note it
	"8-confirmed",          // confirmed, settled and done committed
	"9-dismissed",          // the notification was dismissed
}

// PictureSteps are those of a request for a picture.
var PictureSteps = []string{
	"1-page-read",
	"2-taken-in",
	"g1-picked",       // the worker has taken the request
	"g2-searched",     // a board has answered, the picture is in memory only
	"g3-chosen",       // the picture is noted
	"g4-fetched",      // its file is here
	"g5-converted",    // a form of it was made, of a file that does not fit
	"g6-uploaded",     // the server has the file, its id is in memory only
	"g7-upload-noted", // the id is noted
	"g8-processing",   // the server still works on the file
	"g9-processed",    // the server has finished, we did not note it
	"g10-attached",    // the file can be attached, no post is planned
	"6-claimed",
	"7-answered-by-server",
	"8-confirmed",
	"9-dismissed",
}

// DiscordSteps are those of a message that addresses the bot on Discord, to
// its answer in words.
var DiscordSteps = []string{
	"d1-message-heard",    // an event told of it, nothing stored
	"d2-message-taken-in", // mention, waiting row and job committed
	"3-picked",
	"4-thread-read",
	"5-model-answered",
	"6-claimed",
	"7-answered-by-server",
	"8-confirmed",
}

// PressSteps are those of a command for a picture on Discord.
var PressSteps = []string{
	"d3-press-committed",    // request, waiting row and job committed, not acknowledged
	"d4-press-acknowledged", // "thinking" is shown
	"g1-picked",
	"g2-searched",
	"g3-chosen",
	"g4-fetched",
	"g10-attached", // the file is stored, no answer is planned
	"6-claimed",
	"7-answered-by-server",
	"8-confirmed",
}
