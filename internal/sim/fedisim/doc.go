// Package fedisim is a simulated Fediverse server: a real HTTP server on
// loopback that speaks the Mastodon client API as Mastodon, Akkoma,
// GoToSocial, snac and Sharkey each speak it, quirks included, with faults on
// demand. Tests run the real client against it, and a newcomer's sandbox uses
// it in place of a server on the Internet.
//
// What it knows comes from the published descriptions
// (https://docs.joinmastodon.org/api/), from recorded traffic and from the
// servers' own sources, never from the client of this project: one misreading
// must not pass on both sides.
//
// The world is driven from Go: AddAccount and AddRemote make members, whose
// Post, Favourite, Boost, Follow and Delete do what people do; what the
// client under test did is read with Timeline, Replies, Dismissed and Requests,
// and WaitFor wakes on every change, so that no test sleeps. Inject makes
// chosen requests go wrong, Down all of them until Up.
//
// Streams are WebSockets: user and user:notification say something, the other
// names are taken and say nothing. DropStreams, RefuseStreams, StallStreams,
// FreezeStreams, RepeatEvents and StreamFirst are what goes wrong with them.
//
// Logging in works with a browser (GET /oauth/authorize has a form whose field
// "account" is a member's name) or with Approve. A token that came this way, or
// was limited with WithScopes, may do what its scopes say; the others may do
// everything.
//
// Uploading is real: files are known by their content, whatever they are
// called, held to the limits of the server (Limit changes them), kept, served
// at their address, and shown by Media, Uploads and Post. Nothing is converted:
// what Mastodon would make an MP4 of is called one and stays the GIF it was.
// Processing, ProcessingTime and FailProcessing say how that goes.
//
// Time is Options.Clock alone, but for pings and for the delays of faults: a
// test with a clock of its own runs a day of Mastodon's rate limits in seconds.
//
// What the profiles differ in, beyond the shape of ids, addresses, markup,
// errors and instance documents:
//
//   - Mastodon keeps an Idempotency-Key per account for an hour, filters direct
//     posts of strangers, counts addresses as 23 characters, and answers a
//     delete with the source text in place of the markup.
//   - Akkoma keeps a key for everybody, with any answer, errors too, and says
//     403 to a token that is not valid.
//   - GoToSocial cannot dismiss, refuses a text that is too long with 400, and
//     keeps the dangling id of a deleted parent.
//   - snac lists the newest 64 notifications and no more; min_id is since_id
//     there, since_id nothing, no limit means one, and max_id must be listed.
//     Dismissing is a 422. An account's list of posts has the public ones only,
//     even for the account itself. mentions[] leaves out the reader, and its ids
//     are counted from 0. A reply to what is gone is posted on its own. An edit
//     changes the text alone, whatever it sends; everywhere else what it does not
//     send is dropped.
//   - Sharkey ignores types[], lists every seventh notification of a page twice
//     from the fourth on, dismisses under /api/v1/notification/, and makes a
//     reaction of a reply that is only an emoji: the answer is then the parent.
//   - Streams: Akkoma takes the token from the query or the protocol, not from
//     the header, and does not say which stream an event is of; GoToSocial says
//     "wss://" over http too, and takes user:notification from the query only;
//     Sharkey upgrades, and then waits for Misskey's language: such a stream
//     stays silent; snac has none.
//   - Logging in: Mastodon alone describes itself at
//     /.well-known/oauth-authorization-server and checks PKCE. Akkoma answers any
//     trouble with the same 400, Sharkey with a 401 that says nothing. Sharkey's
//     client id is the address of the login page. snac takes any code, as often
//     as it comes, for who logged in last.
//   - Descriptions of what is posted already: Mastodon changes them with the
//     media_attributes of an edit, as a form or as JSON, and not with the upload,
//     which it does not show any more; GoToSocial with those of JSON or with the
//     upload; Sharkey with the upload. Akkoma's posts have copies, which an edit
//     makes anew of the uploads, and snac's keep theirs for ever.
//   - An edit that changes nothing is none on Mastodon, and a 422 on GoToSocial.
//     Mastodon counts edits with posts.
//   - Scopes: Mastodon, Akkoma and GoToSocial (since 0.19) hold a token to them.
//   - Uploads: Mastodon takes still images with a 200, and what moves with a 202,
//     without an address, processes it, and cannot post it before; it refuses
//     with 422, among them GIFs of more than 921,600 pixels, and, other than a
//     real one, videos that it would have to convert. What is attached it does
//     not show any more. Akkoma says 202 though all is done, and 413 to what is
//     too large. GoToSocial is done at once, says 400 to what is too large and
//     422 to what it does not know. snac takes anything, calls it an image and by
//     the name of its file, and shows none. Sharkey calls every GIF "gifv".
//
// It leaves out: converting and scaling of media, their thumbnails and
// blurhashes, audio files, streaming by server-sent events, public streams,
// federation on the wire (remote members post through Go), and judging the
// answers against the published schemas (Options.Observe hands every exchange
// to who does that).
package fedisim
