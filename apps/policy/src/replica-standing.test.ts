import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaStanding, type ToldVersion } from './replica-standing.js';

/** A standing whose clock is set by hand, in seconds. */
function standingAt(): { standing: ReplicaStanding; clock: { seconds: number } } {
  const clock = { seconds: 0 };
  return { standing: new ReplicaStanding(() => 1000 * clock.seconds), clock };
}

/** A version of the nth stream; its time is that of the process that has it. */
const told = (version: number, stream = 1, updatedAt = `t${version}`): ToldVersion => ({ version, stream, updatedAt });

test('the lag counts from the start until the first policy, then from each version until it is served', () => {
  const { standing, clock } = standingAt();
  clock.seconds = 3;
  assert.equal(standing.lagSeconds(), 3);
  assert.equal(standing.told(told(5)), true);
  clock.seconds = 4;
  assert.equal(standing.lagSeconds(), 4);
  assert.equal(standing.took(5, told(5)), false);
  assert.equal(standing.lagSeconds(), 0);
  clock.seconds = 10;
  standing.told(told(6));
  clock.seconds = 11;
  standing.told(told(7));
  clock.seconds = 13;
  assert.equal(standing.lagSeconds(), 3);
  assert.equal(standing.versionsBehind(), 2);
  standing.took(6, told(6));
  assert.equal(standing.lagSeconds(), 2);
  standing.took(7, told(7));
  assert.equal(standing.lagSeconds(), 0);
  assert.equal(standing.versionsBehind(), 0);
});

test('a stream that ends starts the lag; the same version on the next one ends it without a fetch', () => {
  const { standing, clock } = standingAt();
  standing.told(told(5));
  standing.took(5, told(5));
  standing.broke();
  clock.seconds = 2;
  standing.broke(); // another attempt
  clock.seconds = 4;
  assert.equal(standing.lagSeconds(), 4);
  assert.equal(standing.told(told(5, 3)), false);
  assert.equal(standing.lagSeconds(), 0);
});

test('a version that came while the stream was broken has been out since it broke', () => {
  const { standing, clock } = standingAt();
  standing.told(told(5));
  standing.took(5, told(5));
  clock.seconds = 1;
  standing.broke();
  clock.seconds = 9;
  assert.equal(standing.told(told(6, 2)), true);
  assert.equal(standing.lagSeconds(), 8);
});

test('a newer policy than the one that was told of is not fetched again when it is told', () => {
  const { standing } = standingAt();
  standing.told(told(5));
  standing.took(7, told(5));
  assert.equal(standing.told(told(6)), false);
  assert.equal(standing.told(told(7)), false);
  standing.broke();
  assert.equal(standing.told(told(7, 2)), false, 'its time is known by now');
});

test('on a new stream the number alone tells nothing: another time is another policy, an older number is taken', () => {
  const { standing } = standingAt();
  standing.told(told(5));
  standing.took(5, told(5));
  assert.equal(standing.told(told(5, 2, 'later')), true);
  assert.equal(standing.took(5, told(5, 2, 'later')), false);
  assert.equal(standing.told(told(2, 3, 'later still')), true);
  assert.equal(standing.took(2, told(2, 3, 'later still')), true);
  assert.equal(standing.lagSeconds(), 0);
});

test('a policy fetched for a stream that is over does not count as that of the next', () => {
  const { standing, clock } = standingAt();
  standing.told(told(5));
  standing.told(told(5, 2, 'later'));
  clock.seconds = 1;
  standing.took(5, told(5));
  assert.equal(standing.lagSeconds(), 1);
  assert.equal(standing.isTaken(told(5, 2, 'later')), false);
});

test('a learner without a policy is not asked for one, and is not up to date with', () => {
  const { standing, clock } = standingAt();
  standing.tookOther(9);
  assert.equal(standing.told(told(0)), false);
  clock.seconds = 5;
  assert.equal(standing.lagSeconds(), 5);
  assert.equal(standing.told(told(9)), true, 'a checkpoint of the same number may be another policy');
});

test('a thousand versions that cannot be had keep the time of the first', () => {
  const { standing, clock } = standingAt();
  standing.told(told(1));
  standing.took(1, told(1));
  for (let version = 2; version < 1000; version++) {
    clock.seconds++;
    standing.told(told(version));
  }
  assert.equal(standing.lagSeconds(), clock.seconds - 1);
  standing.took(999, told(999));
  assert.equal(standing.lagSeconds(), 0);
});
