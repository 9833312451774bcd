package words

// The command that tells a member what they have used today, and what it
// answers.
const (
	QuotaName Key = "quota.name"
	QuotaHelp Key = "quota.help"

	QuotaNothing  Key = "quota.nothing"  // nothing is counted
	QuotaYou      Key = "quota.you"      // begins what the member has used
	QuotaGuild    Key = "quota.guild"    // begins what all members of the guild have used
	QuotaReplies  Key = "quota.replies"  // {amount}
	QuotaHere     Key = "quota.here"     // of these in the guild: {amount}
	QuotaTokens   Key = "quota.tokens"   // {amount}
	QuotaMoney    Key = "quota.money"    // {amount}
	QuotaLimited  Key = "quota.limited"  // an {amount}: {used} of {limit}
	QuotaNoLimit  Key = "quota.no_limit" // an {amount}: {used}, without a limit
	QuotaRenews   Key = "quota.renews"   // {time}, and {left} until then
	QuotaTogether Key = "quota.together" // that all members share a budget too
)
