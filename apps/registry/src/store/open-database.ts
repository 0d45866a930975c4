import type { OpenDatabaseOptions } from '@sluice/persistence/open-database';
import { openDatabase as open } from '@sluice/persistence/open-database';
import type { DataSource } from 'typeorm';
import { migrations } from './migrations/index.ts';

/** Connects a pool to schema `registry`: `failed-precondition` when its migrations have not run. */
export function openDatabase(options: Omit<OpenDatabaseOptions, 'schema' | 'migrations'>): Promise<DataSource> {
  return open({ ...options, schema: 'registry', migrations });
}
