-- What waits for any feature is in one table, of package turns.
insert into turns_waiting (feature, mention, account, author, notified_at, next_at, lease_until, holder, attempts, declined, noticed, last_error, body)
	select 'persona', mention, account, author, notified_at, next_at, lease_until, holder, attempts, declined, noticed, last_error, body from persona_waiting;
drop table persona_waiting;
