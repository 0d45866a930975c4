import { SluiceError } from '@sluice/domain/errors';
import { isLoopback } from '@sluice/service-kit/common-config';

export const repositoryControls = ['loopback', 'open'] as const;
/** Who may load and unload models through the public port: this machine, or everybody who reaches it. */
export type RepositoryControl = (typeof repositoryControls)[number];

/**
 * Refuses a peer that may not change what is loaded.
 *
 * @param peer address and port, such as `127.0.0.1:4711` or `[::1]:4711`
 * @throws SluiceError permission-denied
 */
export function checkRepositoryControl(control: RepositoryControl, peer: string): void {
  if (control === 'open' || isLoopback(hostOf(peer))) return;
  throw new SluiceError(
    'permission-denied',
    `${peer} may not load or unload models: call from this machine, or start the router with --repository-control=open`,
  );
}

/** The host of a peer's address. */
export function hostOf(peer: string): string {
  const text = peer.replace(/^ipv[46]:/, '');
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(text);
  if (bracketed) return bracketed[1]!;
  // More than one colon and no brackets: an IPv6 address, with the port after the last one.
  const colon = text.lastIndexOf(':');
  return colon < 0 ? text : text.slice(0, colon);
}
