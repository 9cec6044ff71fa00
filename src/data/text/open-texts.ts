/** Text as named on a command line. */
import { InputError } from '../../base/index.ts';
import { wordnetSource } from '../wordnet/source.ts';
import { fileSource, TEXT_FILES, type TextFormatOptions } from './file-source.ts';
import { findFiles } from './paths.ts';
import type { TextSource } from './source.ts';

/** The corpus that comes with the program; a file of that name is `./wordnet`. */
const EMBEDDED = 'wordnet';

/**
 * Sources for files, folders, patterns (`*`, `**`, `?`) and the embedded corpus `wordnet`: that one first, then what is named in its order,
 * and the files of a folder by name. Throws `InputError` with everything that cannot be found.
 */
export async function openTexts(
  named: readonly string[],
  format: TextFormatOptions = {},
): Promise<TextSource[]> {
  if (named.length === 0)
    throw new InputError('text', `name files (${TEXT_FILES.names}), folders, patterns or ${EMBEDDED}`);
  const files = await findFiles(
    named.filter(name => name !== EMBEDDED),
    TEXT_FILES,
  );
  const sources = files.map(file => fileSource(file, format));
  return named.includes(EMBEDDED) ? [await wordnetSource(), ...sources] : sources;
}
