-- What Discord was last told of our commands: in a guild, or everywhere where
-- the guild is empty. They are told anew when the hash differs.
create table discord_commands (
	account       text not null,
	guild         text not null,
	hash          text not null,
	registered_at bigint not null, -- our clock, ms
	primary key (account, guild)
);
