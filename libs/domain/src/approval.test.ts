import { describe, expect, it } from 'vitest';
import { checkApprover, checkMoveApproved } from './approval.ts';

const move = {
  model: 'digits',
  alias: 'champion',
  version: 2,
  pushedBy: 'ann',
  approvalsRequired: 1,
  approvers: [] as string[],
  goingBack: false,
};

describe('moving champion', () => {
  it('is refused without an approval, and the refusal says what to type', () => {
    expect(() => checkMoveApproved(move)).toThrow(
      'digits version 2 needs an approval before champion can move to it: somebody other than ann, who pushed it, types `sluice approve digits 2 --as NAME`',
    );
  });

  it('is refused when only the pusher approved', () => {
    expect(() => checkMoveApproved({ ...move, approvers: ['ann'] })).toThrow(/needs an approval/);
  });

  it('is refused when nobody says who approved', () => {
    expect(() => checkMoveApproved({ ...move, approvers: ['anonymous'] })).toThrow(/needs an approval/);
  });

  it('goes ahead when somebody else approved, when the model asks for none, and on the way back', () => {
    checkMoveApproved({ ...move, approvers: ['ann', 'bob'] });
    checkMoveApproved({ ...move, approvalsRequired: 0 });
    checkMoveApproved({ ...move, goingBack: true });
  });

  it('is the only move that needs one', () => {
    checkMoveApproved({ ...move, alias: 'candidate' });
  });
});

describe('approving', () => {
  const approval = { model: 'digits', version: 2, alias: 'champion', approver: 'bob', pushedBy: 'ann' };

  it('is for anybody but the pusher', () => {
    checkApprover(approval);
    expect(() => checkApprover({ ...approval, approver: 'ann' })).toThrow(/ann pushed digits version 2/);
  });

  it('is refused for aliases that need none', () => {
    expect(() => checkApprover({ ...approval, alias: 'linear' })).toThrow(/needs no approval/);
  });

  it('needs a name', () => {
    const refusal = /^sluice-actor: missing; .* `sluice approve digits 2 --as NAME`$/;
    expect(() => checkApprover({ ...approval, approver: 'anonymous' })).toThrow(refusal);
    expect(() => checkApprover({ ...approval, approver: 'anonymous', pushedBy: 'anonymous' })).toThrow(refusal);
  });
});
