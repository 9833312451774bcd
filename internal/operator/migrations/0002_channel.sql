-- A notice may also go to a channel on Discord. What was said before is not
-- said there again.
alter table operator_notice add column channel_planned bigint not null default 1; -- 1: likewise, for the channel
