import { createDataSource } from '../src/data-source.ts';
import { migrate, type Migration } from '../src/migrator.ts';

const [url = '', list = '[]'] = process.argv.slice(2);
const dataSource = await createDataSource({ url, schema: 'app', applicationName: 'migrate-child' });
await migrate(dataSource, JSON.parse(list) as Migration[], {
  schema: 'app',
  lockId: 4711,
  prepare: async (tx) => {
    await tx.execute('CREATE SCHEMA IF NOT EXISTS app');
  },
});
await dataSource.destroy();
