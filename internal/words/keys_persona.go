package words

// What the persona tells a member instead of an answer.
const (
	PersonaBudgetMember Key = "persona.budget_member" // {limit} answers a day, {time} when they renew
	PersonaBudgetAll    Key = "persona.budget_all"    // {time} when it renews
	PersonaBudgetNone   Key = "persona.budget_none"   // nothing is allowed at all
	PersonaModelDown    Key = "persona.model_down"

	PersonaBudgetMemberHere Key = "persona.budget_member_here" // the same in one guild: {limit}, {time}
	PersonaBudgetGuild      Key = "persona.budget_guild"       // of one guild: {time} when it renews
)

// What a guild's managers set of the persona. Each help has 100 characters at
// most.
const (
	PersonaTitle            Key = "persona.title"
	PersonaHelp             Key = "persona.help"
	PersonaEnabled          Key = "persona.enabled"
	PersonaChannels         Key = "persona.channels"
	PersonaNotChannels      Key = "persona.not_channels"
	PersonaRoles            Key = "persona.roles"
	PersonaNotRoles         Key = "persona.not_roles"
	PersonaRepliesPerMember Key = "persona.replies_per_member"
	PersonaMessages         Key = "persona.messages"
)
