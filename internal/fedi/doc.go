// Package fedi is the Fediverse platform: everything Rookery does on servers
// that speak the Mastodon client API (Mastodon, Akkoma and Pleroma,
// GoToSocial, snac, the Misskey family). It has two halves. Client is the
// protocol: requests, typed errors, limits, what each server does
// differently; RegisterApp begins a log-in from a terminal. Fedi runs our
// accounts on top of it: logs in, makes sure that a token is still the
// account's own, notices mentions by polling and by the server's stream and
// hands them to inbox, has the server take in the files of a post (Attach), and
// carries out the kinds of effect that outbox plans (PostKind, DeleteKind).
//
// Polling is what nothing is lost by; a stream only brings the news sooner
// and makes polls rarer while it is open.
//
// It leaves to the features what to say, to inbox what was already taken in,
// and to outbox when and how often anything is sent: nothing here posts on
// its own.
//
// Protocol: https://docs.joinmastodon.org/client/intro/
package fedi
