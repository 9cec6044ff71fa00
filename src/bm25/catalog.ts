/** The catalog of an index file: read from JSON of unknown origin. */
import { z } from 'zod';
import { InputError, messageOf } from '../base/index.ts';
import { ANALYZER_NAMES } from './analyzer.ts';

/** Element types of sections. */
export const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array } as const;
export type TypeName = keyof typeof TYPES;

const count = z.int().min(0);
const u32 = z.int().min(0).max(0xffffffff);

const schema = z.strictObject({
  analyzer: z.enum(ANALYZER_NAMES as [string, ...string[]]),
  documents: u32.min(1),
  tokens: count,
  partEnds: z.array(u32).min(1).max(65536),
  sections: z.array(
    z.strictObject({
      name: z.string(),
      type: z.enum(['u8', 'u16', 'u32']),
      offset: count,
      length: count,
      crc32: u32,
    }),
  ),
});

export type SectionEntry = z.infer<typeof schema>['sections'][number];
export type Catalog = Omit<z.infer<typeof schema>, 'analyzer'> & {
  readonly analyzer: (typeof ANALYZER_NAMES)[number];
};

/** Parses a catalog and checks that every section lies within these bytes of the file. Throws an `InputError`. */
export function parseCatalog(
  path: string,
  json: string,
  within: { readonly from: number; readonly to: number },
): Catalog {
  const parsed = schema.safeParse(parseJson(path, json));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InputError(path, `bad catalog: ${issue.path.join('.')}: ${issue.message}`);
  }
  for (const { name, type, offset, length } of parsed.data.sections) {
    if (offset < within.from || offset + length * TYPES[type].BYTES_PER_ELEMENT > within.to)
      throw new InputError(path, `bad catalog: section ${name} lies outside the file`);
  }
  return parsed.data as Catalog;
}

function parseJson(path: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new InputError(path, `bad catalog: ${messageOf(error)}`);
  }
}
