import type { CapturePolicy__Output } from '@sluice/contracts/gen/sluice/registry/v1/CapturePolicy';
import type { Release__Output } from '@sluice/contracts/gen/sluice/registry/v1/Release';
import { showBytes, showEnum } from '../format.ts';

const percent = (share: number): string => `${Number((share * 100).toPrecision(4))} %`;

/** `canary: version 1 (primary, 90 %), version 2 (candidate "next", 10 %)`; '' without a release. */
export function releaseLine(release: Release__Output | null | undefined): string {
  if (!release) return '';
  const arms = release.arms.map(({ name, version, role: kind, propensity }) => {
    const role = showEnum(kind, 'ARM_ROLE');
    const named = name === role ? role : `${role} "${name}"`;
    return `version ${version} (${named}, ${role === 'shadow' ? 'a copy of every request' : percent(propensity)})`;
  });
  return `${showEnum(release.mode, 'RELEASE_MODE')}: ${arms.join(', ')}${release.implicit ? ', implicit' : ''}`;
}

/** Which evidence is kept, in words. */
export function captureLine(capture: CapturePolicy__Output | null | undefined): string {
  if (!capture) return '';
  const { rate, payload, retentionClass, durability, redact } = capture;
  const request = capture.request ?? payload;
  const response = capture.response ?? (payload || undefined);
  const most = showBytes(capture.maxPayloadBytes);
  const responses =
    response === undefined ? 'responses up to 1 KiB of versions with a task' : response ? 'responses' : 'no responses';
  return [
    `${percent(rate)} of predictions`,
    request ? 'requests' : 'no requests',
    responses,
    request || response !== false ? `payloads up to ${most}` : '',
    `kept ${retentionClass}`,
    showEnum(durability, 'DURABILITY').replace(' ', '-'),
    redact.length === 0 ? '' : `redacted: ${redact.join(', ')}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** Names and values of a release, for people. */
export function releaseFields(release: Release__Output): readonly (readonly [string, string])[] {
  const rules = release.rules.map(
    ({ id, metadataKey, equals, arm }) => `${id}: ${metadataKey} "${equals}" goes to ${arm}`,
  );
  return [
    ['model', release.model],
    ['release', `${release.id}${release.implicit ? '' : ', made by a person: champion and pins do not move it'}`],
    ['arms', releaseLine(release)],
    ['rules', rules.join('\n')],
    ['capture', `${captureLine(release.capture)}${release.ownCapture ? '; its own' : "; the model's"}`],
    ['seed', release.seedId],
    ['revision', release.revision],
  ];
}
