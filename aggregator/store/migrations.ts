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
  `, // Rows become small: names are numbers, times are milliseconds, hashes are bytes, and texts are packed (packing.ts).
  `
  DROP TRIGGER events_never_change;
  DROP TRIGGER events_never_vanish;
  DROP INDEX events_by_node;
  DROP INDEX events_by_kind;
  ALTER TABLE events RENAME TO plain_events;

  CREATE TABLE words (
    number INTEGER PRIMARY KEY,
    word   TEXT NOT NULL UNIQUE
  ) STRICT;
  INSERT INTO words (word) VALUES (''), ('bad'), ('good'), ('info'), ('act');
  INSERT OR IGNORE INTO words (word) SELECT DISTINCT kind FROM plain_events;
  INSERT OR IGNORE INTO words (word) SELECT DISTINCT node FROM plain_events;

  CREATE TABLE events (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    key   INTEGER NOT NULL, -- of its id
    at    INTEGER NOT NULL, -- ms since 1970
    kind  INTEGER NOT NULL, -- of words, as node and tone
    node  INTEGER NOT NULL,
    tone  INTEGER NOT NULL,
    texts BLOB NOT NULL,
    hash  BLOB
  ) STRICT;
  INSERT INTO events
    SELECT seq, starling_key(id), starling_ms(at), (SELECT number FROM words WHERE word = kind),
      (SELECT number FROM words WHERE word = node), (SELECT number FROM words WHERE word = tone),
      starling_pack(id, at, node, summary, caused_by, data), unhex(hash)
    FROM plain_events ORDER BY seq;
  DELETE FROM sqlite_sequence WHERE name = 'events';
  UPDATE sqlite_sequence SET name = 'events' WHERE name = 'plain_events';
  DROP TABLE plain_events;
  CREATE INDEX events_by_key ON events (key);
  CREATE INDEX events_by_node ON events (node);
  CREATE INDEX events_by_kind_and_tone ON events (kind, tone);

  -- Events come nearly in the order of their times: 256 of them are looked for by the first and the last.
  CREATE TABLE spans (
    block    INTEGER PRIMARY KEY, -- seq / 256
    earliest INTEGER NOT NULL,
    latest   INTEGER NOT NULL
  ) STRICT;
  INSERT INTO spans SELECT seq >> 8, min(at), max(at) FROM events GROUP BY seq >> 8;

  -- How many there were, for longer than they are kept.
  CREATE TABLE days (
    day    INTEGER NOT NULL, -- since 1970, UTC
    kind   INTEGER NOT NULL,
    tone   INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (day, kind, tone)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO days SELECT at / 86400000, kind, tone, count(*) FROM events GROUP BY 1, 2, 3;

  CREATE TABLE measures (
    place INTEGER PRIMARY KEY, -- day << 24 | node
    hours BLOB NOT NULL -- aggregator/history/day-of-measures.ts
  ) STRICT;

  CREATE TABLE inspections (
    id      TEXT PRIMARY KEY,
    profile TEXT NOT NULL,
    at      TEXT NOT NULL,
    head    TEXT NOT NULL,
    details BLOB NOT NULL
  ) STRICT;
  CREATE INDEX inspections_by_time ON inspections (at);

  -- What is before the cut may go. The chain begins there then, and a signed head says so.
  ALTER TABLE chain ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE chain ADD COLUMN before TEXT NOT NULL DEFAULT '0000000000000000000000000000000000000000000000000000000000000000';
  DROP TRIGGER chain_never_changes;
  DROP TRIGGER heads_never_vanish;
  CREATE TRIGGER chain_never_changes BEFORE UPDATE ON chain
    WHEN NEW.cut <= OLD.cut OR NEW.cut > (SELECT max(seq) FROM events) OR NOT (
      NEW.first = OLD.first AND NEW.before = OLD.before AND NEW.cut <= NEW.first
      OR NEW.first = NEW.cut AND EXISTS (SELECT 1 FROM heads WHERE first = NEW.first))
    BEGIN SELECT RAISE(ABORT, 'the chain begins where it begins'); END;
  CREATE TRIGGER events_never_change BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
  CREATE TRIGGER events_never_vanish BEFORE DELETE ON events
    WHEN OLD.seq >= coalesce((SELECT cut FROM chain), 0)
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
  CREATE TRIGGER heads_never_vanish BEFORE DELETE ON heads
    WHEN OLD.seq >= coalesce((SELECT cut FROM chain), 0)
    BEGIN SELECT RAISE(ABORT, 'heads are append-only'); END;
  `, // What a history elsewhere is to have besides events waits here until it is there.
  `
  CREATE TABLE held (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    at    INTEGER NOT NULL, -- ms since 1970
    body  BLOB NOT NULL -- aggregator/history/held.ts
  ) STRICT;
  `,
]
