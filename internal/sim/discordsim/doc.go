// Package discordsim is a simulated Discord on 127.0.0.1: the REST API of
// version 10, the gateway, interactions and the files' host, as they look at
// the wire, with faults on demand. Tests run the real client against it, and a
// newcomer's sandbox uses it in place of Discord.
//
// What it knows comes from the published documentation
// (https://github.com/discord/discord-api-docs) and its description of the API
// (https://github.com/discord/discord-api-spec), never from a client library:
// one misreading must not pass on both sides. A comment "Source: topics/rate-limits"
// names the page of the documentation that a rule comes from.
//
// There is one application with one bot. The world around it is made from Go:
// AddGuild, AddUser, Join, AddRole, AddChannel and AddForum build it, BotJoins
// invites the bot, and then people act: Say, Edit, DeleteMessage, Forward, React,
// DM, StartThread, Kick, and with interactions Slash, PressButton and the like.
// ForgeButton and ForgeModal are what a client does that keeps to nothing.
// What the bot did is read with Messages, Commands and Requests; WaitFor wakes
// at every change, so that no test sleeps. Inject makes chosen requests go wrong,
// ServeFile chosen files: gone, empty, slow, torn, or other than they say.
//
// A link becomes an embed when EmbedLinks or Draft.Embeds says so; ImageEmbed,
// VideoEmbed and PageEmbed write what the server would make of it, and the media
// proxy then has the file. Nothing is fetched, scaled or converted.
//
//	s, err := discordsim.New(discordsim.Options{})
//	...
//	defer s.Close()
//	g := s.AddGuild("Owls")
//	general := s.AddChannel(g, "general", discordsim.Text)
//	ada := s.AddUser("ada")
//	s.Join(g, ada)
//	s.BotJoins(g)
//	s.Say(ada, general, discordsim.Draft{Content: "hello <@" + s.AppID() + ">"})
//
// Every id is a text, as in the API. A method that builds the world panics when
// it is given an id that does not exist: that is a mistake in the test. A
// method that lets a person act returns an error when the person may not.
//
// Left out, because nothing here needs it: voice connections, stickers, emoji of
// an application, making and changing a guild's emoji by the bot, polls, webhooks
// of a channel, auto moderation, audit logs, stages, scheduled events, invites,
// shop and monetization. A bot may send stickers and polls, and is told that they
// are not valid.
//
// It decides nothing about how a client should behave, and it never talks to
// anything outside the process.
package discordsim
