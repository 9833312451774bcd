-- One row for each thing that shall happen outside, kept for ever small: it
-- is what a later delete or edit goes by. Times whose name ends in _srv are
-- by the server's clock, the others by ours; all in ms.
create table outbox_effect (
	id           text primary key,           -- 22 characters, ours
	key          text not null unique,       -- the feature's name for it: planning twice is harmless
	feature      text not null,
	kind         text not null,
	account      text not null,
	lane         text not null,              -- the remote object; one request in flight, in the order of seq
	seq          bigint not null,
	payload      text not null,              -- JSON, whole, before the first send
	parts        bigint not null,
	expires_at   bigint not null,            -- not sent by then: given up; 0 for never
	state        text not null,              -- planned, sent, confirmed, refused, dropped
	reason       text not null default '',
	part         bigint not null default 0,  -- the part that is planned or sent
	attempt      bigint not null default 0,  -- claims of this part
	unknown      bigint not null default 0,  -- of these, those whose outcome nobody learnt
	doubted      bigint not null default 0,  -- 1: a 4xx came after an unknown attempt
	looks        bigint not null default 0,  -- failed looks in a row, for the back-off
	idem         text not null default '',   -- the attempt's Idempotency-Key
	planner      text not null,              -- the process that planned it
	holder       text not null default '',   -- the process that claimed the attempt
	first_srv    bigint not null default 0,  -- first claim of this part
	deadline_srv bigint not null default 0,  -- the attempt's request has ended by then
	settle_srv   bigint not null default 0,  -- from then on a negative find counts
	next_at      bigint not null,            -- when to look at it again
	created_at   bigint not null,
	done_at      bigint not null default 0,
	unique (lane, seq)
);
create index outbox_effect_due on outbox_effect (next_at) where state in ('planned', 'sent');

-- What stands on the server because of us; an id belongs to one part of one effect.
create table outbox_remote (
	account   text not null,
	remote_id text not null,
	effect    text not null,
	part      bigint not null,
	primary key (account, remote_id),
	unique (effect, part)
);
