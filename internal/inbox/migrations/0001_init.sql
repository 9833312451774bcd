-- One row for each post that ever addressed one of our accounts. The id is
-- made from (account, uri), so that whoever tells of the same mention again,
-- however often and under whatever local id, meets the same row.
create table inbox_mention (
	id              text primary key,
	account         text not null,
	uri             text not null,
	post_id         text not null,
	notification_id text not null,
	author          text not null,             -- member id on our server
	author_handle   text not null,
	notified_at     bigint not null,           -- our server's clock, ms
	taken_at        bigint not null,           -- our clock, ms
	state           text not null,             -- waiting, answering, done, ignored, expired, gone, failed, before_start, quarantined
	feature         text not null default '',  -- who took it
	reason          text not null default '',
	raw             text not null default ''   -- quarantined rows only: what the server said
);
create index inbox_mention_state on inbox_mention (account, state);

-- Where the next poll begins, for each account on its server.
create table inbox_cursor (
	account    text primary key,
	cursor_id  text not null default '', -- a notification id the server gave us; never invented
	began_at   bigint not null,          -- mentions noticed before are not answered; 0 answers all
	updated_at bigint not null
);
