/** What connections are secured with: `constantTls({ ca, cert, key })`, PEM texts; `cert` and `key` where servers want them. */
export { constantTls } from '@sluice/rpc/tls/source';
export type { TlsMaterial, TlsSource } from '@sluice/rpc/tls/source';
