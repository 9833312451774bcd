// Package fedi is the Fediverse platform: everything Rookery does on servers
// that speak the Mastodon client API (Mastodon, Akkoma and Pleroma,
// GoToSocial, snac, the Misskey family). It has two halves. Client is the
// protocol: requests, typed errors, limits, what each server does
// differently. Fedi runs our accounts on top of it: logs in, notices mentions
// and hands them to inbox, and carries out the kinds of effect that outbox
// plans (PostKind, DeleteKind).
//
// It leaves to the features what to say, to inbox what was already taken in,
// and to outbox when and how often anything is sent: nothing here posts on
// its own.
//
// Protocol: https://docs.joinmastodon.org/client/intro/
package fedi
