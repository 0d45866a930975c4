import { SluiceError } from '@sluice/domain/errors';

/**
 * Reads `host:port` addresses, comma separated: `127.0.0.1:8001`, `router.example`, `[::1]:8001`, `http://host:8001`.
 *
 * @param defaultPort of addresses that name none
 * @returns each as `host:port`, in the order given
 * @throws SluiceError invalid-argument naming the address that is none
 */
export function parseAddresses(text: string, defaultPort: number): string[] {
  const addresses = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseAddress(part, defaultPort));
  if (addresses.length === 0) throw new SluiceError('invalid-argument', 'no address was given, expected host:port');
  return addresses;
}

function parseAddress(text: string, defaultPort: number): string {
  if (/^https:\/\//i.test(text))
    throw new SluiceError(
      'invalid-argument',
      `"${text}": TLS is not there yet, expected host:port or http://host:port`,
    );
  const bare = text.replace(/^(?:http|grpc|dns):\/\//i, '').replace(/\/$/, '');
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+)(?::(\d{1,5}))?$/.exec(bare);
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535)
    throw new SluiceError(
      'invalid-argument',
      `"${text}" is no address, expected host:port such as 127.0.0.1:${defaultPort}`,
    );
  return `${match[1]!}:${port}`;
}
