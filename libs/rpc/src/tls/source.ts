import type { TlsMaterial, TlsSource } from '@sluice/wire/tls';

export type { TlsMaterial, TlsSource };

/** What does not change while a process lives, as a source. */
export const constantTls = (current: TlsMaterial): TlsSource => ({ current, onChange: () => () => undefined });
