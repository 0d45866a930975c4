import { env } from 'node:process';
import { systemClock } from '@sluice/service-kit/clock';
import { probeInChild } from '../../src/runtime/device-probe.ts';
import { deviceProviders } from '../../src/runtime/devices.ts';
import { findDevices } from '../../src/runtime/find-devices.ts';
import { deviceContract } from './contract.ts';

/** Names what the suite must run on besides the CPU and the fake; without it, it runs on what a probe finds. */
const named = env['SLUICE_TEST_DEVICES'];

const real =
  named === undefined
    ? (await findDevices(['auto'], { providers: deviceProviders, probe: probeInChild(systemClock) })).map(
        ({ name }) => name,
      )
    : named.split(',').map((name) => name.trim());

deviceContract({ name: 'cpu', isReal: false });
deviceContract({ name: 'fake:0', isReal: false });
for (const name of real.filter((each) => each !== 'cpu')) deviceContract({ name, isReal: true });
