-- What is kept of a member is found by the handle, which is kept in small
-- letters: servers do not agree on its case.
update inbox_mention set author_handle = lower(author_handle);
create index inbox_mention_author on inbox_mention (author_handle);
create index inbox_mention_taken on inbox_mention (taken_at);
