-- One row for each time that a member was offered to share a message of
-- theirs, or asked to. Times are in ms. What was to be posted goes with its
-- end; the row itself is what a post is deleted by.
create table gallery_submission (
	id          text primary key,         -- 22 characters, ours
	account     text not null,            -- our application on Discord
	guild       text not null,
	channel     text not null,            -- where the offer stands
	spot        text not null,            -- the thread, or the message: holds one live submission
	source      text not null,            -- the artist's message
	artist      text not null,            -- their id on Discord; '' once they are forgotten
	subject     text not null,            -- what the ledger calls them
	state       text not null,
	target      text not null default '', -- our account on the Fediverse
	body        text not null default '', -- JSON: what is shown and would be posted
	code        text not null default '', -- with which anybody who has it may delete the post
	post        text not null default '', -- the post's id on its server
	post_url    text not null default '',
	post_uri    text not null default '',
	revision    bigint not null default 1,
	tries       bigint not null default 0,
	created_at  bigint not null,
	agreed_at   bigint not null default 0,
	changed_at  bigint not null,
	expires_at  bigint not null default 0, -- an offer that nobody answers ends then; 0 for never
	next_at     bigint not null default 0  -- when the worker looks at it
);
create unique index gallery_submission_source on gallery_submission (source) where state in ('offered', 'review', 'accepted', 'posting', 'posted', 'deleting');
create unique index gallery_submission_spot on gallery_submission (spot) where state in ('offered', 'review', 'accepted', 'posting');
create index gallery_submission_work on gallery_submission (target, agreed_at) where state in ('accepted', 'posting');
create index gallery_submission_expiry on gallery_submission (expires_at) where state in ('offered', 'review');
create index gallery_submission_artist on gallery_submission (artist, agreed_at);
create index gallery_submission_channel on gallery_submission (channel);
create index gallery_submission_changed on gallery_submission (changed_at);
create index gallery_submission_guild on gallery_submission (guild, agreed_at);
create index gallery_submission_code on gallery_submission (code) where code <> '';
create index gallery_submission_post on gallery_submission (post) where post <> '';

create table gallery_medium (
	submission text not null,
	n          bigint not null,           -- from 1
	body       text not null,             -- JSON: which file it is, and its description
	primary key (submission, n)
);

-- What a member has said of themselves, and how the ledger calls them.
create table gallery_artist (
	member  text primary key,             -- id on Discord
	subject text not null unique,
	name    text not null default '',     -- as they want to be credited
	links   text not null default '[]'    -- JSON list of addresses
);

-- Who does not want to be asked in a guild.
create table gallery_quiet (
	guild  text not null,
	member text not null,
	primary key (guild, member)
);

-- Who may not share from a guild.
create table gallery_block (
	guild  text not null,
	member text not null,
	by     text not null,                 -- the moderator
	at     bigint not null,
	primary key (guild, member)
);

-- What was written to the accounts that show the gallery: the operator's inbox.
create table gallery_letter (
	id      text primary key,             -- the mention
	account text not null,
	author  text not null,                -- handle
	url     text not null,
	direct  bigint not null,              -- 1: a direct message
	words   text not null,
	at      bigint not null,
	done_at bigint not null default 0
);
create index gallery_letter_open on gallery_letter (done_at, at);
