import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeedbackItem } from '@sluice/contracts/gen/sluice/feedback/v1/FeedbackItem';
import type { Label } from '@sluice/contracts/gen/sluice/feedback/v1/Label';
import type { RecordLabelsResponse__Output } from '@sluice/contracts/gen/sluice/feedback/v1/RecordLabelsResponse';
import { labelService } from '@sluice/contracts/services';
import type { RawClient, RawOutcome } from '@sluice/rpc/raw-client';
import { createRawClient } from '@sluice/rpc/raw-client';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { idAt } from '../evidence.ts';
import { Labelling, name, words } from '../labelling.ts';

/** What stands in a message where the broken octets go. */
const mark = 'BROKEN';
/** Of the same length. It would be U+FFFD where it was decoded as text. */
const broken = Buffer.from([0x61, 0xc3, 0x28, 0xff, 0xfe, 0x62]);

/** Texts that are not UTF-8, which no library for gRPC sends. @param cluster the Postgres, on which it gets a database of its own */
export function brokenTextsSuite(cluster: () => TestPostgres): void {
  let world: Labelling;
  let raw: RawClient;

  beforeAll(async () => {
    world = await Labelling.open(cluster());
    raw = createRawClient(world.replica.address);
  });
  afterAll(async () => {
    raw.close();
    await world.close();
  });

  const recordLabels = labelService.definition['RecordLabels']!;
  const recordFeedback = labelService.definition['RecordFeedback']!;

  function send({ path }: { readonly path: string }, message: Uint8Array): Promise<RawOutcome> {
    const bytes = Buffer.from(message);
    const at = bytes.indexOf(mark);
    if (at >= 0) broken.copy(bytes, at);
    return new Promise((resolve) => raw.call(path, bytes, { deadlineMs: Date.now() + 30_000 }, resolve));
  }

  /** What there is of labels and feedback. */
  async function stored(): Promise<unknown> {
    const count = (table: string): string => `(SELECT count(*)::int FROM feedback.${table}) AS ${table}`;
    const tables = ['label', 'outcome', 'feedback_item', 'label_waiting'];
    return (await world.site.query(`SELECT ${tables.map(count).join(', ')}`))[0];
  }
  const nothing = { label: 0, outcome: 0, feedback_item: 0, label_waiting: 0 };

  describe('a text that is not UTF-8', () => {
    it('refuses the whole call with the name of its field, and nothing of it is stored', async () => {
      const [predictionId] = (await world.stored({})) as [string];
      const label = { predictionId, source: 'people', ...name('a') };
      const labels: [Label, string][] = [
        [{ ...label, ...name(mark) }, 'labels.value.name'],
        [{ ...label, value: null, values: [{ name: mark }] }, 'labels.values.name'],
        [{ ...label, source: mark }, 'labels.source'],
        [{ ...label, predictionId: '', model: mark, requestId: 'r' }, 'labels.model'],
        [{ ...label, predictionId: '', model: 'digits', requestId: mark }, 'labels.request_id'],
      ];
      const about = { predictionId, source: 'user' };
      const items: [FeedbackItem, string][] = [
        [{ ...about, text: mark }, 'items.text'],
        [{ ...about, json: `{"a":"${mark}"}` }, 'items.json'],
        [{ ...about, correction: { name: mark } }, 'items.correction.name'],
        [{ ...about, source: mark, rating: 1 }, 'items.source'],
      ];
      const waits = { predictionId: idAt(Date.now()), source: 'people' };
      const calls = [
        // Beside one that is to wait and one that could be joined.
        ...labels.map(([each, field]) => {
          const whole = { labels: [label, { ...waits, ...name('a') }, each] };
          return { field, method: recordLabels, bytes: recordLabels.requestSerialize(whole) };
        }),
        ...items.map(([each, field]) => {
          const whole = { items: [{ ...about, text: 'good' }, { ...waits, rating: 1 }, each] };
          return { field, method: recordFeedback, bytes: recordFeedback.requestSerialize(whole) };
        }),
      ];
      for (const { field, method, bytes } of calls) {
        const { error, message } = await send(method, bytes);
        expect([error?.kind, message]).toEqual(['invalid-argument', undefined]);
        expect(error!.message).toMatch(/^the bytes are no Record(Labels|Feedback)Request message: /);
        expect(error!.message).toContain(`: ${field} is not valid UTF-8`);
      }
      expect(await stored()).toEqual(nothing);
      // The replica goes on, on the same connection too; the same messages are taken where the text is one.
      const { message } = await send(recordLabels, recordLabels.requestSerialize({ labels: [label] }));
      const recorded = recordLabels.responseDeserialize(message!) as RecordLabelsResponse__Output;
      expect(words(recorded.answers)).toEqual(['joined']);
      const { answers } = await world.replica.labels.recordFeedback({ items: [{ ...about, text: 'good \uFFFD' }] });
      expect(words(answers)).toEqual(['joined']);
      expect(await stored()).toMatchObject({ label: 1, feedback_item: 1, label_waiting: 0 });
    });
  });
}
