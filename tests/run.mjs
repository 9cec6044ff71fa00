// Runs the built tests with node:test. `node tests/run.mjs bm25 mpt` runs the files whose path contains one of the words.
// Node 20's `--test` takes no glob pattern, and later versions read directories differently: list the files ourselves.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const options = process.argv.slice(2).filter(word => word.startsWith('-'));
const words = process.argv.slice(2).filter(word => !word.startsWith('-'));

function* testFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* testFiles(path);
    else if (entry.name.endsWith('.test.js')) yield relative(root, path);
  }
}

const files = ['dist', 'build/tests']
  .flatMap(folder => [...testFiles(join(root, folder))])
  .filter(file => words.length === 0 || words.some(word => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}; build first with: npm run build`);
  process.exit(2);
}
const child = spawn(process.execPath, ['--test', ...options, ...files], { cwd: root, stdio: 'inherit' });
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
