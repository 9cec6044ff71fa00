/** What the program says at the first Ctrl-C. */

/** Where work ends that would otherwise be lost; all other commands end as soon as they can. */
const ENDS_AT: ReadonlyMap<string, string> = new Map([
  ['finetune', 'the next whole step'],
  ['pretrain', 'the next whole step'],
  ['run', 'the next checkpoint'],
]);

/** For a command line without `node` and the script's name. */
export function stoppingNotice([name = '']: readonly string[]): string {
  const end = ENDS_AT.get(name);
  return `stopping${end === undefined ? '' : ` at ${end}`}; Ctrl-C again to stop at once\n`;
}
