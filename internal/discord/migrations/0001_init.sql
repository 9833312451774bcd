-- Where each shard's session stands, so that the next process resumes it.
-- Times are ms by our clock.
create table discord_session (
	account    text not null,
	shard      bigint not null,
	shards     bigint not null,  -- how many there were: a session belongs to one count
	session_id text not null,
	resume_url text not null,
	seq        bigint not null,  -- every event up to here has been dealt with
	intents    bigint not null,  -- a resumed session keeps those it began with
	saved_at   bigint not null,
	primary key (account, shard)
);

-- One row for each new session of the last 24 hours: Discord gives 1,000 a
-- day and then changes the token.
create table discord_identify (
	account text not null,
	slot    bigint not null,     -- shard modulo max_concurrency: one in 5 seconds
	at      bigint not null
);
create index discord_identify_at on discord_identify (account, at);

-- How many shards the processes share.
create table discord_gateway (
	account text primary key,
	shards  bigint not null
);

-- What is known of a guild: a resumed session does not tell it again, and
-- processes that do not hold its shard read it here.
create table discord_guild (
	account  text not null,
	guild    text not null,
	data     text not null,      -- JSON; empty: we are no longer there
	saved_at bigint not null,
	primary key (account, guild)
);
create index discord_guild_saved on discord_guild (account, saved_at);
