import { describe, expect, it } from 'vitest';
import { Metadata, fieldsOf } from './metadata.ts';

/** As a handler may give it, whatever the keys. */
const like = (headers: Record<string, unknown>) => ({ toHttp2Headers: () => headers });

describe('metadata', () => {
  it('has keys in lower case, with their values in order', () => {
    const metadata = new Metadata();
    metadata.set('X-Key', 'one');
    metadata.add('x-KEY', 'two');
    expect([metadata.get('X-KEY'), metadata.get('other')]).toEqual([['one', 'two'], []]);
    metadata.set('x-key', 'three');
    expect(metadata.toJSON()).toEqual({ 'x-key': ['three'] });
    metadata.remove('X-Key');
    expect(metadata.toJSON()).toEqual({});
  });

  it('has text, and bytes under keys that say so', () => {
    const metadata = new Metadata();
    metadata.set('a', 'b');
    metadata.set('a-bin', Buffer.from([0, 255]));
    expect(metadata.getMap()).toEqual({ a: 'b', 'a-bin': Buffer.from([0, 255]) });
    expect(() => metadata.set('b', Buffer.from(''))).toThrow('b takes text: only keys that end with "-bin" take bytes');
    expect(() => metadata.add('b-bin', 'text')).toThrow('b-bin takes bytes');
  });

  it('takes no name that no field may have', () => {
    const metadata = new Metadata();
    for (const key of ['', ' ', 'a b', 'ä', 'a:b', ':path', 'a\n', '\0', 'a/b'])
      expect(() => metadata.set(key, 'x')).toThrow('metadata: the key');
    for (const key of ['a', '0', 'a_b-c.d', 'A']) metadata.set(key, 'x');
  });

  it('takes no value that no field may have', () => {
    const metadata = new Metadata();
    for (const value of ['a\nb', '\r', '\0', 'ä', '\t', '\u007f'])
      expect(() => metadata.set('a', value)).toThrow('metadata: the value of a has other than printable ASCII');
    metadata.set('a', ' ~!');
    expect(metadata.get('a')).toEqual([' ~!']);
  });

  it('is copied, and takes in another', () => {
    const metadata = new Metadata();
    metadata.add('a', '1');
    const copy = metadata.clone();
    copy.add('a', '2');
    metadata.merge(copy);
    expect([metadata.get('a'), copy.get('a')]).toEqual([
      ['1', '1', '2'],
      ['1', '2'],
    ]);
    // What is given is not what is kept.
    metadata.get('a').push('3');
    expect(metadata.get('a')).toHaveLength(3);
    metadata.setOptions();
    expect(metadata.getOptions()).toEqual({});
  });

  it('comes from fields: bytes in base64 with or without its padding, several in one', () => {
    const metadata = Metadata.fromFields(['a', '1', 'b-bin', 'AP8=', 'a', '\u00e4', 'b-bin', 'AP8,AQ', 'c-bin', '']);
    expect(metadata.toJSON()).toEqual({
      a: ['1', '\u00e4'],
      'b-bin': [Buffer.from([0, 255]), Buffer.from([0, 255]), Buffer.from([1])],
      'c-bin': [Buffer.from('')],
    });
  });
});

describe('metadata that came', () => {
  const fields = ['a', '1', 'a', '2', 'b-bin', 'AP8=,AQ'] as const;
  const all = { a: ['1', '2'], 'b-bin': [Buffer.from([0, 255]), Buffer.from([1])] };

  it.each<[string, (metadata: Metadata) => void]>([
    ['set', (metadata) => metadata.set('a', '3')],
    ['add', (metadata) => metadata.add('a', '3')],
    ['add of bytes', (metadata) => metadata.add('b-bin', Buffer.from([3]))],
    ['remove', (metadata) => metadata.remove('a')],
    ['merge', (metadata) => metadata.merge(Metadata.fromFields(['a', '3', 'c', '4']))],
    ['merge of itself', (metadata) => metadata.merge(metadata)],
    ['what was given', (metadata) => void (metadata.get('b-bin')[0] as Buffer).fill(7)],
    ['what was shown', (metadata) => void Object.values(metadata.toJSON())[0]!.push('3')],
  ])('is the same for others whatever one does with a copy: %s', (_what, change) => {
    const first = Metadata.fromFields(fields);
    const [second, third] = [first.clone(), first.clone()];
    change(second);
    expect([first.toJSON(), third.toJSON(), third.clone().toJSON()]).toEqual([all, all, all]);
    change(first);
    expect([third.toJSON(), first.toJSON()]).toEqual([all, second.toJSON()]);
  });

  it('goes out as it came, with bytes as they are written here', () => {
    const metadata = Metadata.fromFields(fields);
    metadata.add('b-bin', Buffer.from([2]));
    expect(fieldsOf(metadata)).toEqual(['a', '1', 'a', '2', 'b-bin', 'AP8', 'b-bin', 'AQ', 'b-bin', 'Ag']);
    expect(metadata.getMap()).toEqual({ a: '1', 'b-bin': Buffer.from([0, 255]) });
  });
});

describe('fields of metadata', () => {
  it('are names and values in turn, bytes in base64 without padding', () => {
    const metadata = new Metadata();
    metadata.add('a', '1');
    metadata.add('a', ' 2 ');
    metadata.set('b-bin', Buffer.from([0, 255]));
    expect(fieldsOf(metadata)).toEqual(['a', '1', 'a', '2', 'b-bin', 'AP8']);
    expect([fieldsOf(undefined), fieldsOf(null), fieldsOf(new Metadata())]).toEqual([[], [], []]);
  });

  it('are those of grpc-js too', () => {
    // It gives lists, with bytes in base64 already.
    expect(fieldsOf(like({ a: ['1', '2'], 'b-bin': ['AP8='] }))).toEqual(['a', '1', 'a', '2', 'b-bin', 'AP8=']);
    expect(fieldsOf(like({ a: 'one', b: 7, c: new Uint8Array([1]) }))).toEqual(['a', 'one', 'b', '7', 'c', 'AQ']);
  });

  it('are none of those that the protocols have for themselves', () => {
    const own = ['grpc-status', 'grpc-message', 'grpc-timeout', 'grpc-encoding', 'grpc-accept-encoding'];
    const http = ['content-type', 'te', 'user-agent', 'content-length', 'host'];
    for (const key of [...own, ...http])
      expect([key, fieldsOf(like({ [key]: 'x', a: 'b' }))]).toEqual([key, ['a', 'b']]);
    expect(fieldsOf(like({ 'grpc-previous-rpc-attempts': '1' }))).toEqual(['grpc-previous-rpc-attempts', '1']);
    for (const key of ['ten', 'hosts', 'x-te', 'content-types'])
      expect(fieldsOf(like({ [key]: 'x' }))).toEqual([key, 'x']);
  });

  it('are no pseudo-header fields, and none that only HTTP/1 has', () => {
    for (const key of [':status', ':path', ':foo', 'a:b', 'a:'])
      expect(fieldsOf(like({ [key]: 'x', a: 'b' }))).toEqual(['a', 'b']);
    for (const key of ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']) {
      const metadata = new Metadata();
      metadata.set(key, 'x');
      expect([key, fieldsOf(metadata)]).toEqual([key, []]);
    }
    expect(fieldsOf(like({ upgrades: 'x' }))).toEqual(['upgrades', 'x']);
  });
});
