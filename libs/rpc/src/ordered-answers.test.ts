import { describe, expect, it } from 'vitest';
import { OrderedAnswers } from './ordered-answers.ts';

const message = (text: string): Uint8Array => Buffer.from(text);

describe('answers in order', () => {
  it('leave at once without a key', () => {
    const answers = new OrderedAnswers<string>();
    expect(answers.answered('one', message('1'))).toEqual([['one', message('1')]]);
    expect(answers.bytes).toBe(0);
  });

  it('wait for those before them under the same key, and for no others', () => {
    const answers = new OrderedAnswers<string>();
    for (const name of ['a1', 'b1', 'a2', 'a3']) answers.add(name, name[0]!);
    expect(answers.answered('a2', message('22'))).toEqual([]);
    expect(answers.answered('a3', message('333'))).toEqual([]);
    expect(answers.bytes).toBe(5);
    expect(answers.answered('b1', message('b'))).toEqual([['b1', message('b')]]);
    expect(answers.answered('a1', message('1')).map(([name]) => name)).toEqual(['a1', 'a2', 'a3']);
    expect(answers.bytes).toBe(0);
    answers.add('a4', 'a');
    expect(answers.answered('a4', message('4')).map(([name]) => name)).toEqual(['a4']);
  });

  it('keep the first key that was given', () => {
    const answers = new OrderedAnswers<string>();
    answers.add('one', 'a');
    answers.add('two', 'a');
    answers.add('two', 'b');
    expect(answers.answered('two', message('2'))).toEqual([]);
    expect(answers.answered('one', message('1')).map(([name]) => name)).toEqual(['one', 'two']);
  });
});
