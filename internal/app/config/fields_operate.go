package config

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

func budgetSection(b *Budget) section {
	return section{name: "budget", fields: []field{
		limit("replies_per_member", &b.RepliesPerMember, 20, "Answers that one member gets in a day."),
		limit("tokens_per_day", &b.TokensPerDay, 200_000, "Tokens of the model, questions and answers, that all together may use in a day."),
		limit("tokens_per_account", &b.TokensPerAccount, Unlimited, "The same for each account of the bot."),
		limit("tokens_per_member", &b.TokensPerMember, Unlimited, "The same for each member."),
		limit("tokens_per_guild", &b.TokensPerGuild, Unlimited, "The same for each guild on Discord."),
		amount("money_per_day", &b.MoneyPerDay, "Money that all together may cost in a day, by the prices below."),
		amount("money_per_account", &b.MoneyPerAccount, "The same for each account of the bot."),
		amount("money_per_member", &b.MoneyPerMember, "The same for each member."),
		amount("money_per_guild", &b.MoneyPerGuild, "The same for each guild on Discord."),
		price("price_prompt", &b.PricePrompt, "What a million tokens that the model is given cost. Take it from the price list of your model's provider."),
		price("price_completion", &b.PriceCompletion, "What a million tokens that the model answers cost."),
		text("currency", &b.Currency, "USD", "text", "The currency of these amounts, for showing them.", isCurrency),
		zone("time_zone", &b.TimeZone, "The time zone whose midnight begins a new day's budget."),
	}}
}

func operatorSection(o *Operator) section {
	return section{name: "operator", fields: []field{
		text("fediverse", &o.Fediverse, "", "handle", "Your own handle, like @me@social.example: what needs you is sent there by direct message, once. Without it, it is only logged.", isHandle),
		text("language", &o.Language, "en", "language", `Language of what you are told: "en" or "ru".`, isCatalogue),
	}}
}

func backupSection(b *Backup) section {
	return section{name: "backup", fields: []field{
		boolean("daily", &b.Daily, true, "Whether the database is copied every day, while the program runs."),
		text("at", &b.At, "04:00", "time of day", "When, by the machine's clock.", isTimeOfDay),
		whole("keep", &b.Keep, 7, 1, 1000, "So many of these copies are kept."),
		text("dir", &b.Dir, "backups", "path", "Folder of the copies. A relative path starts at data_dir.", isPath),
	}}
}

func webSection(w *Web) section {
	return section{name: "web", fields: []field{
		text("listen", &w.Listen, "", "host:port", "Address for /metrics (Prometheus), /healthz and /readyz, like 127.0.0.1:9464. Without it there is none.", isListen),
	}}
}

// unlimited is how a limit is switched off in the file.
const unlimited = "unlimited"

// limit is a whole number, or "unlimited".
func limit(key string, to *int64, def int64, doc string) field {
	*to = def
	shownDefault := quoted(unlimited)
	if def != Unlimited {
		shownDefault = strconv.FormatInt(def, 10)
	}
	return field{Key{key, `whole number or "unlimited"`, shownDefault, doc + ` 0 means none at all, "unlimited" no limit.`}, func(v *value) string {
		if v.kind == unstable.String && v.text == unlimited {
			*to = Unlimited
			return ""
		}
		if v.kind != unstable.Integer {
			return wrongKind(v, `a whole number or "unlimited"`)
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(v.text, "_", ""), 0, 64)
		if err != nil || n < 0 || n > 1e15 {
			return clip(v.text) + ` is out of range: from 0 to 1000000000000000, or "unlimited"`
		}
		*to = n
		return ""
	}}
}

// amount is an amount of money, or "unlimited".
func amount(key string, to *int64, doc string) field {
	*to = Unlimited
	return field{Key{key, `amount or "unlimited"`, quoted(unlimited), doc}, func(v *value) string {
		if v.kind == unstable.String && v.text == unlimited {
			*to = Unlimited
			return ""
		}
		n, bad := millionths(v)
		if bad == "" {
			*to = n
		}
		return bad
	}}
}

// price is an amount that stays nil when the key is absent.
func price(key string, to **int64, doc string) field {
	return field{Key{key, "amount", "", doc}, func(v *value) string {
		n, bad := millionths(v)
		if bad == "" {
			*to = &n
		}
		return bad
	}}
}

// millionths reads an amount exactly: a float would make 0.1 something else.
func millionths(v *value) (int64, string) {
	if v.kind != unstable.Integer && v.kind != unstable.Float {
		return 0, wrongKind(v, "an amount like 1.50")
	}
	const how = "write an amount from 0 to 1000000 with six decimals at most"
	r, ok := new(big.Rat).SetString(strings.ReplaceAll(v.text, "_", ""))
	if !ok {
		return 0, fmt.Sprintf("%s is not an amount: %s", clip(v.text), how)
	}
	r.Mul(r, big.NewRat(1_000_000, 1))
	if !r.IsInt() || r.Sign() < 0 || r.Num().Cmp(big.NewInt(1e12)) > 0 {
		return 0, fmt.Sprintf("%s is out of range: %s", clip(v.text), how)
	}
	return r.Num().Int64(), ""
}

func boolean(key string, to *bool, def bool, doc string) field {
	*to = def
	return field{Key{key, "true or false", strconv.FormatBool(def), doc}, func(v *value) string {
		if v.kind == unstable.String && (v.text == "true" || v.text == "false") {
			return "expected true or false, not a text: take the quotes away"
		}
		if v.kind != unstable.Bool {
			return wrongKind(v, "true or false")
		}
		*to = v.text == "true"
		return ""
	}}
}

func zone(key string, to **time.Location, doc string) field {
	*to = time.UTC
	return field{Key{key, "time zone", quoted("UTC"), doc}, func(v *value) string {
		s, bad := v.string()
		if bad != "" {
			return bad
		}
		at, err := time.LoadLocation(s)
		if err != nil || s == "" {
			return shown(s) + ` is not a time zone: write it like "Europe/Berlin"`
		}
		*to = at
		return ""
	}}
}
