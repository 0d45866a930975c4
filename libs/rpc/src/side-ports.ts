import { X509Certificate } from 'node:crypto';
import { startMetricsServer } from '@sluice/telemetry/metrics-server';
import type { MetricsTls } from '@sluice/telemetry/metrics-server';
import type { Metrics } from '@sluice/telemetry/metrics';
import { contextOptions } from '@sluice/wire/tls';
import type { TlsSource } from '@sluice/wire/tls';
import { mountAdmin } from './admin.ts';
import type { AdminOptions } from './admin.ts';

export interface SidePortsOptions extends Omit<AdminOptions, 'port' | 'metrics'> {
  /** 0 takes a free one. */
  readonly metricsPort: number;
  /** 0 takes a free one. */
  readonly adminPort: number;
  readonly metrics: Metrics;
}

export interface SidePorts {
  readonly ports: { readonly metricsPort: number; readonly adminPort: number };
  readonly close: () => Promise<void>;
}

/**
 * Opens the two ports that every service has beside its own: `/metrics`, and administration.
 *
 * @throws SluiceError failed-precondition when one of them cannot be bound
 */
export async function openSidePorts(options: SidePortsOptions): Promise<SidePorts> {
  const { host, metrics, tls } = options;
  if (tls !== undefined)
    metrics.observedGauge(
      'sluice_tls_certificate_not_after_seconds',
      'When the certificate of the ports is out of date, in seconds since the epoch',
      () => Date.parse(new X509Certificate(tls.current.cert!).validTo) / 1000,
    );
  const scraped = await startMetricsServer({ host, port: options.metricsPort, metrics, tls: tls && metricsTls(tls) });
  const admin = await mountAdmin({ ...options, port: options.adminPort }).catch(async (error: unknown) => {
    await scraped.close();
    throw error;
  });
  return {
    ports: { metricsPort: scraped.port, adminPort: admin.port },
    close: async () => {
      await admin.close();
      await scraped.close();
    },
  };
}

const metricsTls = (tls: TlsSource): MetricsTls => ({
  options: { ...contextOptions(tls.current), requestCert: tls.current.ca !== undefined, rejectUnauthorized: true },
  onChange: (listener) => tls.onChange(() => listener(contextOptions(tls.current))),
});
