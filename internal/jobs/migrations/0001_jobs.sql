-- The schedules' next instants; see schedule.go.
create table schedule (
	name text primary key,
	spec text not null,
	next_at bigint not null
);

-- SQLite's queue. state: 0 waiting, 1 running, 2 failed.
create table job ( -- only: sqlite
	id integer primary key autoincrement, -- only: sqlite
	kind text not null, -- only: sqlite
	key text not null, -- only: sqlite
	queue text not null, -- only: sqlite
	args text not null, -- only: sqlite
	state integer not null default 0, -- only: sqlite
	priority integer not null, -- only: sqlite
	run_at integer not null, -- only: sqlite
	attempt integer not null default 0, -- only: sqlite
	max_attempts integer not null, -- only: sqlite
	backing_off integer not null default 0, -- only: sqlite
	last_error text not null default '' -- only: sqlite
); -- only: sqlite
create index job_ready on job (queue, priority, run_at, id) where state = 0; -- only: sqlite
create index job_due on job (run_at) where state = 0; -- only: sqlite
create unique index job_waiting on job (kind, key) where state = 0 and key <> ''; -- only: sqlite

-- Which of River's jobs waits under a key; see DESIGN.md.
create table job_key ( -- only: postgres
	kind text not null, -- only: postgres
	key text not null, -- only: postgres
	job_id bigint not null, -- only: postgres
	primary key (kind, key) -- only: postgres
); -- only: postgres
create index job_key_job on job_key (job_id); -- only: postgres
