import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AccessControl, type AccessOptions, type Credentials } from './access-control.js';
import { TokenSet } from './bearer-tokens.js';

const update = '/a2sf.policy.v1.PolicyService/Update';
const select = '/a2sf.policy.v1.PolicyService/SelectAction';
const health = '/grpc.health.v1.Health/Check';
const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const restricted = { methods: ['Update'], to: ['trainer'], flag: 'trainers' };
const tokens = new TokenSet(['right']);

function reasons(o: Partial<AccessOptions>, given: Partial<Credentials>): (string | undefined)[] {
  const control = new AccessControl({ clientAuth: undefined, tokens: () => undefined, restricted, ...o });
  const credentials = { authorization: undefined, names: undefined, ...given };
  return [health, reflection, select, update].map((path) => control.refusal(path, credentials)?.reason);
}

/** The same reason for everything but health checks. */
const allBut = (reason: string) => [undefined, reason, reason, reason];
const none = [undefined, undefined, undefined, undefined];

describe('who may call what', () => {
  test('everybody everything, without TLS and tokens', () => {
    assert.deepEqual(reasons({}, {}), none);
  });

  test('who has a certificate, but restricted methods only with one of their names', () => {
    for (const clientAuth of ['require', 'request'] as const) {
      assert.deepEqual(reasons({ clientAuth }, {}), allBut('no-certificate'));
      assert.deepEqual(reasons({ clientAuth }, { names: [] }), [...none.slice(1), 'not-allowed']);
      assert.deepEqual(reasons({ clientAuth }, { names: ['a', 'trainers'] }), [...none.slice(1), 'not-allowed']);
      assert.deepEqual(reasons({ clientAuth }, { names: ['a', 'trainer'] }), none);
      assert.deepEqual(reasons({ clientAuth, restricted: undefined }, { names: [] }), none);
    }
  });

  test('nobody restricted methods where certificates are not asked for', () => {
    assert.deepEqual(reasons({ clientAuth: 'none' }, {}), [...none.slice(1), 'no-certificate']);
  });

  test('who has a token, beside a certificate', () => {
    const o = { tokens: () => tokens };
    for (const authorization of [undefined, '', 'right', 'Bearer', 'Bearer wrong', 'Bearer right x', 'Basic right']) {
      assert.deepEqual(reasons(o, { authorization }), allBut('bad-token'), authorization);
    }
    const authorization = 'Bearer right';
    assert.deepEqual(reasons(o, { authorization }), none);
    assert.deepEqual(reasons(o, { authorization: 'bearer right' }), none);
    const both = { ...o, clientAuth: 'request' } as const;
    assert.deepEqual(reasons(both, { authorization }), allBut('no-certificate'));
    assert.deepEqual(reasons(both, { names: ['trainer'] }), allBut('bad-token'));
    assert.deepEqual(reasons(both, { authorization, names: ['trainer'] }), none);
  });
});
