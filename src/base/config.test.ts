import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ConfigDocument, InputError, Problems, parseConfig } from './index.ts';

const schema = z.strictObject({
  name: z.string(),
  sizes: z.array(z.strictObject({ width: z.number().int().positive(), path: z.string().optional() })),
});

function problemsOf(text: string, environment = {}): string[] {
  try {
    parseConfig(text, 'a.yaml', schema, environment);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.problems.map(problem => `${problem.where} ${problem.message}`);
  }
  return [];
}

test('a valid file is returned with its environment variables filled in', () => {
  const config = parseConfig('name: x\nsizes: [{width: 4, path: "${HERE}/a"}]', 'a.yaml', schema, {
    HERE: '/data',
  });
  assert.deepEqual(config, { name: 'x', sizes: [{ width: 4, path: '/data/a' }] });
});

test('every problem is reported at once, each with its line and column', () => {
  const text =
    'name: 3\nsizes:\n  - width: -1\n    colour: red\n  - {width: 8, path: "${NOWHERE}"}\nextra: 1\n';
  const problems = problemsOf(text);
  assert.equal(problems.length, 5, problems.join('\n'));
  assert.match(problems.join('\n'), /a\.yaml:1:7 name: .*string/);
  assert.match(problems.join('\n'), /a\.yaml:3:12 sizes\.0\.width/);
  assert.match(problems.join('\n'), /a\.yaml:4:13 sizes\.0: unknown key 'colour'/);
  assert.match(problems.join('\n'), /a\.yaml:5:22 .*NOWHERE is not set/);
  assert.match(problems.join('\n'), /a\.yaml:6:8 unknown key 'extra'/);
});

test('text that is not YAML names the place', () => {
  assert.match(problemsOf('name: [1, 2\nsizes: []')[0]!, /^a\.yaml:\d+:\d+ /);
  assert.match(problemsOf('name: a\nname: b\nsizes: []')[0]!, /^a\.yaml:2:1 .*unique/);
});

test('aliases that are unknown, endless or too many are refused', () => {
  assert.match(problemsOf('name: *x\nsizes: []')[0]!, /^a\.yaml Unresolved alias/);
  const bomb =
    'a: &a [l,l,l,l,l,l,l,l,l]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]';
  assert.match(problemsOf(bomb)[0]!, /^a\.yaml Excessive alias count/);
  assert.match(problemsOf('name: x\nsizes: &s [*s, *s]')[0]!, /^a\.yaml:2:\d+ an alias stands inside/);
});

test('overrides replace and add values', () => {
  const config = parseConfig('name: x\nsizes: [{width: 4}]', 'a.yaml', schema, {}, [
    'sizes.0.width=16',
    'name=y',
  ]);
  assert.deepEqual(config, { name: 'y', sizes: [{ width: 16 }] });
  assert.throws(() => parseConfig('name: x', 'a.yaml', schema, {}, ['name']), /expected path\.to\.key=value/);
});

test('an item of a list is overridden by its number or by its name', () => {
  const text = 'steps: [{name: a, width: 1}, {name: b, width: 2}]';
  const steps = z.strictObject({ steps: z.array(z.strictObject({ name: z.string(), width: z.number() })) });
  const widths = (override: string) =>
    parseConfig(text, 'a.yaml', steps, {}, [override]).steps.map(step => step.width);
  assert.deepEqual(widths('steps.b.width=7'), [1, 7]);
  assert.deepEqual(widths('steps.0.width=7'), [7, 2]);
  assert.throws(() => widths('steps.c.width=7'), /--set steps\.c\.width=7: the list has no item 'c'/);
  assert.throws(() => widths('steps.a.width.x=7'), /--set .*: cannot be set/);
  assert.throws(() => widths('steps.a.width=[1'), /--set .*: the value is not YAML/);
  assert.throws(() => widths('steps.a.width=wide'), /--set steps\.a\.width=wide: steps\.0\.width: /);
});

test('parts of a document are checked one by one, and each keeps its place', () => {
  const problems = new Problems();
  const document = ConfigDocument.parse(
    'a: {x: 1}\nb:\n  x: one\n  y: 2\n  z: 3\n',
    'a.yaml',
    {},
    [],
    problems,
  );
  const part = z.strictObject({ x: z.number() });
  assert.deepEqual(document.check(part, ['a'], problems), { x: 1 });
  assert.equal(document.check(part, ['b'], problems), undefined);
  const places = problems.list().map(problem => `${problem.where} ${problem.message}`);
  assert.match(places[0]!, /^a\.yaml:3:6 b\.x: .*number/);
  assert.deepEqual(places.slice(1), ["a.yaml:4:6 b: unknown key 'y'", "a.yaml:5:6 b: unknown key 'z'"]);
});
