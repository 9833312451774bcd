-- What stands in place of a forgotten artist, by which they themselves find
-- what they have shared: see mydata.
alter table gallery_submission add column forgotten text not null default '';
create index gallery_submission_forgotten on gallery_submission (forgotten) where forgotten <> '';

-- A post is looked for by its address too.
create index gallery_submission_url on gallery_submission (post_url) where post_url <> '';
create index gallery_submission_uri on gallery_submission (post_uri) where post_uri <> '';
