/** Zip archives for tests, honest and dishonest: made byte by byte, because no well-kept packer writes hostile ones. */
import { deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string;
  readonly content: string | Buffer;
  /** Unix mode, for links. */
  readonly mode?: number;
  /** The unpacked size that the archive claims. */
  readonly declared?: number;
}

/** A zip archive of these members, deflated. Checksums are left 0: yauzl does not look at them. */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const name = Buffer.from(member.name);
    const content = Buffer.from(member.content);
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26); // what the local header and the directory share
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(0x800, 2); // names are UTF-8
    common.writeUInt16LE(8, 4); // deflate
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(member.declared ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((member.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    const made = Buffer.from([0x14, 0x03]); // by Unix, which is what gives modes their meaning
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), made, common, tail, name]));
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(index.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, index, Buffer.from('PK\x05\x06'), end]);
}
