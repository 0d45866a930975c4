import type { Migration } from '@sluice/persistence/migrator';
import { locks } from '../locks.ts';

/**
 * Days of a class are made and dropped by functions that run as the owner, so that the service's role owns nothing and can drop
 * nothing else.
 */
export const evidenceDays: Migration = {
  id: '1780000002000-evidence-days',
  statements: [
    `CREATE FUNCTION feedback.day_bound(day date) RETURNS uuid LANGUAGE sql IMMUTABLE
       SET search_path = pg_catalog, pg_temp AS $$
       SELECT (lpad(to_hex(extract(epoch FROM day)::bigint * 1000), 12, '0') || repeat('0', 20))::uuid
     $$`,
    `COMMENT ON FUNCTION feedback.day_bound IS 'the least UUID of version 7 of a day (UTC)'`,
    // Attached, not made in place: ATTACH takes a lock that writers do not wait for, CREATE ... PARTITION OF stops them all.
    `CREATE FUNCTION feedback.make_day(class text, day date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
     DECLARE
       parent text := 'evidence_' || class;
       part text := parent || '_' || to_char(day, 'YYYYMMDD');
     BEGIN
       IF class IS NULL OR class NOT IN ('short', 'standard', 'long') OR day IS NULL THEN
         RAISE EXCEPTION 'evidence has no class % with day %', class, day;
       END IF;
       -- Asked of the table: to_regclass remembers for the whole transaction that there was none before the lock.
       PERFORM FROM pg_class WHERE relnamespace = 'feedback'::regnamespace AND relname = part;
       IF FOUND THEN
         RETURN false;
       END IF;
       PERFORM pg_advisory_xact_lock(${locks.days});
       PERFORM FROM pg_class WHERE relnamespace = 'feedback'::regnamespace AND relname = part;
       IF FOUND THEN
         RETURN false;
       END IF;
       EXECUTE format('CREATE TABLE feedback.%I (LIKE feedback.%I INCLUDING ALL)', part, parent);
       EXECUTE format('ALTER TABLE feedback.%I ATTACH PARTITION feedback.%I FOR VALUES FROM (%L) TO (%L)',
         parent, part, feedback.day_bound(day), feedback.day_bound(day + 1));
       RETURN true;
     END
     $$`,
    `COMMENT ON FUNCTION feedback.make_day IS 'makes the partition of a day; false when it is there already'`,
    // One at a time: the lock that DROP takes holds up all writers of the class, so it is held for one table only.
    `CREATE FUNCTION feedback.drop_day_before(class text, before date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
     DECLARE
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
       SELECT child.relname INTO part
         FROM pg_inherits AS link JOIN pg_class AS child ON child.oid = link.inhrelid
         WHERE link.inhparent = to_regclass(format('feedback.%I', 'evidence_' || class))
           AND right(child.relname, 8) < to_char(before, 'YYYYMMDD')
         ORDER BY child.relname LIMIT 1;
       IF part IS NOT NULL THEN
         EXECUTE format('DROP TABLE feedback.%I', part);
       END IF;
       RETURN part;
     END
     $$`,
    `COMMENT ON FUNCTION feedback.drop_day_before IS
       'drops the oldest day of a class that is before a date, and names it; null when there is none or another is at it'`,
    ...['make_day(text, date)', 'drop_day_before(text, date)'].flatMap((signature) => [
      `REVOKE ALL ON FUNCTION feedback.${signature} FROM PUBLIC`,
      `GRANT EXECUTE ON FUNCTION feedback.${signature} TO sluice_feedback`,
    ]),
  ],
};
