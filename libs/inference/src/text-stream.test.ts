import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { TextStream } from './text-stream.js';
import { Tokenizer } from './tokenizer.js';

const tokenizer = Tokenizer.load(fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url)))!;

function stream(text: string, stop: readonly string[] = []): { pieces: string[]; stopped: boolean } {
  const out = new TextStream(tokenizer, stop);
  const pieces = tokenizer.encode(text).map((id) => out.push(id));
  pieces.push(out.finish());
  return { pieces, stopped: out.stopped };
}

test('the pieces of a stream join to the decoded text, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      assert.equal(stream(text).pieces.join(''), tokenizer.decode(tokenizer.encode(text)));
    }),
  );
});

test('no piece holds half a character', () => {
  for (const piece of stream('naïve 猫 🎉 done').pieces) assert.ok(!piece.includes('\uFFFD'), JSON.stringify(piece));
});

test('a stop string and what follows it never leave', () => {
  const { pieces, stopped } = stream('one two three four', ['three']);
  assert.equal(pieces.join(''), 'one two ');
  assert.equal(stopped, true);
});

test('whatever the stop string and however tokens cut it, the text ends where it first appears', () => {
  const text = tokenizer.decode(
    tokenizer.encode('Mara Copper went over the bridge, zzyzx qwvk, and Mara came back again.'),
  );
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 12 }), (start, length) => {
      const stop = text.slice(start, start + length);
      const { pieces, stopped } = stream(text, [stop]);
      assert.equal(pieces.join(''), text.slice(0, text.indexOf(stop)));
      assert.equal(stopped, true);
    }),
  );
});

test('text that only begins like a stop string comes out in the end', () => {
  const { pieces, stopped } = stream('a thre', ['three']);
  assert.equal(pieces.join(''), 'a thre');
  assert.equal(stopped, false);
});

test('without a tokenizer there is no text', () => {
  const out = new TextStream(undefined);
  assert.equal(out.push(5) + out.finish(), '');
});
