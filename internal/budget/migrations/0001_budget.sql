-- The latest day that any process has seen. Its one row is locked by whoever
-- changes anything here, so that two processes never pass a limit together.
create table budget_day (
	one bigint primary key,                 -- always 1
	day text not null                       -- YYYY-MM-DD, in the budget's time zone
);

-- What has been used. A scope is 'day' (all together), 'account', 'guild',
-- 'member' or 'feature'; name says which one.
create table budget_used (
	day     text not null,
	scope   text not null,
	name    text not null,
	tokens  bigint not null default 0,
	money   bigint not null default 0,      -- millionths of the currency's unit
	replies bigint not null default 0,
	primary key (day, scope, name)
);

-- Reservations, by the effect they are for. A live one holds what may still
-- be used for it. One that is over stays if its reply was counted, so that it
-- is not counted again.
create table budget_reserved (
	key                text primary key,
	day                text not null,           -- what is used for it counts for this day
	feature            text not null,
	account            text not null,
	member             text not null,
	guild              text not null,
	tokens             bigint not null,         -- held
	money              bigint not null,         -- held
	charged_prompt     bigint not null default 0, -- of this day: to round money up once
	charged_completion bigint not null default 0,
	live               bigint not null,         -- 1 while it holds
	replied            bigint not null default 0,
	reserved_at        bigint not null
);
create index budget_reserved_live on budget_reserved (day) where live = 1;

-- What the operator has been told of, once a day and threshold.
create table budget_notice (
	day     text not null,
	scope   text not null,
	name    text not null,
	unit    text not null,
	percent bigint not null,
	primary key (day, scope, name, unit, percent)
);
