import { expect, it } from 'vitest';
import { banner } from './banner.ts';
import { portTable } from './ports.ts';

const plain = { tlsCertFile: '', tlsKeyFile: '', tlsClientCaFile: '', tlsCaFile: '' };
const files = { ...plain, tlsCertFile: '/c.pem', tlsKeyFile: '/k.pem', tlsCaFile: '/ca.pem' };

it('says of which example models no approval is needed, and of no others', () => {
  const inputs = {
    ports: portTable(0, 2),
    home: '/home',
    databaseFolder: '/data',
    isClone: true,
    example: undefined,
    tls: plain,
  };
  expect(banner({ ...inputs, unapproved: ['wdbc'] })).toContain('models wdbc need no approvals (approvals 0)');
  expect(banner({ ...inputs, unapproved: [] })).not.toContain('approval');
});

it('has commands that work with TLS, with a certificate where one is wanted', () => {
  const inputs = { ports: portTable(0, 2), home: '/home', databaseFolder: '/data', isClone: true, unapproved: [] };
  const say = (tls: typeof plain): string => banner({ ...inputs, example: { request: '{}', label: '1' }, tls });
  expect(say(plain)).toContain('grpcurl -plaintext 127.0.0.1:8001 list');
  expect(say(plain)).toContain('http://127.0.0.1:8001/');
  const open = say(files);
  expect(open).not.toMatch(/plaintext|prior-knowledge|http:/);
  expect(open).toContain('grpcurl -cacert /ca.pem 127.0.0.1:8001 list');
  expect(open).toContain('buf curl --protocol grpc --cacert /ca.pem --list-services https://127.0.0.1:8001');
  expect(open).toContain('sluice --tls-ca-file /ca.pem models');
  expect(open).toContain('Nobody is authenticated');
  const mutual = say({ ...files, tlsClientCaFile: '/clients.pem' });
  expect(mutual).toContain('grpcurl -cacert /ca.pem -cert /c.pem -key /k.pem 127.0.0.1:8001 list');
  expect(mutual).toContain('sluice --tls-ca-file /ca.pem --tls-cert-file /c.pem --tls-key-file /k.pem models');
  expect(mutual).toContain('Callers show a certificate');
});
