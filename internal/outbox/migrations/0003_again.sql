-- How often a refusal that gives no reason is still doubted.
alter table outbox_effect add column again bigint not null default 0;
