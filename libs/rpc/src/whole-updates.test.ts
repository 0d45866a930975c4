import { describe, expect, it } from 'vitest';
import { wholeUpdates } from './whole-updates.ts';

interface Message {
  readonly items: readonly string[];
  readonly more: boolean;
}

async function* stream(messages: readonly string[]): AsyncGenerator<Message> {
  for (const text of messages) yield { items: [text.replace('…', '')], more: text.endsWith('…') };
}

async function updatesOf(messages: AsyncIterable<Message>): Promise<string[]> {
  const updates: string[] = [];
  const whole = wholeUpdates(messages, (parts, last) => ({ ...last, items: parts.flatMap((part) => part.items) }));
  for await (const { items, more } of whole) updates.push(`${items.join('+')}${more ? '…' : ''}`);
  return updates;
}

describe('updates that come in parts', () => {
  it('are whole, in order, beside those that come in one message', async () => {
    expect(await updatesOf(stream(['a', 'b…', 'c…', 'd', 'e']))).toEqual(['a', 'b+c+d', 'e']);
  });

  it('are dropped when the stream ends within one', async () => {
    expect(await updatesOf(stream(['a', 'b…', 'c…']))).toEqual(['a']);
  });

  it('may not go on for ever', async () => {
    async function* endless(): AsyncGenerator<Message> {
      for (;;) yield { items: [], more: true };
    }
    await expect(updatesOf(endless())).rejects.toMatchObject({ kind: 'data-loss' });
  });
});
