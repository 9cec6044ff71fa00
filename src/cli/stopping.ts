/** What the program says when it is interrupted. */

/** Where work ends that would otherwise be lost; all other commands end as soon as they can. */
const ENDS_AT: ReadonlyMap<string, string> = new Map([
  ['finetune', 'the next whole step'],
  ['pretrain', 'the next whole step'],
  ['run', 'the next checkpoint'],
]);

/** Commands that keep what they have done and go on from there. */
const RESUMABLE: ReadonlySet<string> = new Set([
  'beir',
  'data get',
  'embed',
  'finetune',
  'icl',
  'mine',
  'pretrain',
  'run',
  'shards build',
]);

/** At the first Ctrl-C. Takes a command line without `node` and the script's name. */
export function stoppingNotice([name = '']: readonly string[]): string {
  const end = ENDS_AT.get(name);
  return `stopping${end === undefined ? '' : ` at ${end}`}; Ctrl-C again to stop at once\n`;
}

/** When the work has ended before it was done. */
export function interruptedNotice([name = '', subcommand = '']: readonly string[]): string {
  const resumes = RESUMABLE.has(name) || RESUMABLE.has(`${name} ${subcommand}`);
  return resumes
    ? 'interrupted: whatever was finished is kept, and the same command resumes it\n'
    : 'interrupted: the same command begins anew\n';
}
