-- What was chosen for a request whose reply is still under way: a process that
-- takes it up goes on with the same picture.
create table gifs_choice (
    mention text primary key,
    body    text not null, -- the mention as JSON, for a request that has to begin anew
    picture text not null default '', -- as JSON; '' for none yet
    refused text not null default '[]', -- pictures that could not be sent, as a JSON list
    tries   bigint not null default 0, -- answers that the outbox could not bring to an end
    chosen_at bigint not null -- milliseconds of Unix time
);
create index gifs_choice_at on gifs_choice (chosen_at);

-- What was looked for and shown: no picture again within a window, and a pause
-- for each member.
create table gifs_served (
    mention   text primary key,
    account   text not null,
    member    text not null, -- handle in small letters; '' once forgotten
    picture   text not null, -- the board's name and its id; '' if none was shown
    served_at bigint not null -- milliseconds of Unix time
);
create index gifs_served_picture on gifs_served (account, picture, served_at);
create index gifs_served_member on gifs_served (account, member, served_at);
create index gifs_served_at on gifs_served (served_at);
