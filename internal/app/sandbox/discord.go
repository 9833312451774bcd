package sandbox

import "rookery/internal/sim/boorusim"

// discord is the story of a guild: its managers set the bot up, and its members
// talk with it, ask for pictures and press buttons, whatever fails meanwhile.
func discord() story {
	return story{
		name:    "discord",
		summary: "a Discord server sets the bot up and talks with it; each message gets one answer, whatever fails",
		intro: []string{
			"Elelem, the clockwork owl, is invited to a Discord server. Olga manages it; Ada and others are members.",
			"The bot is the real program on an ordinary configuration; Discord, language model and image board are simulated here.",
			"On the way the gateway ends sessions, events are lost, Discord turns the bot away, and it is killed: still one answer each.",
		},
		settings: settings{pictures: boorusim.Pleasant(), discord: true},
		steps: []step{
			{"The bot starts, connects, and has only the commands that nobody needs to turn on", joinsGuild},
			{"Olga sets it up in four questions; a channel in which it may not write is refused", setsUp},
			{"Ada mentions the bot: one reply, which pings nobody", mentionedInGuild},
			{"Ada replies to that: the talk goes on, and the model is given what was said", repliedInGuild},
			{"/gif shows a picture with alt text, source and artist", commandGIF},
			{"NSFW outside age-restricted channels: refused, and only who asked sees that", commandNSFW},
			{"The gateway has it connect anew (op 7): one answer", toldToReconnect},
			{"The gateway ends its session (op 9): one answer", sessionEnded},
			{"An event comes twice: one answer", eventTwice},
			{"An event is lost: the message is found, and answered once", eventLost},
			{"Turned away with 429 by a bucket, by the global limit and by the edge: one answer each", turnedAway},
			{"Killed after a command was kept, before Discord was told: one answer", killedBeforeAck},
			{"Killed after an answer was stored, before the bot was told: one answer", killedAfterMessage},
			{"A button from before the restart works after it", oldButton},
		},
	}
}
