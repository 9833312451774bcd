-- Threads of whose beginning has been told, so that it is not told again at
-- each start.
create table discord_begun (
	account text not null,
	thread  text not null,
	told_at bigint not null, -- Discord's clock, ms
	primary key (account, thread)
);
create index discord_begun_at on discord_begun (account, told_at);
