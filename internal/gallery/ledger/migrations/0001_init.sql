-- What a member was shown and agreed to, and what became of it. Rows are only
-- ever added. Each holds the hash of itself with the hash of the row before.
create table gallery_ledger (
	seq        bigint primary key, -- 1, 2, 3 … without a gap
	at         bigint not null,    -- milliseconds of Unix time
	event      text not null,
	submission text not null,
	subject    text not null,      -- a pseudonym
	guild      text not null,
	channel    text not null,
	source     text not null,      -- the message
	account    text not null,
	target     text not null,      -- the handle that posts
	processor  text not null,
	model      text not null,
	text_hash  text not null,      -- in gallery_ledger_text; '' for no text
	media      text not null,      -- a JSON list
	post       text not null,      -- address
	done_by    text not null,
	via        text not null,
	note       text not null,
	chain      text not null       -- SHA-256, hex
);
create index gallery_ledger_submission on gallery_ledger (submission, seq);
create index gallery_ledger_subject on gallery_ledger (subject, seq);
create index gallery_ledger_post on gallery_ledger (post) where post <> '';

-- The texts that were shown, each once.
create table gallery_ledger_text (
	hash text primary key, -- SHA-256, hex
	body text not null
);

-- Nothing is changed or taken away, whoever asks. On SQLite "insert or
-- replace" would take a row away without asking the triggers for that.
create trigger gallery_ledger_keeps before update on gallery_ledger -- only: sqlite
begin select raise(abort, 'gallery_ledger only grows'); end; -- only: sqlite
create trigger gallery_ledger_stays before delete on gallery_ledger -- only: sqlite
begin select raise(abort, 'gallery_ledger only grows'); end; -- only: sqlite
create trigger gallery_ledger_once before insert on gallery_ledger -- only: sqlite
when exists (select 1 from gallery_ledger where seq = new.seq) -- only: sqlite
begin select raise(abort, 'gallery_ledger only grows'); end; -- only: sqlite
create trigger gallery_ledger_text_keeps before update on gallery_ledger_text -- only: sqlite
begin select raise(abort, 'gallery_ledger_text only grows'); end; -- only: sqlite
create trigger gallery_ledger_text_stays before delete on gallery_ledger_text -- only: sqlite
begin select raise(abort, 'gallery_ledger_text only grows'); end; -- only: sqlite
create trigger gallery_ledger_text_once before insert on gallery_ledger_text -- only: sqlite
when exists (select 1 from gallery_ledger_text where hash = new.hash and body <> new.body) -- only: sqlite
begin select raise(abort, 'gallery_ledger_text only grows'); end; -- only: sqlite
create function gallery_ledger_refuse() returns trigger language plpgsql as $$ -- only: postgres
begin -- only: postgres
	raise exception '% only grows', tg_table_name; -- only: postgres
end; -- only: postgres
$$; -- only: postgres
create trigger gallery_ledger_keeps before update or delete on gallery_ledger -- only: postgres
	for each row execute function gallery_ledger_refuse(); -- only: postgres
create trigger gallery_ledger_stays before truncate on gallery_ledger -- only: postgres
	for each statement execute function gallery_ledger_refuse(); -- only: postgres
create trigger gallery_ledger_text_keeps before update or delete on gallery_ledger_text -- only: postgres
	for each row execute function gallery_ledger_refuse(); -- only: postgres
create trigger gallery_ledger_text_stays before truncate on gallery_ledger_text -- only: postgres
	for each statement execute function gallery_ledger_refuse(); -- only: postgres
