-- The revision of a guild's settings. The row is locked by whoever changes one
-- of them, and looked at by the other processes.
create table settings_guild (
	guild    text primary key,
	revision bigint not null               -- grows with each change, also over a removal of the guild
);

-- Fields that were ever changed, and by whom last.
create table settings_value (
	guild    text not null,
	field    text not null,                -- group.name
	value    text,                         -- null: the default
	revision bigint not null,              -- of the guild, when this was changed
	at       bigint not null,
	member   text not null,                -- '' once they are forgotten
	name     text not null,
	via      text not null,
	primary key (guild, field)
);
create index settings_value_member on settings_value (member);

-- Who changed what, one line for each field and change.
create table settings_audit (
	guild    text not null,
	revision bigint not null,
	field    text not null,
	at       bigint not null,
	member   text not null,                -- '' once they are forgotten
	name     text not null,
	via      text not null,
	old      text not null,
	new      text not null,
	primary key (guild, revision, field)
);
create index settings_audit_at on settings_audit (at);
create index settings_audit_member on settings_audit (member);
