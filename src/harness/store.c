// SPDX-License-Identifier: GPL-2.0-only
/* The results store over SQLite. Every statement is prepared where it is used: a run adds a few
 * rows a second at most, and a store without cached statements has no state to keep right. */
#include "harness/store.h"

#include "base/path.h"
#include "base/util.h"

#include <sqlite3.h>

#include <errno.h>
#include <stdio.h>

enum { STORE_VERSION = 2, STORE_BUSY_MS = 10000 };

struct store {
	sqlite3 *db;
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT "
	"NULL,"
	" started TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), ended TEXT,"
	" exit_status INTEGER);"
	"CREATE TABLE IF NOT EXISTS result (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" run INTEGER NOT NULL REFERENCES run(id), scenario TEXT NOT NULL, topology TEXT NOT NULL,"
	" kernel TEXT NOT NULL, verdict TEXT NOT NULL, duration_ns INTEGER NOT NULL,"
	" record TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS result_by_run ON result (run);"
	"CREATE VIEW IF NOT EXISTS metric AS SELECT result.id AS result, run, scenario, topology,"
	" kernel, verdict, p.value ->> 'name' AS payload, m.value ->> 'name' AS name,"
	" m.value ->> 'value' AS value, m.value ->> 'unit' AS unit FROM result,"
	" json_each(record, '$.payloads') AS p, json_each(p.value, '$.metrics') AS m;";

/* SQLite's result codes as ours. */
static int store_err(struct store *s, const char *what)
{
	static const struct {
		int code, err;
	} table[] = {
		{ SQLITE_BUSY, -EBUSY },      { SQLITE_READONLY, -EROFS },
		{ SQLITE_FULL, -ENOSPC },     { SQLITE_IOERR, -EIO },
		{ SQLITE_CANTOPEN, -EACCES }, { SQLITE_NOTADB, -EPROTO },
		{ SQLITE_CORRUPT, -EPROTO },  { SQLITE_NOMEM, -ENOMEM },
	};
	int code = sqlite3_errcode(s->db) & 0xff;
	int r = -EIO;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == code)
			r = table[i].err;
	return err_new(r, "results store %s: %s: %s", sqlite3_db_filename(s->db, "main"), what,
		       sqlite3_errmsg(s->db));
}

int store_default_path(struct buf *ret)
{
	return xdg_path(XDG_STATE, "results.db", ret);
}

static int exec_sql(struct store *s, const char *sql, const char *what)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_err(s, what);
	return 0;
}

static int read_version(struct store *s, int *ret)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW) {
		sqlite3_finalize(stmt);
		return store_err(s, "read its version");
	}
	*ret = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return 0;
}

static int prepare_schema(struct store *s)
{
	char set_version[64];
	int version = 0;
	int r;

	sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
	r = read_version(s, &version);
	if (r)
		return err_trace(r);
	if (version > STORE_VERSION)
		return err_new(
			-EPROTO,
			"results store %s: version %d, this program knows up to %d: use a newer "
			"ktstr or another XDG_STATE_HOME",
			sqlite3_db_filename(s->db, "main"), version, STORE_VERSION);
	if (version == STORE_VERSION)
		return 0;
	r = exec_sql(s, "PRAGMA journal_mode=WAL", "switch to WAL");
	if (r)
		return err_trace(r);
	r = exec_sql(s, schema, "make its tables");
	if (r)
		return err_trace(r);
	snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%d", STORE_VERSION);
	return exec_sql(s, set_version, "set its version");
}

int store_open(const char *path, struct store **ret)
{
	struct store *s;
	int r = make_parents(path);

	if (r)
		return err_trace(r);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_new(-ENOMEM, "out of memory");
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		r = err_new(-EACCES, "results store %s: %s", path, sqlite3_errmsg(s->db));
	else
		r = prepare_schema(s);
	if (r) {
		store_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct store *store_free(struct store *s)
{
	if (s) {
		sqlite3_close(s->db);
		free(s);
	}
	return NULL;
}

/* Run one prepared statement that returns no rows; it is finalized in any case. */
static int finish(struct store *s, sqlite3_stmt *stmt, const char *what)
{
	int code = sqlite3_step(stmt);
	int r = code == SQLITE_DONE ? 0 : store_err(s, what);

	sqlite3_finalize(stmt);
	return r;
}

static int prepare(struct store *s, const char *sql, sqlite3_stmt **ret)
{
	if (sqlite3_prepare_v2(s->db, sql, -1, ret, NULL) != SQLITE_OK)
		return store_err(s, sql);
	return 0;
}

int store_run_begin(struct store *s, const char *command, int64_t *run_ret)
{
	sqlite3_stmt *stmt;
	int r = prepare(s, "INSERT INTO run (command) VALUES (?1)", &stmt);

	if (r)
		return err_trace(r);
	sqlite3_bind_text(stmt, 1, command, -1, SQLITE_STATIC);
	r = finish(s, stmt, "add a run");
	if (r)
		return err_trace(r);
	*run_ret = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int store_run_end(struct store *s, int64_t run, int exit_status)
{
	sqlite3_stmt *stmt;
	int r = prepare(
		s,
		"UPDATE run SET ended = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), exit_status = ?2 "
		"WHERE id = ?1",
		&stmt);

	if (r)
		return err_trace(r);
	sqlite3_bind_int64(stmt, 1, run);
	sqlite3_bind_int(stmt, 2, exit_status);
	return finish(s, stmt, "end a run");
}

int store_add(struct store *s, int64_t run, const struct store_result *result)
{
	const char *texts[] = { result->scenario, result->topology, result->kernel, result->verdict,
				result->record };
	sqlite3_stmt *stmt;
	int r = prepare(s,
			"INSERT INTO result (scenario, topology, kernel, verdict, record, run, "
			"duration_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			&stmt);

	if (r)
		return err_trace(r);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		sqlite3_bind_text(stmt, (int)i + 1, texts[i], -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 6, run);
	sqlite3_bind_int64(stmt, 7, (int64_t)result->duration_ns);
	return finish(s, stmt, "add a result");
}

int store_add_record(struct store *s, int64_t run, const char *record)
{
	sqlite3_stmt *stmt;
	int r = prepare(
		s,
		"INSERT INTO result (scenario, topology, kernel, verdict, record, run, "
		"duration_ns) SELECT ?1 ->> 'scenario', ?1 ->> 'topology', ?1 ->> 'kernel', "
		"?1 ->> 'verdict', ?1, ?2, ?1 ->> 'total_ns'",
		&stmt);

	if (r)
		return err_trace(r);
	sqlite3_bind_text(stmt, 1, record, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, run);
	return finish(s, stmt, "add a record");
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

static struct store_row row_of(sqlite3_stmt *stmt)
{
	return (struct store_row){
		.run = sqlite3_column_int64(stmt, 0),
		.started = text_of(stmt, 1),
		.command = text_of(stmt, 2),
		.result = { .scenario = text_of(stmt, 3),
			    .topology = text_of(stmt, 4),
			    .kernel = text_of(stmt, 5),
			    .verdict = text_of(stmt, 6),
			    .duration_ns = (uint64_t)sqlite3_column_int64(stmt, 7),
			    .record = text_of(stmt, 8) },
	};
}

int store_find_run(struct store *s, int64_t run, int64_t *newest_ret)
{
	sqlite3_stmt *stmt;
	int r = prepare(s, "SELECT coalesce(sum(id = ?1), 0), coalesce(max(id), 0) FROM run",
			&stmt);

	if (r)
		return err_trace(r);
	sqlite3_bind_int64(stmt, 1, run);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		r = store_err(s, "look for a run");
	else if (!sqlite3_column_int(stmt, 0))
		r = STORE_NO_RUN;
	*newest_ret = sqlite3_column_int64(stmt, 1);
	sqlite3_finalize(stmt);
	return r;
}

int store_results(struct store *s, int64_t run,
		  int (*visit)(void *ctx, const struct store_row *row), void *ctx)
{
	sqlite3_stmt *stmt;
	int code = SQLITE_DONE;
	int r = prepare(
		s,
		"SELECT run.id, started, command, scenario, topology, kernel, verdict, "
		"duration_ns, "
		"record FROM result JOIN run ON run.id = result.run WHERE ?1 < 0 OR run.id = ?1 OR "
		"(?1 = 0 AND run.id = (SELECT max(run) FROM result)) ORDER BY result.id",
		&stmt);

	if (r)
		return err_trace(r);
	sqlite3_bind_int64(stmt, 1, run);
	while (!r && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct store_row row = row_of(stmt);

		r = visit(ctx, &row);
	}
	if (!r && code != SQLITE_DONE)
		r = store_err(s, "read results");
	sqlite3_finalize(stmt);
	return r;
}

static struct store_unfinished unfinished_of(sqlite3_stmt *stmt)
{
	return (struct store_unfinished){
		.run = sqlite3_column_int64(stmt, 0),
		.started = text_of(stmt, 1),
		.command = text_of(stmt, 2),
		.verdicts = (uint64_t)sqlite3_column_int64(stmt, 3),
	};
}

int store_unfinished(struct store *s, int64_t run,
		     int (*visit)(void *ctx, const struct store_unfinished *u), void *ctx)
{
	sqlite3_stmt *stmt;
	int code = SQLITE_DONE;
	int r = prepare(
		s,
		"SELECT id, started, command, (SELECT count(*) FROM result WHERE result.run = "
		"run.id) "
		"FROM run WHERE ended IS NULL AND (?1 < 0 OR id = ?1 OR "
		"(?1 = 0 AND id >= (SELECT coalesce(max(run), 0) FROM result))) ORDER BY id",
		&stmt);

	if (r)
		return err_trace(r);
	sqlite3_bind_int64(stmt, 1, run);
	while (!r && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct store_unfinished u = unfinished_of(stmt);

		r = visit(ctx, &u);
	}
	if (!r && code != SQLITE_DONE)
		r = store_err(s, "read runs");
	sqlite3_finalize(stmt);
	return r;
}
