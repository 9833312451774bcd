-- Which account at its server a name in the configuration stands for: a token
-- that suddenly belongs to somebody else is noticed by it.
create table fedi_account (
	name    text primary key,  -- in the configuration
	server  text not null,     -- base URL
	account text not null,     -- community.AccountID
	handle  text not null,     -- user@host, for messages
	seen_at bigint not null    -- our clock, ms: when it was last noted
);
