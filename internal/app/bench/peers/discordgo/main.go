// Command discordgo is a bot over github.com/bwmarrin/discordgo that hears
// messages and does nothing with them: what the program's own client is
// measured beside. It is a module of its own, so that the program does not
// depend on that library.
//
// It takes the token from BENCH_DISCORD_TOKEN and the origin of the API, like
// "http://127.0.0.1:40123", from BENCH_DISCORD_ORIGIN, and ends with its
// standard input.
package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/bwmarrin/discordgo"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "discordgo: %v\n", err)
		os.Exit(1)
	}
}

func serve() error {
	// The library has its addresses in variables of the package.
	origin := os.Getenv("BENCH_DISCORD_ORIGIN")
	discordgo.APIVersion = "10"
	discordgo.EndpointDiscord = origin + "/"
	discordgo.EndpointAPI = discordgo.EndpointDiscord + "api/v" + discordgo.APIVersion + "/"
	discordgo.EndpointGuilds = discordgo.EndpointAPI + "guilds/"
	discordgo.EndpointChannels = discordgo.EndpointAPI + "channels/"
	discordgo.EndpointUsers = discordgo.EndpointAPI + "users/"
	discordgo.EndpointGateway = discordgo.EndpointAPI + "gateway"
	discordgo.EndpointGatewayBot = discordgo.EndpointGateway + "/bot"

	s, err := discordgo.New("Bot " + os.Getenv("BENCH_DISCORD_TOKEN"))
	if err != nil {
		return fmt.Errorf("make a session: %w", err)
	}
	// What the program asks for too.
	s.Identify.Intents = discordgo.IntentGuilds | discordgo.IntentGuildMessages | discordgo.IntentDirectMessages | discordgo.IntentMessageContent
	// Compressing each message apart is the simulator's slowest way, and dearer
	// for the library as well.
	s.Identify.Compress = false
	var heard atomic.Int64
	s.AddHandler(func(_ *discordgo.Session, m *discordgo.MessageCreate) {
		for _, u := range m.Mentions {
			if u.ID == s.State.User.ID {
				return
			}
		}
		heard.Add(1)
	})
	if err := s.Open(); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is ours
	fmt.Println(heard.Load())
	return s.Close()
}
