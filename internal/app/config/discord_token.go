package config

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenShape is that of a bot's token: the application's id in base64, and two
// parts more.
var tokenShape = regexp.MustCompile(`^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// quotes are the marks that a text is put into, in any language's print.
const quotes = "\"'`“”„‟‘’‚‛«»"

// bareToken is the token in what was pasted: without quotes around it, and
// without the word Bot, which Discord's documents show in front of it. A token
// holds neither, so nobody can mean them.
func bareToken(s string) string {
	for {
		s = strings.TrimSpace(s)
		first, n := utf8.DecodeRuneInString(s)
		last, m := utf8.DecodeLastRuneInString(s)
		switch {
		case len(s) >= n+m && strings.ContainsRune(quotes, first) && strings.ContainsRune(quotes, last):
			s = s[n : len(s)-m]
		case len(s) > 3 && strings.EqualFold(s[:3], "bot") && strings.TrimSpace(s[3:]) != s[3:]:
			s = s[3:]
		default:
			return s
		}
	}
}

// badToken says what is wrong with a bare token, without showing any of it.
func badToken(token string) string {
	switch {
	case strings.ContainsFunc(token, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }):
		return "the token that [discord] names has a blank or an invisible character in it: put the token there alone and in one piece, " +
			"as it appears in the developer portal, under Bot, after Reset Token"
	case !tokenShape.MatchString(token):
		return "the token that [discord] names is not that of a bot: it has three parts with dots between them, of letters, digits, - and _; " +
			"press Reset Token in the developer portal, under Bot, and copy all of what appears (not the application's id, public key or client secret)"
	}
	return ""
}

// isTokenFile is isPath for the file of a bot's token. It never shows what it
// was given either. A file's name may have two dots as well, but its first part
// is not the base64 of a number.
func isTokenFile(s string) string {
	if m := tokenShape.FindStringSubmatch(bareToken(s)); m != nil {
		id, err := base64.RawStdEncoding.DecodeString(m[1])
		if err == nil && strings.Trim(string(id), "0123456789") == "" {
			return `this is a token itself, and here belongs the name of a file: write token_file = "discord.token", and put the token into that file`
		}
	}
	if strings.TrimSpace(s) == "" {
		return `it is empty: write token_file = "discord.token", and put the bot's token into that file`
	}
	return isPath(s)
}
