package config

import (
	"time"

	"rookery/internal/community"
)

func gallerySection(g *Gallery) section {
	return section{name: "gallery", elsewhere: map[string]string{
		"processor": "it belongs in [gallery.vision], or, if that section is not there, in [llm]",
		"ffmpeg":    "it belongs in [gifs], and counts for the gallery too",
	}, fields: []field{
		duration("expire_after", &g.ExpireAfter, 72*time.Hour, time.Hour, 14*24*time.Hour, "An offer that its member has not answered goes away after this time."),
		text("prompt", &g.Prompt, "", "text", "What the model is told about describing a picture. Without it the words that ship: the post's language, the main point first, text in the picture word for word, about 60 words.", notBlank, isPrompt),
		whole("max_tokens", &g.MaxTokens, 300, 20, 10_000, "Longest description, in tokens."),
		text("terms", &g.Terms, "", "URL", "Page with the terms under which members share; linked to where they are told what sharing is.", isWebPage),
		text("privacy", &g.Privacy, "", "URL", "Page that says what is kept of members; likewise.", isWebPage),
		text("texts", &g.Texts, "", "path", "File of your own texts for members, in place of those that ship. A relative path starts at this file's folder.", isPath),
	}}
}

func visionSection(v *Vision, key *source) section {
	return section{name: "gallery.vision", secrets: secretWords("api_key", "apikey", "key", "token", "secret", "password"), fields: []field{
		text("base_url", &v.BaseURL, "", "URL", "Address of an OpenAI-compatible API whose model describes pictures. Without it that of [llm]; what of this section is left out is then taken from there too.", isBaseURL),
		text("model", &v.Model, "", "text", "Name of a model that understands pictures, as that API knows it.", notBlank),
		text("api_key_env", &key.env, "", "name of a variable", "Variable that holds its API key. The one of [llm] is never sent to another address.", isVariable),
		text("api_key_file", &key.file, "", "path", "File that holds its API key, instead of a variable.", isPath),
		duration("timeout", &v.Timeout, 3*time.Minute, 100*time.Millisecond, time.Hour, "Longest time for one description. Without it that of [llm]."),
		text("processor", &v.Named, "", "text", `Who gets the pictures, with the country, as members are told before they agree, like "OpenAI (USA)". Without it the name of a well-known service, else the host of base_url.`, isProcessor),
	}}
}

// galleryKeys are the keys of [[account]] for the feature gallery alone.
func galleryKeys() []string {
	return []string{"visibility", "max_upload_mb", "posts_per_hour", "ai", "contact", "post_tail", "guilds"}
}

func galleryFields(a *Account) []field {
	return []field{
		choice("visibility", string(community.Public), "Who sees the gallery's posts. For the feature gallery; so for the rest.",
			[]string{string(community.Public), string(community.Unlisted), string(community.Followers)},
			func(s string) { a.Visibility = community.Visibility(s) }),
		megabytes("max_upload_mb", &a.MaxUpload, 0, 0, 500, "Largest file that is uploaded, in megabytes. 0 leaves it to the server."),
		whole("posts_per_hour", &a.PostsPerHour, 0, 0, 1000, "So many posts at most in an hour; more wait their turn. 0 means no such limit."),
		choice("ai", AIAsk, `Whether a model may describe pictures: "ask" only those for which the member turned it on, "never" none.`, []string{AIAsk, AINever}, func(s string) { a.AI = s }),
		text("contact", &a.Contact, "", "text", "How members and strangers reach you about posts: a handle, a mail address or a page. Without it fediverse of [operator].", isReachable),
		text("post_tail", &a.PostTail, "", "text", "Text at the end of every post.", isTail),
		texts("guilds", &a.Guilds, 100, "Ids of the Discord servers that may post to this account. Without it every one that the bot is in.", isSnowflake),
	}
}
