import type { Migration } from '@sluice/persistence/migrator';
import { locks } from '../locks.ts';

/**
 * A day of a class is a partition of every table of `day_family`: they are made together and dropped together, so that what belongs
 * to a record lives as long as it. A migration that adds such a table adds it there and makes the days that there are already.
 */
export const dayFamilies: Migration = {
  id: '1780000005000-day-families',
  statements: [
    `CREATE TABLE feedback.day_family (name text PRIMARY KEY)`,
    `COMMENT ON TABLE feedback.day_family IS 'tables that are partitioned by class and then by day'`,
    `INSERT INTO feedback.day_family VALUES ('evidence'), ('label'), ('outcome')`,
    `CREATE OR REPLACE FUNCTION feedback.make_day(class text, day date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
     DECLARE
       family text;
       part text;
       made boolean := false;
     BEGIN
       IF class IS NULL OR class NOT IN ('short', 'standard', 'long') OR day IS NULL THEN
         RAISE EXCEPTION 'evidence has no class % with day %', class, day;
       END IF;
       -- Asked of the tables: to_regclass remembers for the whole transaction that there was none before the lock.
       PERFORM FROM feedback.day_family AS f WHERE NOT EXISTS (SELECT FROM pg_class
         WHERE relnamespace = 'feedback'::regnamespace AND relname = f.name || '_' || class || '_' || to_char(day, 'YYYYMMDD'));
       IF NOT FOUND THEN
         RETURN false;
       END IF;
       PERFORM pg_advisory_xact_lock(${locks.days});
       FOR family IN SELECT name FROM feedback.day_family ORDER BY name LOOP
         part := family || '_' || class || '_' || to_char(day, 'YYYYMMDD');
         PERFORM FROM pg_class WHERE relnamespace = 'feedback'::regnamespace AND relname = part;
         CONTINUE WHEN FOUND;
         EXECUTE format('CREATE TABLE feedback.%I (LIKE feedback.%I INCLUDING ALL)', part, family || '_' || class);
         EXECUTE format('ALTER TABLE feedback.%I ATTACH PARTITION feedback.%I FOR VALUES FROM (%L) TO (%L)',
           family || '_' || class, part, feedback.day_bound(day), feedback.day_bound(day + 1));
         made := true;
       END LOOP;
       RETURN made;
     END
     $$`,
    `COMMENT ON FUNCTION feedback.make_day IS 'makes the partitions of a day; false when all are there already'`,
    `CREATE OR REPLACE FUNCTION feedback.drop_day_before(class text, before date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
     DECLARE
       oldest text;
       part text;
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
       -- In the order in which writers lock them: evidence, then what is said of it.
       FOR part IN SELECT f.name || '_' || class || '_' || oldest FROM feedback.day_family AS f ORDER BY f.name LOOP
         EXECUTE format('DROP TABLE IF EXISTS feedback.%I', part);
       END LOOP;
       RETURN 'evidence_' || class || '_' || oldest;
     END
     $$`,
    `COMMENT ON FUNCTION feedback.drop_day_before IS
       'drops the oldest day of a class that is before a date, and names it by its evidence; null when there is none or another is at it'`,
    // Days from before there were labels.
    `SELECT feedback.make_day(substring(child.relname FROM '^evidence_([a-z]+)_'), to_date(right(child.relname, 8), 'YYYYMMDD'))
       FROM pg_inherits AS link JOIN pg_class AS child ON child.oid = link.inhrelid
       WHERE link.inhparent IN (SELECT to_regclass('feedback.evidence_' || c) FROM unnest(ARRAY['short', 'standard', 'long']) AS c)`,
  ],
};
