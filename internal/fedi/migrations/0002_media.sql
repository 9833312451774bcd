-- Files that a server has taken in and that wait for their post: after a
-- crash they are attached, not sent again.
create table fedi_media (
	key         text primary key, -- the feature's name for the file
	account     text not null,    -- community.AccountID
	media_id    text not null,    -- the server's id of it
	ready       integer not null, -- 1 when it could be attached as far as we were told, 0 while the server works on it
	uploaded_at bigint not null   -- our clock, ms
);

create index fedi_media_age on fedi_media (uploaded_at);
