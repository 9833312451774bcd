-- Mentions that wait for an answer. The row goes when the answer is planned
-- (from then on outbox has it) or the mention is closed otherwise; what became
-- of it stays in inbox_mention.
create table persona_waiting (
	mention     text primary key,          -- inbox_mention.id
	account     text not null,
	notified_at bigint not null,
	body        text not null,             -- the mention as JSON
	attempts    bigint not null default 0, -- that failed
	declined    bigint not null default 0, -- of these, those that were this mention's alone
	next_at     bigint not null default 0, -- not to be tried before
	lease_until bigint not null default 0, -- somebody is at it until then
	holder      text not null default '',
	last_error  text not null default ''
);
create index persona_waiting_turn on persona_waiting (account, notified_at);
