-- What the operator was told. While a row is there the same thing is not said
-- again; it goes when the trouble is over.
create table operator_notice (
	key     text primary key,          -- what it is about: "token/elelem"
	text    text not null,
	said_at bigint not null,
	planned bigint not null default 0  -- 1: its message is in the outbox, or nobody is to get one
);
