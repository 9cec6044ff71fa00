/** From what a user types to a model's configuration. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/index.ts';
import { type MptConfig, type NamedSizeOptions, namedMpt, namedSizes } from '../mpt/index.ts';
import { CONFIG_FILE, readMptConfig } from './mpt-config.ts';

/**
 * The configuration that a name (`mpt-125m`), a model directory or a `config.json` stands for. Weights are not looked at. `options` change what
 * a name means; a file says everything itself, so they are refused with one.
 */
export async function findMptConfig(target: string, options: NamedSizeOptions = {}): Promise<MptConfig> {
  const named = namedMpt(target, options);
  if (named) return named;
  const status = await stat(target).catch(() => undefined);
  if (!status)
    throw new InputError(
      target,
      `no such model size, directory or file; the sizes are ${namedSizes().join(', ')}`,
    );
  if (Object.keys(options).length > 0)
    throw new InputError(
      target,
      'vocabulary and length can be chosen for a named size only: a directory or file has its own',
    );
  return (await readMptConfig(status.isDirectory() ? join(target, CONFIG_FILE) : target)).config;
}
