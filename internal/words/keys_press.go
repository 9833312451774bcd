package words

// What a press or a command on Discord is answered with when no feature can.
const (
	PressUnknown Key = "press.unknown" // a button or form of an older version
	PressOff     Key = "press.off"     // the command's feature is turned off in this guild
	PressTooSlow Key = "press.too_slow"
	PressGone    Key = "press.gone"  // a command that there is no more
	PressAgain   Key = "press.again" // a form was to open, but it came too late
	PressWrong   Key = "press.wrong" // {code} is in the log too
	PressBusy    Key = "press.busy"  // more is pressed than can be handled
	PressDone    Key = "press.done"  // took long, and has nothing to show
)
