//go:build !race

// disgo v0.19.6 races with itself: its heartbeat goroutine sets heartbeatCancel
// without a lock, and closing the connection reads it. Tests with the race
// detector would report that, so they leave this file out.

package discordsim

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/disgoorg/disgo"
	"github.com/disgoorg/disgo/bot"
	"github.com/disgoorg/disgo/discord"
	"github.com/disgoorg/disgo/events"
	"github.com/disgoorg/disgo/gateway"
	"github.com/disgoorg/disgo/rest"
	"github.com/disgoorg/snowflake/v2"
)

// TestRealClient connects a real client by every transport: the sim is written
// from the documentation, and this is where it meets somebody else's reading.
func TestRealClient(t *testing.T) {
	t.Parallel()
	for name, compression := range map[string]gateway.CompressionType{
		"none": gateway.CompressionNone, "zlib": gateway.CompressionZlibStream, "zstd": gateway.CompressionZstdStream,
		"payload": gateway.CompressionZlibPayload,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			realClient(t, compression)
		})
	}
}

func realClient(t *testing.T, compression gateway.CompressionType) {
	s := newTestServer(t, Options{})
	ctx := testContext(t)
	g := s.AddGuild("Owls")
	general := s.AddChannel(g, "general", Text)
	hall := s.AddChannel(g, "hall", Voice)
	ada := s.AddUser("ada")
	s.Join(g, ada)
	if err := s.JoinVoice(ada, hall); err != nil {
		t.Fatal(err)
	}
	s.BotJoins(g)

	messages, resumed, guilds := make(chan string, 10), make(chan struct{}, 10), make(chan discord.GatewayGuild, 10)
	client, err := disgo.New(s.Token(),
		bot.WithLogger(slog.New(slog.DiscardHandler)),
		bot.WithRestClientConfigOpts(rest.WithURL(s.URL())),
		bot.WithGatewayConfigOpts(
			gateway.WithIntents(gateway.IntentGuilds, gateway.IntentGuildMessages, gateway.IntentMessageContent, gateway.IntentGuildVoiceStates),
			gateway.WithCompression(compression),
		),
		bot.WithEventListenerFunc(func(e *events.GuildReady) { guilds <- e.Guild }),
		bot.WithEventListenerFunc(func(e *events.MessageCreate) { messages <- e.Message.Content }),
		bot.WithEventListenerFunc(func(*events.Resumed) { resumed <- struct{}{} }),
		bot.WithEventListenerFunc(func(e *events.ApplicationCommandInteractionCreate) {
			text := e.SlashCommandInteractionData().String("text")
			if err := e.CreateMessage(discord.MessageCreate{Content: "you said " + text, Flags: discord.MessageFlagEphemeral}); err != nil {
				t.Errorf("answer: %v", err)
			}
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(ctx) })
	id, err := strconv.ParseUint(g, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Rest.SetGuildCommands(client.ApplicationID, snowflake.ID(id), []discord.ApplicationCommandCreate{discord.SlashCommandCreate{
		Name: "echo", Description: "Says it again",
		Options: []discord.ApplicationCommandOption{discord.ApplicationCommandOptionString{Name: "text", Description: "What", Required: true}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.OpenGateway(ctx); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, guilds); got.Name != "Owls" || len(got.VoiceStates) != 1 || len(got.Channels) != 2 {
		t.Errorf("the guild is %+v", got)
	}
	say(t, s, ada, general, "hello")
	if got := wait(t, messages); got != "hello" {
		t.Errorf("heard %q", got)
	}
	i, err := s.Slash(ada, general, "echo", Args{"text": "hoot"})
	if err != nil {
		t.Fatal(err)
	}
	o, err := i.Wait(ctx)
	if err != nil || o.Message == nil || o.Message.Content != "you said hoot" || !o.Ephemeral {
		t.Errorf("the outcome is %+v, %v", o, err)
	}
	if err := s.WaitDelivered(ctx); err != nil {
		t.Fatal(err)
	}
	s.Reconnect()
	wait(t, resumed)
	say(t, s, ada, general, "again")
	if got := wait(t, messages); got != "again" {
		t.Errorf("after the resume heard %q", got)
	}
	if ses := s.Sessions(); len(ses) != 1 || ses[0].Resumes != 1 {
		t.Errorf("the sessions are %+v", ses)
	}
}

func wait[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-testContext(t).Done():
		t.Fatal("it did not come")
		panic("unreachable")
	}
}
