/**
 * The schema in PostgreSQL, as the list of steps that lead to it; a step that has shipped is never edited. Rows are in plain
 * words here, for whoever looks at them with SQL. What PostgreSQL's text cannot hold (a zero byte) is whole in `odd`.
 */
export const POSTGRES_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE starling.events (
    seq       bigint PRIMARY KEY,
    key       bigint NOT NULL, -- of its id: 32 bits of the SHA-256
    ms        bigint NOT NULL, -- its time, since 1970
    id        text NOT NULL,
    at        text NOT NULL,
    kind      text NOT NULL,
    node      text NOT NULL,
    tone      text NOT NULL,
    summary   text NOT NULL,
    caused_by text NOT NULL,
    data      text NOT NULL,
    odd       bytea,
    hash      bytea NOT NULL
  );
  CREATE INDEX events_by_key ON starling.events (key);
  -- A name may be longer than an entry of an index.
  CREATE INDEX events_by_node ON starling.events (left(node, 253), seq);
  CREATE INDEX events_by_kind ON starling.events (kind, seq);
  CREATE INDEX events_by_time ON starling.events (ms);

  CREATE TABLE starling.chain (
    first  bigint NOT NULL,
    before text NOT NULL,
    cut    bigint NOT NULL,
    given  bigint NOT NULL, -- the last place that was given
    hash   text NOT NULL -- of the event there
  );
  INSERT INTO starling.chain VALUES (1, repeat('0', 64), 0, 0, repeat('0', 64));

  CREATE TABLE starling.heads (
    number    bigint PRIMARY KEY,
    seq       bigint NOT NULL,
    first     bigint NOT NULL,
    hash      text NOT NULL,
    at        text NOT NULL,
    node      text NOT NULL,
    signer    text NOT NULL,
    signature text NOT NULL
  );

  CREATE TABLE starling.days (
    day    bigint NOT NULL,
    kind   text NOT NULL,
    tone   text NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (day, kind, tone)
  );

  CREATE TABLE starling.measures (
    day   bigint NOT NULL,
    node  text NOT NULL,
    hours bytea NOT NULL, -- aggregator/history/day-of-measures.ts
    PRIMARY KEY (day, node)
  );

  CREATE TABLE starling.inspections (
    id      text PRIMARY KEY,
    profile text NOT NULL,
    at      text NOT NULL,
    head    text NOT NULL,
    details bytea NOT NULL
  );
  CREATE INDEX inspections_by_time ON starling.inspections (at);

  CREATE FUNCTION starling.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% are append-only', TG_TABLE_NAME; END $$;
  CREATE FUNCTION starling.only_before_cut() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.seq >= coalesce((SELECT cut FROM starling.chain), 0) THEN
        RAISE EXCEPTION '% are append-only', TG_TABLE_NAME;
      END IF;
      RETURN OLD;
    END $$;
  CREATE TRIGGER never_change BEFORE UPDATE ON starling.events FOR EACH ROW EXECUTE FUNCTION starling.refuse();
  CREATE TRIGGER never_vanish BEFORE DELETE ON starling.events FOR EACH ROW EXECUTE FUNCTION starling.only_before_cut();
  CREATE TRIGGER never_emptied BEFORE TRUNCATE ON starling.events EXECUTE FUNCTION starling.refuse();
  CREATE TRIGGER never_change BEFORE UPDATE ON starling.heads FOR EACH ROW EXECUTE FUNCTION starling.refuse();
  CREATE TRIGGER never_vanish BEFORE DELETE ON starling.heads FOR EACH ROW EXECUTE FUNCTION starling.only_before_cut();
  CREATE TRIGGER never_emptied BEFORE TRUNCATE ON starling.heads EXECUTE FUNCTION starling.refuse();
  `,
  // What cursors call this history: another one is given when it was set back, since places mean other events then.
  `
  ALTER TABLE starling.chain ADD COLUMN name text NOT NULL DEFAULT md5(random()::text || clock_timestamp()::text);
  ALTER TABLE starling.chain ALTER COLUMN name DROP DEFAULT;
  `,
]
