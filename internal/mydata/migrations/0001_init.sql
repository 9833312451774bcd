-- Who wants to be left alone. The handle is kept for as long as that lasts:
-- without it the wish could not be kept.
create table mydata_stopped (
	handle text primary key, -- in small letters
	since  bigint not null
);

-- What pseudonyms are made with; one row, made at the first need. Whoever has
-- only a pseudonym cannot tell whose it is.
create table mydata_salt (
	id   bigint primary key, -- always 1
	salt text not null
);

-- When what is kept too long was last let go.
create table mydata_tidied (
	id bigint primary key, -- always 1
	at bigint not null
);
