import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-cli-text-'));
after(() => rm(root, { recursive: true }));
const at = (name: string) => join(root, name);

const lines = Array.from({ length: 300 }, (_, i) => ({
  body: `line ${i} of a small corpus about ${i % 7} dogs`,
}));
await writeFile(at('corpus.jsonl'), lines.map(line => JSON.stringify(line)).join('\n'));

async function run(...argv: readonly string[]) {
  const io = testIo();
  const code = await runProgram(argv, io);
  return { code, out: io.stdout(), log: io.stderr() };
}

const train = (vocab: number, ...more: readonly string[]) =>
  run(
    'tokenizer',
    'train',
    at('corpus.jsonl'),
    '--field',
    'body',
    '--workers',
    '1',
    '--vocab',
    String(vocab),
    '-o',
    at('t.json'),
    ...more,
  );

const build = (folder: string, ...more: readonly string[]) =>
  run(
    'shards',
    'build',
    at('corpus.jsonl'),
    '--field',
    'body',
    '--workers',
    '1',
    '--tokenizer',
    at('t.json'),
    '-o',
    at(folder),
    ...more,
  );

test('train a tokenizer, look into it, make shards with it, look into them', async () => {
  const trained = await train(300, '--json');
  assert.equal(trained.code, 0, trained.log);
  const { vocabSize, documents } = JSON.parse(trained.out) as { vocabSize: number; documents: number };
  assert.deepEqual([vocabSize, documents], [300, 300]);

  const inspected = JSON.parse((await run('tokenizer', 'inspect', at('t.json'), '--json')).out) as object;
  assert.deepEqual(
    { ...inspected, sha256: '' },
    { file: at('t.json'), vocabSize: 300, eosId: 0, padId: 1, sha256: '' },
  );
  assert.match(
    (await run('tokenizer', 'inspect', at('t.json'))).out,
    /300 tokens\nend of text 0, padding 1\nsha256 [0-9a-f]{64}/,
  );
  const encoded = JSON.parse((await run('tokenizer', 'encode', at('t.json'), 'a dog', '--json')).out) as {
    tokens: string[];
  };
  assert.equal(encoded.tokens.join(''), 'aĠdog');
  assert.match((await run('tokenizer', 'encode', at('t.json'), 'a dog')).out, /^\d+\ta\n/);

  const built = await build('shards', '--json', '--held-out', '0.1', '--shard-tokens', '1000');
  assert.equal(built.code, 0, built.log);
  const manifest = JSON.parse(built.out) as { train: { documents: number }; heldOut: { documents: number } };
  assert.equal(manifest.train.documents + manifest.heldOut.documents, 300);
  assert.deepEqual(JSON.parse(await readFile(at('shards/manifest.json'), 'utf8')), manifest);
  assert.deepEqual(JSON.parse((await run('shards', 'inspect', at('shards'), '--json')).out), manifest);
  assert.match(
    (await run('shards', 'inspect', at('shards'))).out,
    /uint16, vocabulary 300.*\ntrain: \d+ documents.*\nheld out: /,
  );
});

test('what the text cannot give is said', async () => {
  const small = await train(5000);
  assert.equal(small.code, 0);
  assert.match(small.log, /note: the text has frequent pairs for \d+ tokens only, not for 5000/);
  assert.match(small.out, /t\.json: \d+ tokens, \d+ merges from 300 documents/);
  const none = await build('none', '--held-out', '0.0000001');
  assert.match(none.log, /no document was held out/);
});

test('bad input exits 2 and writes nothing', async () => {
  assert.equal((await train(300)).code, 0);
  for (const [argv, pattern] of [
    [
      ['tokenizer', 'train', at('absent.txt'), '--vocab', '300', '-o', at('x.json')],
      /absent\.txt: no such file/,
    ],
    [
      ['tokenizer', 'train', at('corpus.jsonl'), '--vocab', '300', '-o', at('x.json')],
      /corpus\.jsonl:1: expected 'text'/,
    ],
    [
      ['tokenizer', 'train', at('corpus.jsonl'), '--vocab', '10', '-o', at('x.json')],
      /10 is not a whole number from 258/,
    ],
    [['tokenizer', 'train', at('corpus.jsonl'), '-o', at('x.json')], /--vocab/],
    [['tokenizer', 'inspect', at('corpus.jsonl')], /corpus\.jsonl: not valid JSON/],
    [
      ['shards', 'build', at('corpus.jsonl'), '--tokenizer', at('t.json'), '-o', at('x')],
      /expected 'text' to be a text/,
    ],
    [
      ['shards', 'build', at('corpus.jsonl'), '--tokenizer', at('t.json'), '-o', at('x'), '--held-out', '2'],
      /from 0 to below 1/,
    ],
    [['shards', 'inspect', at('nowhere')], /no such file/],
  ] as const) {
    const { code, out, log } = await run(...argv);
    assert.equal(code, 2, argv.join(' '));
    assert.equal(out, '');
    assert.match(log, pattern);
  }
  assert.ok(!(await readdir(root)).includes('x.json'));
});
