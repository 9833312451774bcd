package words

// What the persona tells a member instead of an answer.
const (
	PersonaBudgetMember Key = "persona.budget_member" // {limit} answers a day, {time} when they renew
	PersonaBudgetAll    Key = "persona.budget_all"    // {time} when it renews
	PersonaBudgetNone   Key = "persona.budget_none"   // nothing is allowed at all
	PersonaModelDown    Key = "persona.model_down"
)
