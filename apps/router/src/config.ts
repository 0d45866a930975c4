import { isAbsolute } from 'node:path';
import { addresses, addressesOrNone } from '@sluice/service-kit/addresses';
import { commonFields } from '@sluice/service-kit/common-config';
import type { Config } from '@sluice/service-kit/config';
import { field, integerField } from '@sluice/service-kit/config';
import { compressions, transports } from '@sluice/rpc/transport/transport';
import { z } from 'zod';
import { repositoryControls } from './rpc/repository-control.ts';

/** Every setting of the router; the README's table is made of it. */
export const configSpec = {
  ...commonFields('router', { port: 8001, metricsPort: 8002, adminPort: 8003 }),
  registry: field(addresses, {
    doc: 'Addresses of registries, host:port with commas between; the first that answers is used',
    default: '127.0.0.1:8101',
  }),
  feedback: field(addressesOrNone, {
    doc: 'Addresses of feedback, host:port with commas between; the first that answers is used. Empty: no evidence is kept',
    default: '',
  }),
  evidenceKeyFile: field(
    z.string().refine((path) => path === '' || isAbsolute(path), 'expected an absolute path'),
    {
      doc: 'File of the key of evidence, 64 hex digits; the same for all routers. Needed where evidence is kept',
      default: '',
    },
  ),
  formerEvidenceKeyFiles: field(
    z
      .string()
      .transform((text) => text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()])))
      .refine((paths) => paths.every((path) => isAbsolute(path)), 'expected absolute paths with commas between them'),
    {
      doc: 'Files of evidence keys of before, absolute paths with commas between: the spool may still have segments under them',
      default: '',
    },
  ),
  spoolBytes: integerField(
    { min: 128 * 1024 * 1024 },
    { doc: 'Bytes that evidence may have on disk while feedback does not take it', default: 1024 * 1024 * 1024 },
  ),
  stateDir: field(z.string().refine(isAbsolute, 'expected an absolute path'), {
    doc: 'Folder that keeps the last routes, so that a restart works with the registry away; one per router',
  }),
  answerCompression: field(z.enum(compressions), {
    doc: `How answers of a kilobyte and more are compressed for callers that take it: ${compressions.join(', ')}; on wire only`,
    default: 'none',
  }),
  transport: field(z.enum(transports), {
    doc: `gRPC stack of the public port and towards runtimes: ${transports.join(' or ')}; both serve the same`,
    default: 'wire',
  }),
  serverName: field(z.string().min(1).max(100), {
    doc: 'Name in ServerMetadata; clients of Triton look for theirs',
    default: 'triton',
  }),
  repositoryControl: field(z.enum(repositoryControls), {
    doc: 'Who may load and unload models through the public port: loopback (this machine) or open (everybody)',
    default: 'loopback',
  }),
  defaultDeadlineMs: integerField(
    { min: 1, max: 3_600_000 },
    { doc: 'Deadline of calls whose caller sends none, in milliseconds', default: 30_000 },
  ),
  leaseTtlMs: integerField(
    { min: 300, max: 600_000 },
    { doc: 'Time to live of the lease at the registry, in milliseconds; renewed every third of it', default: 3_000 },
  ),
  maxInFlight: integerField(
    { min: 0 },
    { doc: 'Inferences that are worked on at once; more are turned away. 0 means unlimited', default: 8_192 },
  ),
  maxInFlightBytes: integerField(
    { min: 0 },
    { doc: 'Bytes of the inferences that are worked on at once. 0 means unlimited', default: 512 * 1024 * 1024 },
  ),
  maxStreamRequests: integerField(
    { min: 1, max: 65_536 },
    {
      doc: 'Inferences of one stream that are worked on, or answered and not read, before it is not read further',
      default: 256,
    },
  ),
  maxSequences: integerField(
    { min: 1, max: 16_777_216 },
    {
      doc: 'Sequences whose runtime is remembered while nothing of them is under way; that of others is asked for',
      default: 65_536,
    },
  ),
  maxShadows: integerField(
    { min: 0, max: 1_048_576 },
    {
      doc: 'Copies of requests for shadow arms that wait or are in flight; more are dropped. 0 makes none',
      default: 4_096,
    },
  ),
  maxShadowsInFlight: integerField(
    { min: 1, max: 65_536 },
    { doc: 'Copies for shadow arms that are in flight at once', default: 256 },
  ),
  maxShadowBytes: integerField(
    { min: 1 },
    { doc: 'Bytes of copies for shadow arms that wait or are in flight; more are dropped', default: 64 * 1024 * 1024 },
  ),
  shadowDeadlineMs: integerField(
    { min: 1, max: 3_600_000 },
    { doc: 'Deadline of a copy for a shadow arm, from the answer on, in milliseconds', default: 10_000 },
  ),
};

export type RouterConfig = Config<typeof configSpec>;
