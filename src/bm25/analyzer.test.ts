import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../base/index.ts';
import { analyze, analyzerNamed, STOPWORDS } from './analyzer.ts';
import { porterStem } from './porter.ts';
import { CLASSES, RUNS } from './unicode.ts';
import { MAX_TOKEN_UNITS, words } from './words.ts';

/** Properties of a code point, read from the table without the scanner. */
function propertiesOf(point: number): string[] {
  let at = 0;
  for (const run of RUNS.split(',')) {
    at += run.length === 1 ? 1 : Number.parseInt(run.slice(1), 36);
    if (point < at) return CLASSES[Number.parseInt(run[0]!, 36)]!.split(' ');
  }
  throw new RangeError(String(point));
}

const TOKEN_PROPERTIES = [
  'Han',
  'Hiragana',
  'ComplexContext',
  'ALetter',
  'HebrewLetter',
  'Katakana',
  'Numeric',
];

/** Which segments of UAX #29 are tokens: Lucene's rule in its own test of WordBreakTest.txt. */
function isToken(segment: string): boolean {
  const points = [...segment].map(point => propertiesOf(point.codePointAt(0)!));
  return (
    points.some(properties => properties.some(name => TOKEN_PROPERTIES.includes(name))) ||
    points.filter(properties => properties.includes('RegionalIndicator')).length === 2
  );
}

/**
 * The representatives of the official WordBreakTest, less those where Lucene departs from UAX #29 (emoji, quotes after Hebrew letters) and
 * the scripts for which ICU uses a dictionary. \p{Format}, \p{Extend} and U+200D stand for the marks of WB4.
 */
const REPRESENTATIVES = [
  ...[
    '\u0001',
    '\r',
    '\n',
    '\v',
    '\u3031',
    'A',
    'a',
    'é',
    ':',
    '\u00b7',
    ',',
    ';',
    '.',
    '\u2018',
    "'",
    '0',
    '9',
  ],
  ...[
    '_',
    '\u203f',
    '\u{1f1e6}',
    '\u{1f1e7}',
    ' ',
    '\u00ad',
    '\u2060',
    '\u0308',
    '\u0300',
    '\u200d',
    '-',
    '\uff10',
    '\u30ab',
  ],
];
const icu = new Intl.Segmenter('en', { granularity: 'word' });
const tokensOfIcu = (text: string) => [...icu.segment(text)].map(part => part.segment).filter(isToken);

test('words are the word segments of UAX #29: every pair of representatives, with and without a mark between', () => {
  for (const a of REPRESENTATIVES)
    for (const b of REPRESENTATIVES)
      for (const text of [a + b, `${a}\u0308${b}`])
        assert.deepEqual(words(text), tokensOfIcu(text), JSON.stringify(text));
});

test('words are the word segments of UAX #29: random strings', () => {
  const text = fc.array(fc.constantFrom(...REPRESENTATIVES), { maxLength: 12 }).map(parts => parts.join(''));
  fc.assert(
    fc.property(text, t => assert.deepEqual(words(t), tokensOfIcu(t))),
    { numRuns: 3000 },
  );
});

test('words where Lucene keeps more than a segment, or less', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['東京へ行く', ['東', '京', 'へ', '行', 'く']], // ideographs and hiragana one by one
    ['カタカナ', ['カタカナ']],
    ['ภาษาไทย', ['ภาษาไทย']], // South-East Asian runs whole
    ['훈민정음 한글', ['훈민정음', '한글']],
    ["א'ב", ["א'ב"]],
    ['צה"ל ה"ל', ['צה"ל', 'ה"ל']],
    ['a.א"ב', ['a.א', 'ב']], // the letter after the dot belongs to it, and cannot begin a quoted pair
    ["א' x", ["א'", 'x']],
    ['👩\u200d👩\u200d👧\u200d👧!', ['👩\u200d👩\u200d👧\u200d👧']],
    ['👍🏽👍', ['👍🏽', '👍']],
    ['\u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7}\u{1f1e9}', ['\u{1f1e9}\u{1f1ea}', '\u{1f1eb}\u{1f1f7}']],
    ['#\ufe0f\u20e3 #', ['#\ufe0f\u20e3']],
    [
      '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      ['\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'],
    ],
    ['© 2020 ™', ['©', '2020', '™']],
    ['__ _a_ a__b', ['_a_', 'a__b']],
    [
      "O'Neill's 3.14 1,000.5 v1.2a x.y a:b i.b.m. e-mail",
      ["O'Neill's", '3.14', '1,000.5', 'v1.2a', 'x.y', 'a:b', 'i.b.m', 'e', 'mail'],
    ],
    ['1.a a.1 1,a', ['1', 'a', 'a', '1', '1', 'a']],
    ['\ud800a\udc00', ['a']], // lone surrogates are no letters
    ['', []],
  ];
  for (const [text, expected] of cases) assert.deepEqual(words(text), expected, text);
});

test('a token is cut at 255 units, never within a character', () => {
  const letters = 'x'.repeat(600);
  assert.deepEqual(
    words(letters).map(w => w.length),
    [255, 255, 90],
  );
  const astral = '\u{10400}'.repeat(200); // two units each
  assert.deepEqual(
    words(astral).map(w => w.length),
    [254, 146],
  );
  assert.deepEqual(words(`${'x'.repeat(254)}.yz`), ['x'.repeat(254), 'yz']); // the dot does not end a token
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), text => {
      for (const word of words(text + text)) assert.ok(word.length <= MAX_TOKEN_UNITS);
    }),
  );
});

test("Porter stems equal the author's program, on words that use every rule (bench/peers/porter.py)", () => {
  const golden = new URL('../../tests/golden/porter.tsv', import.meta.url);
  const lines = readFileSync(golden, 'utf8').trim().split('\n');
  assert.ok(lines.length > 500);
  for (const line of lines) {
    const [word, stem] = line.split('\t');
    assert.equal(porterStem(word!), stem, word);
  }
});

const english = (text: string) => analyze(analyzerNamed('english'), text);
const plain = (text: string) => analyze(analyzerNamed('plain'), text);

test('the English analyzer: possessives, lower case, stopwords, stems', () => {
  assert.equal(STOPWORDS.size, 33);
  assert.deepEqual(english("The Quick brown fox's dogs were RUNNING, not walking."), [
    ...['quick', 'brown', 'fox', 'dog', 'were', 'run', 'walk'],
  ]);
  assert.deepEqual(english("O'Neill's Children’s JAMES\uff07S it's"), ["o'neil", 'children', 'jame']);
  assert.deepEqual(english('Into Such There'), []);
  assert.deepEqual(english('BRCA1 p53 IL-2 0.5 1990s'), ['brca1', 'p53', 'il', '2', '0.5', '1990']);
  assert.deepEqual(english("x's s"), ['x', 's']);
});

test('lower case goes one code point at a time, as Java has it', () => {
  assert.deepEqual(plain('ΟΔΟΣ İstanbul STRASSE straße \u{10400}'), [
    'οδοσ',
    'istanbul',
    'strasse',
    'straße',
    '\u{10428}',
  ]);
  assert.deepEqual(plain("The Cat's"), ['the', "cat's"]);
});

test('an unknown analyzer is refused with the names there are', () => {
  assert.throws(() => analyzerNamed('german'), InputError);
  assert.throws(() => analyzerNamed('german'), /english, plain/);
});
