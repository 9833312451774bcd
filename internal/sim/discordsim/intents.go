package discordsim

// Intents is a bit set of gateway intents. Source: events/gateway, "List of Intents".
type Intents uint64

// The intents.
const (
	IntentGuilds                 Intents = 1 << 0
	IntentGuildMembers           Intents = 1 << 1 // privileged
	IntentGuildModeration        Intents = 1 << 2
	IntentGuildExpressions       Intents = 1 << 3
	IntentGuildIntegrations      Intents = 1 << 4
	IntentGuildWebhooks          Intents = 1 << 5
	IntentGuildInvites           Intents = 1 << 6
	IntentGuildVoiceStates       Intents = 1 << 7
	IntentGuildPresences         Intents = 1 << 8 // privileged
	IntentGuildMessages          Intents = 1 << 9
	IntentGuildMessageReactions  Intents = 1 << 10
	IntentGuildMessageTyping     Intents = 1 << 11
	IntentDirectMessages         Intents = 1 << 12
	IntentDirectMessageReactions Intents = 1 << 13
	IntentDirectMessageTyping    Intents = 1 << 14
	IntentMessageContent         Intents = 1 << 15 // privileged
	IntentGuildScheduledEvents   Intents = 1 << 16
	IntentAutoModConfiguration   Intents = 1 << 20
	IntentAutoModExecution       Intents = 1 << 21
	IntentGuildMessagePolls      Intents = 1 << 24
	IntentDirectMessagePolls     Intents = 1 << 25

	// PrivilegedIntents must be granted to the application before a session may
	// ask for them. Source: events/gateway, "Privileged Intents".
	PrivilegedIntents = IntentGuildMembers | IntentGuildPresences | IntentMessageContent

	knownIntents = IntentGuilds | IntentGuildMembers | IntentGuildModeration | IntentGuildExpressions |
		IntentGuildIntegrations | IntentGuildWebhooks | IntentGuildInvites | IntentGuildVoiceStates |
		IntentGuildPresences | IntentGuildMessages | IntentGuildMessageReactions | IntentGuildMessageTyping |
		IntentDirectMessages | IntentDirectMessageReactions | IntentDirectMessageTyping | IntentMessageContent |
		IntentGuildScheduledEvents | IntentAutoModConfiguration | IntentAutoModExecution |
		IntentGuildMessagePolls | IntentDirectMessagePolls
)

// wants says whether a session with these intents hears of an event: any one
// of the event's intents will do. Events with no intent are always sent.
// Source: events/gateway, "List of Intents": "Any events not listed means it's
// not associated with an intent and will always be sent to your app."
func (in Intents) wants(name string, direct bool) bool {
	need := eventIntents(name, direct)
	return need == 0 || in&need != 0
}

// eventIntents are the intents of which one is needed for an event, in a guild
// or in a direct message.
func eventIntents(name string, direct bool) Intents {
	pick := func(guild, dm Intents) Intents {
		if direct {
			return dm
		}
		return guild
	}
	switch name {
	case "GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE", "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE",
		"CHANNEL_UPDATE", "CHANNEL_DELETE", "THREAD_CREATE", "THREAD_UPDATE", "THREAD_DELETE",
		"THREAD_LIST_SYNC", "THREAD_MEMBER_UPDATE", "STAGE_INSTANCE_CREATE", "STAGE_INSTANCE_UPDATE",
		"STAGE_INSTANCE_DELETE", "VOICE_CHANNEL_STATUS_UPDATE", "VOICE_CHANNEL_START_TIME_UPDATE":
		return IntentGuilds
	case "CHANNEL_CREATE": // that of a direct message belongs to no intent, but is no longer sent to bots; ask for either
		return pick(IntentGuilds, IntentDirectMessages)
	case "CHANNEL_PINS_UPDATE":
		return pick(IntentGuilds, IntentDirectMessages)
	case "THREAD_MEMBERS_UPDATE":
		return IntentGuilds | IntentGuildMembers
	case "GUILD_MEMBER_ADD", "GUILD_MEMBER_UPDATE", "GUILD_MEMBER_REMOVE":
		return IntentGuildMembers
	case "GUILD_AUDIT_LOG_ENTRY_CREATE", "GUILD_BAN_ADD", "GUILD_BAN_REMOVE":
		return IntentGuildModeration
	case "GUILD_EMOJIS_UPDATE", "GUILD_STICKERS_UPDATE", "GUILD_SOUNDBOARD_SOUND_CREATE",
		"GUILD_SOUNDBOARD_SOUND_UPDATE", "GUILD_SOUNDBOARD_SOUND_DELETE", "GUILD_SOUNDBOARD_SOUNDS_UPDATE":
		return IntentGuildExpressions
	case "GUILD_INTEGRATIONS_UPDATE", "INTEGRATION_CREATE", "INTEGRATION_UPDATE", "INTEGRATION_DELETE":
		return IntentGuildIntegrations
	case "WEBHOOKS_UPDATE":
		return IntentGuildWebhooks
	case "INVITE_CREATE", "INVITE_DELETE":
		return IntentGuildInvites
	case "VOICE_CHANNEL_EFFECT_SEND", "VOICE_STATE_UPDATE":
		return IntentGuildVoiceStates
	case "PRESENCE_UPDATE":
		return IntentGuildPresences
	case "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE":
		return pick(IntentGuildMessages, IntentDirectMessages)
	case "MESSAGE_DELETE_BULK":
		return IntentGuildMessages
	case "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE", "MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI":
		return pick(IntentGuildMessageReactions, IntentDirectMessageReactions)
	case "TYPING_START":
		return pick(IntentGuildMessageTyping, IntentDirectMessageTyping)
	case "GUILD_SCHEDULED_EVENT_CREATE", "GUILD_SCHEDULED_EVENT_UPDATE", "GUILD_SCHEDULED_EVENT_DELETE",
		"GUILD_SCHEDULED_EVENT_USER_ADD", "GUILD_SCHEDULED_EVENT_USER_REMOVE":
		return IntentGuildScheduledEvents
	case "AUTO_MODERATION_RULE_CREATE", "AUTO_MODERATION_RULE_UPDATE", "AUTO_MODERATION_RULE_DELETE":
		return IntentAutoModConfiguration
	case "AUTO_MODERATION_ACTION_EXECUTION":
		return IntentAutoModExecution
	case "MESSAGE_POLL_VOTE_ADD", "MESSAGE_POLL_VOTE_REMOVE":
		return pick(IntentGuildMessagePolls, IntentDirectMessagePolls)
	}
	return 0
}
