import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import * as fc from 'fast-check';
import { readPickle } from './pickle-reader.js';
import { PickleCall, PickleGlobal, PickleObject, PickleReference, type PickleValue } from './pickle-value.js';
import { pickledText } from './torch.fixture.js';

const calls = new Set(['lib.rebuild']);
const read = (opcodes: string | Uint8Array): PickleValue =>
  readPickle(typeof opcodes === 'string' ? Buffer.from(opcodes, 'latin1') : opcodes, { file: 'data.pkl', calls });

/**
 * What Python 3.11 writes at each protocol, 0 first, for {'n': [0, -1, 300, 70000, 2**40, -2**70, 1.5, float('inf'), True,
 * False, None], 't': ('é\u4e2d\\', ()), 'd': {1: 'x', (1, 2): []}}.
 */
const writtenByPython = [
  'KGRwMApWbgpwMQoobHAyCkkwCmFJLTEKYUkzMDAKYUk3MDAwMAphTDEwOTk1MTE2Mjc3NzZMCmFMLTExODA1OTE2MjA3MTc0MTEzMDM0MjRMCmFGMS41CmFGaW5mCmFJMDEKYUkwMAphTmFzVnQKcDMKKFbpXHU0ZTJkXHUwMDVjCnA0Cih0dHA1CnNWZApwNgooZHA3CkkxClZ4CnA4CnMoSTEKSTIKdHA5CihscDEwCnNzLg==',
  'fXEAKFgBAAAAbnEBXXECKEsASv////9NLAFKcBEBAEwxMDk5NTExNjI3Nzc2TApMLTExODA1OTE2MjA3MTc0MTEzMDM0MjRMCkc/+AAAAAAAAEd/8AAAAAAAAEkwMQpJMDAKTmVYAQAAAHRxAyhYBgAAAMOp5LitXHEEKXRxBVgBAAAAZHEGfXEHKEsBWAEAAAB4cQgoSwFLAnRxCV1xCnV1Lg==',
  'gAJ9cQAoWAEAAABucQFdcQIoSwBK/////00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAwEc/+AAAAAAAAEd/8AAAAAAAAIiJTmVYAQAAAHRxA1gGAAAAw6nkuK1ccQQphnEFWAEAAABkcQZ9cQcoSwFYAQAAAHhxCEsBSwKGcQldcQp1dS4=',
  'gAN9cQAoWAEAAABucQFdcQIoSwBK/////00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAwEc/+AAAAAAAAEd/8AAAAAAAAIiJTmVYAQAAAHRxA1gGAAAAw6nkuK1ccQQphnEFWAEAAABkcQZ9cQcoSwFYAQAAAHhxCEsBSwKGcQldcQp1dS4=',
  'gASVagAAAAAAAAB9lCiMAW6UXZQoSwBK/////00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAwEc/+AAAAAAAAEd/8AAAAAAAAIiJTmWMAXSUjAbDqeS4rVyUKYaUjAFklH2UKEsBjAF4lEsBSwKGlF2UdXUu',
  'gAWVagAAAAAAAAB9lCiMAW6UXZQoSwBK/////00sAUpwEQEAigYAAAAAAAGKCQAAAAAAAAAAwEc/+AAAAAAAAEd/8AAAAAAAAIiJTmWMAXSUjAbDqeS4rVyUKYaUjAFklH2UKEsBjAF4lEsBSwKGlF2UdXUu',
].map((text) => Buffer.from(text, 'base64'));

test('what Python writes is read alike at every protocol', () => {
  for (const bytes of writtenByPython) {
    const value = read(bytes);
    assert.ok(value instanceof Map);
    assert.deepEqual([...value.keys()], ['n', 't', 'd']);
    assert.deepEqual(value.get('n'), [0, -1, 300, 70000, 2 ** 40, -(2n ** 70n), 1.5, Infinity, true, false, null]);
    assert.deepEqual(value.get('t'), ['é中\\', []]);
    const dict = value.get('d');
    assert.ok(dict instanceof Map);
    assert.deepEqual(
      [...dict],
      [
        [1, 'x'],
        [[1, 2], []],
      ],
    );
  }
});

test('calls that were asked for, instances and ids are kept as records', () => {
  assert.deepEqual(read('clib\nrebuild\n(I1\nI2\ntR.'), new PickleCall('lib.rebuild', [1, 2]));
  const instance = read(`cRL.main\nConfig\n)\x81}${pickledText('lr')}G\x3f\xe0\0\0\0\0\0\0sb.`);
  assert.ok(instance instanceof PickleObject);
  assert.equal(instance.className, 'RL.main.Config');
  assert.deepEqual(instance.state, new Map([['lr', 0.5]]));
  assert.deepEqual(read('I7\nQ.'), new PickleReference(7));
  assert.deepEqual(read('clib\nThing\n.'), new PickleGlobal('lib.Thing'));
  assert.deepEqual(read('ccollections\nOrderedDict\n)RI1\nI2\ns}b.'), new Map([[1, 2]]));
  assert.deepEqual(read('ccollections\nOrderedDict\n((lp0\n(lp1\nI1\naI2\naatR.'), new Map([[1, 2]]));
});

test('a pickle that names code is refused by that name, however it would be called, and nothing is run', () => {
  const run = globalThis as { pickled?: boolean };
  const text = pickledText;
  const cases: [string, string][] = [
    ['os.system', 'cos\nsystem\n(Vecho x\ntR.'],
    ['posix.system', 'cposix\nsystem\n(Vecho x\ntR.'],
    ['nt.system', 'cnt\nsystem\n.'],
    ['builtins.eval', `\x80\x04\x8c\x08builtins\x8c\x04eval\x93(${text('globalThis.pickled = true')}tR.`],
    ['__builtin__.eval', '(Vx\ni__builtin__\neval\n.'],
    ['os.path.join', 'cos.path\njoin\n)\x81.'],
    ['subprocess.Popen', 'csubprocess\nPopen\n)\x81}b.'],
    ['torch.hub.load', '(ctorch.hub\nload\nVx\no.'],
    ['lib.other', 'clib\nother\n)R.'],
    ['_codecs.encode', 'c_codecs\nencode\n(Vx\nVlatin1\ntR.'],
    ['copyreg._reconstructor', 'ccopyreg\n_reconstructor\n(cRL.main\nConfig\nNtR.'],
    ['x".y', 'cx"\ny\n)R.'],
  ];
  for (const [name, opcodes] of cases) {
    assert.throws(
      () => read(opcodes),
      (error) => {
        assert.ok(isA2sfError(error), name);
        assert.deepEqual([error.code, error.reason], ['FAILED_PRECONDITION', 'pickle-runs-code'], name);
        assert.ok(error.message.startsWith(`data.pkl: pickle: it names ${JSON.stringify(name)}, which is code`), name);
        return true;
      },
    );
  }
  assert.equal(run.pickled, undefined);
});

test('what is broken, too large or no plain data is DATA_LOSS', () => {
  const nested = 100_000;
  const le = (value: bigint) => Buffer.from(BigUint64Array.of(value).buffer).toString('latin1');
  const cases: [string, string, RegExp][] = [
    ['lists in lists', `${']'.repeat(nested)}${'a'.repeat(nested - 1)}.`, /nested deeper than 64/],
    ['tuples in tuples', `)${'\x85'.repeat(nested)}.`, /nested deeper than 64/],
    ['marks', `${'('.repeat(nested)}${'t'.repeat(nested)}.`, /nested deeper than 64/],
    ['dicts in dicts', `${'}I1\n'.repeat(nested)}N${'s'.repeat(nested)}.`, /nested deeper than 64/],
    ['a deep key, twice', `})${'\x85'.repeat(nested)}q\0Nsh\0Ns.`, /a dict is there twice/],
    ['a list in itself', ']q\0h\0a.', /holds itself/],
    ['a dict in itself', '}q\0I1\n]h\0as.', /holds itself/],
    ['a shared chain too deep', `)${'\x85'.repeat(40)}q\0${'\x85'.repeat(40)}q\x01(h\0h\x01t.`, /nested deeper/],
    ['two million opcodes', `N${'N0'.repeat(1_000_000)}.`, /more than 1000000 opcodes/],
    ['text of 4 GiB', 'X\xff\xff\xff\xff.', /4294967295 bytes are announced/],
    ['text of 2^63', `\x8d${le(2n ** 63n)}.`, /9223372036854775808 bytes are announced/],
    ['frame of 2^62', `\x80\x04\x95${le(2n ** 62n)}.`, /are announced/],
    ['an integer of 2^31 bytes', '\x8b\xff\xff\xff\x7f.', /over the limit of 64/],
    ['digits without end', `I${'1'.repeat(10_000)}\n.`, /no whole number/],
    ['memo that holds nothing', 'h\x05.', /memo 5 holds nothing/],
    ['nothing', '', /announced/],
    ['no end', 'N', /announced/],
    ['an empty stack', '.', /empty stack/],
    ['a mark as a value', '(.', /empty stack/],
    ['a tuple that grows', ')Na.', /what is no list/],
    ['items of a list', ']I1\nI2\ns.', /what is no dict/],
    ['an odd item', '}(I1\nu.', /what is no dict/],
    ['a list as a key', '}]Ns.', /no constant/],
    ['a key twice', '}Vx\nNsVx\nNs.', /key "x" is there twice/],
    ['state of a list', '](b.', /empty stack|no instance/],
    ['a call of a number', 'I1\n)R.', /no function/],
    ['an instance of a number', 'I1\n)\x81.', /no class/],
    ['an extension', '\x82\x01.', /opcode 0x82/],
    ['a set', '\x8f.', /opcode 0x8f/],
    ['a buffer from outside', '\x97.', /opcode 0x97/],
    ['protocol 6', '\x80\x06N.', /protocol 6/],
    ['not UTF-8', 'X\x01\0\0\0\xff.', /not UTF-8/],
  ];
  for (const [title, opcodes, message] of cases) {
    assert.throws(
      () => read(opcodes),
      (error) => {
        assert.ok(isA2sfError(error), `${title}: ${String(error)}`);
        assert.equal(error.code, 'DATA_LOSS', title);
        assert.match(error.message, /^data\.pkl: /, title);
        assert.match(error.message, message, title);
        assert.ok(error.message.length < 300, title);
        return true;
      },
    );
  }
  assert.throws(() => read(Buffer.alloc((16 << 20) + 1)), { code: 'DATA_LOSS', message: /over the limit/ });
});

test('a value that is shared a million times over is read in the size that it has', () => {
  const doubled = `]${'q\0]h\0ah\0a'.repeat(30)}.`; // 2^30 paths to the innermost list
  assert.ok(Array.isArray(read(doubled)));
});

test('random and damaged pickles are read or refused, nothing else', () => {
  const check = (bytes: Uint8Array): void => {
    try {
      read(bytes);
    } catch (error) {
      assert.ok(isA2sfError(error) && ['DATA_LOSS', 'FAILED_PRECONDITION'].includes(error.code), String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), check), { numRuns: 2000 });
  const opcodes = [...Buffer.from('(.012FIJKLMNPQRSTUVXabcdeghijlopqrstu]})')];
  const anyOpcodes = fc.array(fc.constantFrom(...opcodes, 0x80, 0x81, 0x85, 0x86, 0x88, 0x93, 0x94, 10, 49));
  fc.assert(
    fc.property(anyOpcodes, (bytes) => check(Uint8Array.from([...bytes, 46]))),
    { numRuns: 5000 },
  );
  const anyChange = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(fc.constantFrom(...writtenByPython), anyChange, fc.nat(), (bytes, [at, byte], cut) => {
      const changed = Uint8Array.from(bytes);
      changed[at % changed.length] = byte;
      check(changed);
      check(bytes.subarray(0, cut % bytes.length));
    }),
    { numRuns: 2000 },
  );
});
