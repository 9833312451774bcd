-- Guilds that the bot was removed from, and when: what they had set is kept for
-- some time, for it may have been a slip.
create table guild_left (
	guild text primary key,
	since bigint not null
);
