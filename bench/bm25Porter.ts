/** Compares our Porter stemmer with the reference over a whole vocabulary: `node build/bench/bm25Porter.js all.tsv` (bench/peers/porter.py --all). */
import { eachLine } from '#src/base/index.js';
import { porterStem } from '#src/bm25/index.js';

const path = process.argv[2];
if (path === undefined) throw new Error('usage: node build/bench/bm25Porter.js all.tsv');
let [words, differing] = [0, 0];
await eachLine(path, line => {
  const [word, stem] = line.split('\t');
  words++;
  if (porterStem(word!) === stem) return;
  if (differing++ < 20) console.error(`${word}: ${porterStem(word!)}, expected ${stem}`);
});
console.log(JSON.stringify({ bench: 'porter', words, differing }));
process.exitCode = differing > 0 ? 1 : 0;
