// Package failpoint marks the steps of the program at which a test wants the
// process killed: steps that leave no trace on the wire. It is empty unless
// built with the tag "failpoint"; released binaries never are.
//
// The steps of a mention's way are listed in Steps, in order, so that a test
// can walk them all and a new step is not forgotten.
package failpoint

// Steps are the numbered steps of a mention's way through the program.
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
