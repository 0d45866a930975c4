import { describe, expect, it } from 'vitest';
import { type AnsweringChange, answeringVersion, checkAnswering } from './answering.ts';

const change: AnsweringChange = {
  model: 'digits',
  by: 'pin',
  before: undefined,
  after: 3,
  hadChampion: true,
  approvalsRequired: 1,
  pushedBy: 'ann',
  approvers: [],
};

describe('the version that answers', () => {
  it('is champion, else the highest pinned one', () => {
    expect(answeringVersion({ champion: 2, pins: [1, 3] })).toBe(2);
    expect(answeringVersion({ champion: undefined, pins: [1, 3, 2] })).toBe(3);
    expect(answeringVersion({ champion: undefined, pins: [] })).toBeUndefined();
  });
});

describe('a change of what answers', () => {
  it.each([
    ['pin', /^version: .* point champion to another version \(`sluice alias set digits champion VERSION`\), or let/],
    ['unpin', /^version: .* unpin it \(`sluice unpin digits 3`\), or let/],
    ['delete-champion', /^alias: .* unpin it \(`sluice unpin digits 3`\), or let/],
    ['end-release', /^model: .* unpin it \(`sluice unpin digits 3`\), or let/],
  ] as const)('by %s to an unapproved version is refused, with what to type', (by, message) => {
    expect(() => checkAnswering({ ...change, by })).toThrow(message);
    const remedy = /somebody other than ann, who pushed it, type `sluice approve digits 3 --as NAME`/;
    expect(() => checkAnswering({ ...change, by, before: 2 })).toThrow(remedy);
    expect(() => checkAnswering({ ...change, by, approvers: ['ann'] })).toThrow(remedy);
  });

  it.each([
    ['to an approved version', { approvers: ['bob'] }],
    ['to nothing', { after: undefined }],
    ['that leaves what answers', { before: 3 }],
    ['of a model that never had a champion', { hadChampion: false }],
    ['of a model without approvals', { approvalsRequired: 0 }],
  ] as const)('%s is not', (_, other) => {
    expect(() => checkAnswering({ ...change, ...other })).not.toThrow();
  });
});
