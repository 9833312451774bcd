-- While the one row is there nothing is sent, by any process on this database.
create table outbox_pause (
	id    bigint primary key, -- always 1
	since bigint not null
);
create index outbox_effect_done on outbox_effect (feature, done_at);

-- For counting what is in which state, at every look of a monitoring system.
create index outbox_effect_state on outbox_effect (state);
