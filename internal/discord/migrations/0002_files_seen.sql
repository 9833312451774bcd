-- A file of a message that is yet to be sent. Its bytes are in
-- discord_file_chunk; it is complete once all of them are.
create table discord_file (
	id          text primary key,
	key         text not null,    -- the feature's name for it
	account     text not null,
	name        text not null,
	type        text not null,
	size        bigint not null,  -- bytes
	chunks      bigint not null,
	complete    bigint not null,  -- 0 or 1
	attached_at bigint not null   -- our clock, ms
);
create index discord_file_key on discord_file (key);
create index discord_file_at on discord_file (attached_at);
create table discord_file_chunk (
	file  text not null,
	n     bigint not null,
	bytes blob not null,  -- only: sqlite
	bytes bytea not null, -- only: postgres
	primary key (file, n)
);
-- All messages of a channel up to this one have been looked at. The row with an
-- empty channel is where the account began.
create table discord_seen (
	account text not null,
	channel text not null,
	guild   text not null,   -- empty for a conversation with one member
	message bigint not null, -- its id as a number
	primary key (account, channel)
);
