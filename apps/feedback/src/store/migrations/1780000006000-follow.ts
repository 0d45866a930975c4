import type { Migration } from '@sluice/persistence/migrator';
import { locks } from '../locks.ts';

/** As before, and what goes is noted first. */
const dropDayBefore = `CREATE OR REPLACE FUNCTION feedback.drop_day_before(class text, before date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
     SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
   DECLARE
     oldest text;
     part text;
     family text;
     newest xid8;
     last xid8;
   BEGIN
     IF class IS NULL OR class NOT IN ('short', 'standard', 'long') THEN
       RAISE EXCEPTION 'evidence has no class %', class;
     END IF;
     IF before > (now() AT TIME ZONE 'UTC')::date THEN
       RAISE EXCEPTION 'days of evidence are dropped when they are over, not on %', before;
     END IF;
     IF NOT pg_try_advisory_xact_lock(${locks.days}) THEN
       RETURN NULL;
     END IF;
     SELECT min(right(child.relname, 8)) INTO oldest
       FROM pg_inherits AS link JOIN pg_class AS child ON child.oid = link.inhrelid
         JOIN feedback.day_family AS f ON link.inhparent = to_regclass(format('feedback.%I', f.name || '_' || class))
       WHERE right(child.relname, 8) < to_char(before, 'YYYYMMDD');
     IF oldest IS NULL THEN
       RETURN NULL;
     END IF;
     -- In the order in which writers lock them: evidence, then what is said of it. Nobody adds a row between the look at what goes
     -- and its end.
     FOR family IN SELECT f.name FROM feedback.day_family AS f ORDER BY f.name LOOP
       part := family || '_' || class || '_' || oldest;
       CONTINUE WHEN to_regclass(format('feedback.%I', part)) IS NULL;
       EXECUTE format('LOCK TABLE ONLY feedback.%I, ONLY feedback.%I IN ACCESS EXCLUSIVE MODE', family || '_' || class, part);
       IF family IN ('evidence', 'label', 'outcome') THEN
         EXECUTE format('SELECT recorded_xid FROM feedback.%I ORDER BY recorded_xid DESC LIMIT 1', part) INTO newest;
         last := greatest(last, newest);
       END IF;
     END LOOP;
     IF last IS NOT NULL THEN
       PERFORM feedback.note_dropped(class, oldest, last);
     END IF;
     FOR family IN SELECT f.name FROM feedback.day_family AS f ORDER BY f.name LOOP
       EXECUTE format('DROP TABLE IF EXISTS feedback.%I', family || '_' || class || '_' || oldest);
     END LOOP;
     RETURN 'evidence_' || class || '_' || oldest;
   END
   $$`;

/** What those who follow the tables need: an order that is found by index, whose order it is, and what has gone from it. */
export const follow: Migration = {
  id: '1780000006000-follow',
  statements: [
    'CREATE INDEX IF NOT EXISTS evidence_recorded ON feedback.evidence (recorded_xid)',
    'CREATE INDEX IF NOT EXISTS evidence_skewed_recorded ON feedback.evidence_skewed (recorded_xid)',
    'CREATE INDEX IF NOT EXISTS outcome_recorded ON feedback.outcome (recorded_xid)',
    `CREATE TABLE feedback.cluster (
       one boolean PRIMARY KEY DEFAULT true CHECK (one),
       system_identifier text NOT NULL,
       history uuid NOT NULL DEFAULT gen_random_uuid(),
       since timestamptz NOT NULL DEFAULT now()
     )`,
    `COMMENT ON COLUMN feedback.cluster.system_identifier IS
       'of the cluster whose transaction ids the columns recorded_xid have'`,
    `COMMENT ON COLUMN feedback.cluster.history IS 'a new one whenever these ids are rewritten; cursors name it'`,
    `INSERT INTO feedback.cluster (system_identifier) SELECT system_identifier FROM pg_control_system()`,
    `CREATE TABLE feedback.dropped (
       sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       class text NOT NULL,
       day text,
       last_xid xid8 NOT NULL,
       dropped_at timestamptz NOT NULL DEFAULT now()
     )`,
    `COMMENT ON TABLE feedback.dropped IS
       'days that have expired, and one entry per class (without a day) for skewed rows: who has not read up to last_xid has missed some'`,
    `CREATE FUNCTION feedback.note_dropped(class text, day text, last xid8) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp AS $$
     DECLARE
       earlier xid8;
     BEGIN
       -- Until COMMIT: sequences become visible in their order.
       PERFORM pg_advisory_xact_lock(${locks.dropped});
       IF note_dropped.day IS NULL THEN
         DELETE FROM feedback.dropped AS d WHERE d.class = note_dropped.class AND d.day IS NULL
           RETURNING d.last_xid INTO earlier;
       END IF;
       INSERT INTO feedback.dropped (class, day, last_xid) 
         VALUES (note_dropped.class, note_dropped.day, greatest(earlier, note_dropped.last));
     END
     $$`,
    `COMMENT ON FUNCTION feedback.note_dropped IS 'to be called by the transaction that drops rows, before it commits'`,
    dropDayBefore,
    `CREATE FUNCTION feedback.transaction_age(of xid8) RETURNS double precision LANGUAGE sql SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp AS $$
       SELECT extract(epoch FROM clock_timestamp() - min(began))::float8 FROM (
         SELECT xact_start FROM pg_stat_activity WHERE backend_xid = of::xid
         UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE transaction = of::xid
       ) AS found(began)
     $$`,
    `COMMENT ON FUNCTION feedback.transaction_age IS
       'seconds that a transaction has been under way, or has been prepared; null where it is over or may not be seen'`,
    ...['note_dropped(text, text, xid8)', 'transaction_age(xid8)'].flatMap((signature) => [
      `REVOKE ALL ON FUNCTION feedback.${signature} FROM PUBLIC`,
      `GRANT EXECUTE ON FUNCTION feedback.${signature} TO sluice_feedback`,
    ]),
    `GRANT SELECT ON feedback.cluster, feedback.dropped TO sluice_feedback`,
    // They expire by the time of their last failure.
    'CREATE INDEX dead_letter_last ON feedback.dead_letter (last_at)',
  ],
};
