import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VersionFeed } from './version-feed.js';

test('a watcher gets the current version and each new one, and ends with its signal', async () => {
  const feed = new VersionFeed();
  feed.publish(3, 0);
  const stop = new AbortController();
  const drain = new AbortController();
  const seen: number[] = [];
  for await (const { policyVersion } of feed.watch([stop.signal, drain.signal])) {
    seen.push(policyVersion);
    if (policyVersion === 3) queueMicrotask(() => feed.publish(4, 1));
    if (policyVersion === 4) {
      feed.publish(4, 1); // not newer
      feed.publish(5, 2);
    }
    if (policyVersion === 5) setImmediate(() => drain.abort());
  }
  assert.deepEqual(seen, [3, 4, 5]);
});

test('a watcher that does not read keeps the newest versions only', async () => {
  const feed = new VersionFeed();
  const stop = new AbortController();
  const watcher = feed.watch([stop.signal]);
  await watcher.next();
  for (let version = 1; version <= 1000; version++) feed.publish(version, version);
  const seen: number[] = [];
  for await (const { policyVersion } of watcher) {
    seen.push(policyVersion);
    if (policyVersion === 1000) stop.abort();
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 64 }, (_, i) => 937 + i),
  );
});
