/**
 * The database's schema, as the list of steps that lead to it. A step is never edited once it has shipped; a change is
 * a new step at the end. The number of steps done is kept in the database's `user_version`.
 */

/** Marks a SQLite file as ours ("STRL"), at byte 68 of its header, so that a foreign database is never written to. */
export const APPLICATION_ID = 0x5354524c

/** The first schema whose events are links of a chain. */
export const CHAINED_SINCE = 2

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
  `, // The chain begins here: events from before have no hash, and are kept as they are.
  `
  ALTER TABLE events ADD COLUMN hash TEXT; -- aggregator/audit/chain.ts

  CREATE TABLE chain (first INTEGER NOT NULL) STRICT; -- place of its first event; one row
  INSERT INTO chain SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) + 1;

  CREATE TABLE heads (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    seq       INTEGER NOT NULL,
    first     INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    at        TEXT NOT NULL,
    node      TEXT NOT NULL,
    signer    TEXT NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;

  CREATE TRIGGER chain_never_changes BEFORE UPDATE ON chain
    BEGIN SELECT RAISE(ABORT, 'the chain begins where it begins'); END;
  CREATE TRIGGER chain_never_vanishes BEFORE DELETE ON chain
    BEGIN SELECT RAISE(ABORT, 'the chain begins where it begins'); END;
  CREATE TRIGGER heads_never_change BEFORE UPDATE ON heads
    BEGIN SELECT RAISE(ABORT, 'heads are append-only'); END;
  CREATE TRIGGER heads_never_vanish BEFORE DELETE ON heads
    BEGIN SELECT RAISE(ABORT, 'heads are append-only'); END;
  `,
]
