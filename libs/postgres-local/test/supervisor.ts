import { chooseAccount } from '../src/account.ts';
import { installBinaries } from '../src/binaries.ts';
import { startServer } from '../src/server.ts';

const account = chooseAccount();
const dataDir = process.argv[2]!;
const { pid, port } = await startServer({ binaries: await installBinaries(account), account, dataDir, port: 0 });
process.send!({ pid, port });
