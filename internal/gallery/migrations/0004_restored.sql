-- When a backup was put back: what was begun before may have been shared by a
-- time that this database does not know of.
create table gallery_restored (
	at bigint not null
);
