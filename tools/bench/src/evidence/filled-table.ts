import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { ingestService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { copySelection, slotOf } from './copy-selection.ts';
import { pause } from '../platform.ts';
import type { OwnFeedback } from './own-feedback.ts';
import { makeRecords, movedId, type RecordSample, type Slot } from './records.ts';

/** Days that ids are of, today the first. */
export const days = 5;
/** Ids that are remembered, for those who ask for predictions. */
const mostIds = 200_000;

/** Something that was timed. */
export interface Timed {
  readonly rows: number;
  readonly seconds: number;
  /** Of one core, that this process used. */
  readonly generatorShare: number;
  readonly ids: readonly string[];
  /** Streams that ended before all was done: what they cost is in the time. */
  readonly interruptions: number;
}

/** Streams of one slice that may end before all is acknowledged. */
const mostFailures = 5;

function* streamOf(spoolId: string, blocks: readonly Uint8Array[], from: number): Generator<object> {
  yield { hello: { spoolId, routerId: 'bench', protocolVersion: 1 } };
  for (let index = from; index < blocks.length; index++)
    yield { block: { position: index + 1, block: blocks[index]! } };
}

/** Rows as they lie in the tables, from which files for COPY are made. */
interface Template {
  readonly table: string;
  readonly slot: Slot;
  readonly ids: readonly string[];
}

/** The tables of a feedback, which are filled slice by slice: through its ingest, or past it by COPY of a prepared file. */
export class FilledTable {
  /** Ids of rows of any slice. */
  readonly ids: string[] = [];
  readonly rowsPerSlice: number;
  readonly #feedback: OwnFeedback;
  readonly #sample: RecordSample;
  readonly #folder: string;
  readonly #baseMs = Date.now() - 6 * 3_600_000;
  readonly #templates = new Map<number, Template>();
  #columns: readonly string[] = [];
  #slots = 0;
  #spools = 0;
  #rows = 0;

  /** Makes the days, so that no slice is timed with making one. */
  static async open(
    feedback: OwnFeedback,
    sample: RecordSample,
    options: { readonly folder: string; readonly rowsPerSlice: number },
  ): Promise<FilledTable> {
    const table = new FilledTable(feedback, sample, options);
    await table.#begin();
    return table;
  }

  constructor(
    feedback: OwnFeedback,
    sample: RecordSample,
    { folder, rowsPerSlice }: { readonly folder: string; readonly rowsPerSlice: number },
  ) {
    this.#feedback = feedback;
    this.#sample = sample;
    this.#folder = folder;
    this.rowsPerSlice = rowsPerSlice;
  }

  /** Of the feedback. */
  get address(): string {
    return this.#feedback.address;
  }

  get pid(): number {
    return this.#feedback.pid;
  }

  /** Of the owner of its tables. */
  get client(): pg.Client {
    return this.#feedback.client;
  }

  get rows(): number {
    return this.#rows;
  }

  async #begin(): Promise<void> {
    const { rows } = await this.#feedback.client.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
       WHERE table_schema = 'feedback' AND table_name = 'evidence' AND column_default IS NULL AND is_generated = 'NEVER'
       ORDER BY ordinal_position`,
    );
    this.#columns = rows.map(({ name }) => name);
    for (const retentionClass of ['short', 'standard', 'long'])
      for (let day = 0; day < days; day++) {
        const made = makeRecords(this.#sample, { count: 1, slot: this.#nextSlot(), subjects: 0, retentionClass });
        await this.#send(made.blocks);
      }
  }

  /** A slice through ingest: until all of it is committed. @param subjects of whom its records are; 0: of none */
  async ingest(subjects = 0): Promise<Timed> {
    const slot = this.#nextSlot();
    const { blocks, ids } = makeRecords(this.#sample, { count: this.rowsPerSlice, slot, subjects });
    await this.#quiet();
    const timed = await this.#timed(() => this.#send(blocks));
    this.#keep(ids);
    return { ...timed, ids };
  }

  /** A slice of the same rows at a time of its own, by COPY of a binary file. */
  async copy(subjects = 0): Promise<Timed> {
    const template = await this.#template(subjects);
    const slot = this.#nextSlot();
    const shiftMs = slot.fromMs - template.slot.fromMs;
    const file = path.join(this.#folder, 'prepared.copy');
    const { client } = this.#feedback;
    const selection = `SELECT ${copySelection(this.#columns, shiftMs)} FROM ${template.table} ORDER BY prediction_id`;
    await pipeline(client.query(copyTo(`COPY (${selection}) TO STDOUT (FORMAT binary)`)), createWriteStream(file));
    await this.#quiet();
    const into = `COPY feedback.evidence (${this.#columns.join(', ')}) FROM STDIN (FORMAT binary)`;
    const timed = await this.#timed(async () => {
      await pipeline(createReadStream(file), client.query(copyFrom(into)));
      return 0;
    });
    const ids = template.ids.map((id) => movedId(id, shiftMs));
    this.#keep(ids);
    return { ...timed, ids };
  }

  /** Slices by COPY, until there are so many rows. */
  async fillTo(rows: number): Promise<void> {
    if (this.#rows >= rows) return;
    while (this.#rows < rows) await this.copy();
    await this.settle();
  }

  /** Does what the database would do later by itself, beside what is measured then. */
  async settle(): Promise<void> {
    await this.client.query('VACUUM (ANALYZE) feedback.evidence');
    await this.client.query('CHECKPOINT');
  }

  async #template(subjects: number): Promise<Template> {
    const made = this.#templates.get(subjects);
    if (made !== undefined) return made;
    const table = `public.template_${subjects}`;
    const slot = this.#nextSlot();
    const { blocks, ids } = makeRecords(this.#sample, { count: this.rowsPerSlice, slot, subjects });
    await this.#send(blocks);
    await this.#feedback.client.query(
      `CREATE TABLE ${table} AS SELECT ${this.#columns.join(', ')} FROM feedback.evidence
       WHERE prediction_id BETWEEN '${ids[0]!.slice(0, 13)}-0000-0000-000000000000'
         AND '${ids.at(-1)!.slice(0, 13)}-ffff-ffff-ffffffffffff' ORDER BY prediction_id`,
    );
    this.#keep(ids);
    const template = { table, slot, ids };
    this.#templates.set(subjects, template);
    return template;
  }

  #nextSlot(): Slot {
    return slotOf(this.#baseMs, days, this.#slots++);
  }

  /**
   * All blocks, as a router sends its spool: what is not acknowledged when a stream ends goes over the next.
   *
   * @returns how many streams ended early
   * @throws the error of the last of some tries
   */
  async #send(blocks: readonly Uint8Array[]): Promise<number> {
    const spoolId = `bench-${this.#spools++}`;
    let stored = 0;
    for (let failures = 0; ; failures++) {
      const client = createRpcClient(ingestService, this.#feedback.address, { clock: systemClock });
      try {
        for await (const { acknowledged } of client.ingest(streamOf(spoolId, blocks, stored)))
          stored = Number(acknowledged);
        if (stored < blocks.length) throw new Error(`feedback acknowledged ${stored} of ${blocks.length} blocks`);
        return failures;
      } catch (error) {
        if (failures === mostFailures) throw error;
        await pause(1_000);
      } finally {
        client.close();
      }
    }
  }

  /** What was written before is not to be written while a slice is timed. */
  async #quiet(): Promise<void> {
    await this.#feedback.client.query('CHECKPOINT');
  }

  /** @param work gives the interruptions that it had */
  async #timed(work: () => Promise<number>): Promise<Omit<Timed, 'ids'>> {
    const [begun, cpu] = [performance.now(), process.cpuUsage()];
    const interruptions = await work();
    const seconds = (performance.now() - begun) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { rows: this.rowsPerSlice, seconds, generatorShare: (user + system) / 1e6 / seconds, interruptions };
  }

  #keep(ids: readonly string[]): void {
    this.#rows += ids.length;
    // From every slice the same share: reads are to go to all days.
    const share = Math.max(1, Math.ceil(ids.length / 5_000));
    for (let at = 0; at < ids.length && this.ids.length < mostIds; at += share) this.ids.push(ids[at]!);
  }
}
