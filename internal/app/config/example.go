package config

import _ "embed" // for the files

//go:embed example.toml
var example string

//go:embed smallest.toml
var smallest string

//go:embed smallest_discord.toml
var smallestDiscord string

// Example is a complete configuration with a comment on every key. A key that
// or a section that is switched off stands there as #key = value, without a
// space.
func Example() string { return example }

// Smallest is the shortest configuration that runs on the Fediverse.
func Smallest() string { return smallest }

// SmallestDiscord is the shortest that runs on Discord.
func SmallestDiscord() string { return smallestDiscord }
