-- Mentions that wait for a feature's answer. The row goes when the answer is
-- planned (from then on outbox has it) or the mention is closed otherwise;
-- what became of it stays in inbox_mention.
create table turns_waiting (
	feature     text not null,
	mention     text not null,             -- inbox_mention.id
	account     text not null,
	author      text not null,             -- handle, in small letters: fairness is among members
	notified_at bigint not null,
	next_at     bigint not null default 0, -- not to be tried before
	lease_until bigint not null default 0, -- somebody is at it until then
	holder      text not null default '',
	attempts    bigint not null default 0, -- that failed
	declined    bigint not null default 0, -- of these, those that were this mention's alone
	noticed     bigint not null default 0, -- 1: the asker was told that it takes long
	last_error  text not null default '',
	body        text not null,             -- the mention as JSON
	primary key (feature, mention)
);
create index turns_waiting_turn on turns_waiting (feature, account, author, notified_at, mention);
