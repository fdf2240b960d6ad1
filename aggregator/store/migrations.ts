/**
 * The database's schema, as the list of steps that lead to it. A step is never edited once it has shipped; a change is
 * a new step at the end. The number of steps done is kept in the database's `user_version`.
 */

/** Marks a SQLite file as ours ("STRL"), at byte 68 of its header, so that a foreign database is never written to. */
export const APPLICATION_ID = 0x5354524c

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE events (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT, -- a number once given is never given again: streams resume by it
    id        TEXT NOT NULL UNIQUE,
    at        TEXT NOT NULL,
    kind      TEXT NOT NULL,
    node      TEXT NOT NULL,
    tone      TEXT NOT NULL,
    summary   TEXT NOT NULL,
    caused_by TEXT NOT NULL,
    data      TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_node ON events (node, seq);
  CREATE INDEX events_by_kind ON events (kind, seq);

  CREATE TRIGGER events_never_change BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
  CREATE TRIGGER events_never_vanish BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

  CREATE TABLE facts (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  `,
]
