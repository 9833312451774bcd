-- What the work on an account has come to: one process at a time works on it,
-- and since when its server is in trouble.
create table gallery_worker (
	account    text primary key,           -- ours on the Fediverse
	holder     text not null default '',   -- the process
	held_until bigint not null default 0,
	trouble_at bigint not null default 0,  -- 0: there is none
	failures   bigint not null default 0   -- in a row
);

-- What the work on a submission has come to. It says nothing about anybody.
create table gallery_work (
	submission text primary key,
	account    text not null,
	agreed_at  bigint not null,            -- of the agreement that is worked on
	failures   bigint not null default 0,  -- in a row, of its own
	since_at   bigint not null default 0,  -- of the first of them
	planned_at bigint not null default 0,  -- when its post was planned
	parts      text not null default '[]', -- JSON: the numbers of the media of each post
	made       bigint not null default 0,  -- how many of these posts stand
	lost       bigint not null default 0   -- how often the server has lost its files
);
create index gallery_work_planned on gallery_work (account, planned_at);
create index gallery_submission_address on gallery_submission (target) where post <> '' and next_at > 0;
