-- Fairness is among members, so each waiting mention knows whose it is.
alter table persona_waiting add column author text not null default ''; -- handle, in small letters
alter table persona_waiting add column noticed bigint not null default 0; -- 1: the asker was told that it takes long
update persona_waiting set author = coalesce((select author_handle from inbox_mention where id = persona_waiting.mention), '');
drop index persona_waiting_turn;
create index persona_waiting_turn on persona_waiting (account, author, notified_at, mention);
