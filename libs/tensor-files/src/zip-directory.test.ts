import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import * as fc from 'fast-check';
import { makeZip } from './torch.fixture.js';
import { readZipDirectory, type ZipMember } from './zip-directory.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-zip-'));
after(() => rmSync(folder, { recursive: true }));

function read(bytes: Uint8Array): Map<string, ZipMember> {
  const path = join(folder, 'x.zip');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  try {
    return readZipDirectory(fd, bytes.byteLength, 'x.zip');
  } finally {
    closeSync(fd);
  }
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const two = [
  { name: 'r/a', data: bytesOf('first') },
  { name: 'r/b', data: bytesOf('second') },
];

test('the data of each member lies where the directory says', () => {
  const zip = makeZip(two);
  const members = read(zip);
  assert.deepEqual([...members.keys()], ['r/a', 'r/b']);
  for (const { name, data } of two) {
    const { offset, byteLength } = members.get(name)!;
    assert.deepEqual(new Uint8Array(zip.subarray(offset, offset + byteLength)), data);
  }
});

test('a directory of 64-bit records is read, and one that differs from the 32-bit record is refused', () => {
  const zip = makeZip(two);
  const end = zip.length - 22;
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(2n, 24);
  record.writeBigUInt64LE(2n, 32);
  record.writeBigUInt64LE(BigInt(zip.readUInt32LE(end + 12)), 40);
  record.writeBigUInt64LE(BigInt(zip.readUInt32LE(end + 16)), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(end), 8);
  locator.writeUInt32LE(1, 16);
  const small = Buffer.from(zip.subarray(end));
  const whole = () => Buffer.concat([zip.subarray(0, end), record, locator, small]);
  assert.equal(read(whole()).size, 2);
  small.fill(0xff, 8, 20);
  assert.equal(read(whole()).size, 2);
  small.writeUInt16LE(1, 10);
  assert.throws(() => read(whole()), { code: 'DATA_LOSS', message: /two zip directories differ/ });
  small.writeUInt16LE(0xffff, 10);
  record.writeBigUInt64LE(2n ** 63n, 48);
  assert.throws(() => read(whole()), { code: 'DATA_LOSS', message: /zip offset of 9223372036854775808 is too large/ });
});

test('compressed, encrypted, overlapping, doubled and misplaced members are refused by their name', () => {
  const [a, b] = two as [(typeof two)[0], (typeof two)[0]];
  const cases: [string, Uint8Array, string, RegExp][] = [
    ['deflated', makeZip([{ ...a, method: 8 }]), 'FAILED_PRECONDITION', /"r\/a" is compressed \(method 8\)/],
    ['encrypted', makeZip([{ ...a, flags: 1 }]), 'FAILED_PRECONDITION', /"r\/a" is encrypted/],
    ['twice', makeZip([a, a]), 'DATA_LOSS', /"r\/a" is there twice/],
    ['one header for two', makeZip([a, { ...b, name: a.name, told: { header: 0 } }]), 'DATA_LOSS', /overlaps/],
    ['too long', makeZip([{ ...a, told: { byteLength: 40 } }, b]), 'DATA_LOSS', /"r\/b" overlaps/],
    ['into the directory', makeZip([{ ...a, told: { byteLength: 100 } }]), 'DATA_LOSS', /reaches into the directory/],
    ['size 2^32 - 1', makeZip([{ ...a, told: { byteLength: 0xffffffff } }]), 'DATA_LOSS', /has no 64-bit size/],
    ['header outside', makeZip([{ ...a, told: { header: 1 << 30 } }]), 'DATA_LOSS', /lies outside the file/],
    ['header elsewhere', makeZip([{ ...a, told: { header: 3 } }]), 'DATA_LOSS', /differs from the directory/],
    ['two names', makeZip([{ ...a, told: { localName: 'r/z' } }]), 'DATA_LOSS', /differs from the directory/],
    ['text', bytesOf('PK, but not a zip file at all, however long'), 'DATA_LOSS', /no zip directory/],
    ['empty', new Uint8Array(), 'DATA_LOSS', /no zip directory/],
    ['in front of it', Buffer.concat([Buffer.alloc(7), makeZip(two)]), 'DATA_LOSS', /not where it should be/],
  ];
  for (const [title, bytes, code, message] of cases) {
    assert.throws(() => read(bytes), { code, message }, title);
  }
});

test('names are data: one that climbs out of a folder is a name like any other', () => {
  assert.deepEqual([...read(makeZip([{ name: '../../etc/x', data: bytesOf('') }])).keys()], ['../../etc/x']);
});

test('a directory that announces 65535 members of nothing is refused', () => {
  const zip = makeZip(two);
  zip.writeUInt16LE(0xffff, zip.length - 12);
  assert.throws(() => read(zip), { code: 'DATA_LOSS' });
});

test('a zip file cut anywhere, or with any bytes changed, is read or refused', () => {
  const zip = makeZip(two);
  const check = (bytes: Uint8Array): void => {
    try {
      read(bytes);
    } catch (error) {
      assert.ok(isA2sfError(error) && ['DATA_LOSS', 'FAILED_PRECONDITION'].includes(error.code), String(error));
    }
  };
  for (let length = 0; length < zip.length; length++) {
    assert.throws(() => read(zip.subarray(0, length)), { code: 'DATA_LOSS' });
  }
  const anyChange = fc.tuple(fc.nat(zip.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(anyChange, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(zip);
      for (const [at, byte] of changes) bytes[at] = byte;
      check(bytes);
    }),
    { numRuns: 1000 },
  );
});
