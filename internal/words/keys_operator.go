package words

// What the operator is told when something needs them: what happened, and the
// command or step that helps.
const (
	// {percent}, {scope} one of the phrases below, {used}, {limit}, {time} when
	// the budget renews. Amounts of money come as text, with their currency.
	OperatorBudgetNear Key = "operator.budget_near"
	// {scope}, {used}, {limit}, {time}
	OperatorBudgetSpent Key = "operator.budget_spent"

	OperatorScopeTokens        Key = "operator.scope_tokens"         // of all together
	OperatorScopeMoney         Key = "operator.scope_money"          // of all together
	OperatorScopeAccountTokens Key = "operator.scope_account_tokens" // {account}
	OperatorScopeAccountMoney  Key = "operator.scope_account_money"  // {account}

	OperatorTokenRevoked Key = "operator.token_revoked" // {account} its name in the configuration
	OperatorTokenSwapped Key = "operator.token_swapped" // {account}, {was} and {now} handles
	OperatorDiskFull     Key = "operator.disk_full"
	OperatorBackupFailed Key = "operator.backup_failed" // {reason}

	OperatorModelRefusesKey Key = "operator.model_refuses_key" // {reason}
	OperatorModelDownLong   Key = "operator.model_down_long"   // {since}, {reason}
	OperatorUnreachable     Key = "operator.unreachable"       // {account}, {reason}
	OperatorDiskLow         Key = "operator.disk_low"          // {free} megabytes
	OperatorAnswerRefused   Key = "operator.answer_refused"    // {account}, {reason}
	OperatorBoardDenied     Key = "operator.board_denied"      // {board}, {reason}

	OperatorDiscordToken       Key = "operator.discord_token"
	OperatorDiscordIntents     Key = "operator.discord_intents"
	OperatorDiscordIdentifies  Key = "operator.discord_identifies"  // {reason}
	OperatorDiscordInvalids    Key = "operator.discord_invalids"    // {reason}
	OperatorDiscordUnreachable Key = "operator.discord_unreachable" // {reason}
)
