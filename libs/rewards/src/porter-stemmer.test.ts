import assert from 'node:assert/strict';
import test from 'node:test';
import { porterStem } from './porter-stemmer.js';

test("NLTK's extensions are in force where it departs from the paper", () => {
  const stems = {
    flies: 'fli',
    dies: 'die',
    died: 'die',
    spied: 'spi',
    enjoy: 'enjoy',
    happy: 'happi',
    always: 'alway',
    skies: 'sky',
    dying: 'die',
    news: 'news',
    proceed: 'proceed',
    innings: 'inning',
    carefully: 'care',
    geology: 'geolog',
    possibly: 'possibl',
    logically: 'logic',
    owed: 'owe',
    as: 'as',
  };
  for (const [word, stem] of Object.entries(stems)) assert.equal(porterStem(word), stem, word);
});

test("the paper's own examples hold", () => {
  const stems = {
    caresses: 'caress',
    ponies: 'poni',
    feed: 'feed',
    agreed: 'agre',
    plastered: 'plaster',
    motoring: 'motor',
    sing: 'sing',
    conflated: 'conflat',
    troubled: 'troubl',
    hopping: 'hop',
    falling: 'fall',
    hissing: 'hiss',
    filing: 'file',
    relational: 'relat',
    conditional: 'condit',
    vietnamization: 'vietnam',
    formality: 'formal',
    triplicate: 'triplic',
    electrical: 'electr',
    goodness: 'good',
    revival: 'reviv',
    adjustment: 'adjust',
    adoption: 'adopt',
    probate: 'probat',
    rate: 'rate',
    controlling: 'control',
    roll: 'roll',
  };
  for (const [word, stem] of Object.entries(stems)) assert.equal(porterStem(word), stem, word);
});

test('a word of a hundred thousand letters is stemmed', () => {
  assert.equal(porterStem(`${'y'.repeat(100_000)}ational`), 'y'.repeat(100_000));
});
