import { describe, expect, it } from 'vitest';
import type { ArmVersion } from './arms-agree.ts';
import { checkArmsAgree, signatureDifference } from './arms-agree.ts';
import type { PlannedArm } from './release-plan.ts';
import type { Signature, TensorSpec } from './signature.ts';

const tensor = (name: string, changes: Partial<TensorSpec> = {}): TensorSpec => ({
  ...{ name, datatype: 'FP32', shape: [-1, 3], dimNames: ['n', ''], features: [] },
  ...changes,
});
const signature: Signature = { inputs: [tensor('x'), tensor('y')], outputs: [tensor('p')], batched: true };
const withInput = (changes: Partial<TensorSpec>): Signature => ({
  ...signature,
  inputs: [tensor('x', changes), tensor('y')],
});

describe('two signatures', () => {
  it('are alike whatever the order of tensors, the name of the batch and what columns are called', () => {
    const features = [{ name: 'age', nullable: true }];
    const alike = {
      ...signature,
      inputs: [tensor('y', { features, min: 0 }), tensor('x', { dimNames: ['batch', ''] })],
    };
    expect(signatureDifference(signature, alike)).toBeUndefined();
  });

  it.each<[string, Signature]>([
    ['its input "x" is FP64, not FP32', withInput({ datatype: 'FP64' })],
    ['its input "x" has shape [batch, 4], not [batch, 3]', withInput({ shape: [-1, 4] })],
    ['its input "x" has shape [batch, -1], not [batch, 3]', withInput({ shape: [-1, -1] })],
    ['its input "x" has shape [batch, 3, 1], not [batch, 3]', withInput({ shape: [-1, 3, 1] })],
    ['it has no input "x"', withInput({ name: 'z' })],
    ['it has one more input, "z"', { ...signature, inputs: [...signature.inputs, tensor('z')] }],
    ['it has no output "p"', { ...signature, outputs: [] }],
    ['it has one more output, "q"', { ...signature, outputs: [tensor('p'), tensor('q')] }],
    ['its output "p" is INT64, not FP32', { ...signature, outputs: [tensor('p', { datatype: 'INT64' })] }],
    ['it takes no batches and the other does', { ...signature, batched: false }],
  ])('differ: %s', (difference, given) => {
    expect(signatureDifference(signature, given)).toBe(difference);
  });

  it('differ by the first dimension where it is no batch', () => {
    const fixed = (size: number): Signature => ({
      ...{ inputs: [tensor('x', { shape: [size, 3] })], outputs: [], batched: false },
    });
    expect(signatureDifference(fixed(1), fixed(1))).toBeUndefined();
    expect(signatureDifference(fixed(1), fixed(2))).toBe('its input "x" has shape [2, 3], not [1, 3]');
    expect(signatureDifference(fixed(1), { ...fixed(1), batched: true })).toBe(
      'it takes batches and the other does not',
    );
  });
});

describe('the versions of arms', () => {
  const arm = (name: string, version: number, role: PlannedArm['role']): PlannedArm => ({
    name,
    version,
    role,
    weight: 1,
  });
  const plain: ArmVersion = { signature, serving: {} };
  const keeping: ArmVersion = {
    signature,
    serving: {
      sequenceBatching: {
        ...{ maxSequenceIdleMicroseconds: 1, maxQueueDelayMicroseconds: 0, minimumSlotUtilization: 0 },
        ...{ controlInputs: [], states: [] },
      },
    },
  };
  const check =
    (arms: readonly PlannedArm[], ...versions: readonly ArmVersion[]) =>
    () =>
      checkArmsAgree(arms, (version) => versions[version - 1]!);

  it('are held to that of the primary, shadows too', () => {
    const other: ArmVersion = { signature: withInput({ datatype: 'INT64' }), serving: {} };
    const shadowed = [arm('mirror', 2, 'shadow'), arm('primary', 1, 'primary')];
    expect(check(shadowed, plain, plain)).not.toThrow();
    expect(check(shadowed, plain, other)).toThrow(
      'arms[0].version: version 2 cannot stand for version 1 of arm "primary": its input "x" is INT64, not FP32',
    );
  });

  it('that keep sequences answer alone; a shadow may stand beside', () => {
    const two = [arm('primary', 1, 'primary'), arm('next', 2, 'candidate')];
    expect(check(two, plain, keeping)).toThrow(
      'arms[1].version: version 2 keeps sequences, and a sequence lives on one version: expected one arm that answers, got 2',
    );
    expect(check([two[0]!, { ...two[1]!, role: 'shadow' }], keeping, keeping)).not.toThrow();
    expect(check([two[0]!], keeping)).not.toThrow();
  });
});
