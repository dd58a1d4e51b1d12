import {once} from 'node:events'

export const TAR_BLOCK = 512

/** Bytes of the last block that a file of `size` bytes leaves empty. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK
}

/** The blocks before a file's content: always the same for the same file, and one alone where the name is not too long. */
export async function tarFileHeader(name: string, size: number): Promise<Uint8Array> {
  const {pack} = await import('tar-stream')
  const packer = pack()
  const entry = packer.entry({name, size, mode: 0o444, mtime: new Date(0), type: 'file'})
  // The content goes elsewhere, and so both end before their time.
  entry.on('error', () => {})
  packer.on('error', () => {})
  await once(packer, 'readable')
  const blocks: Buffer[] = []
  for (let block = packer.read() as Buffer | null; block !== null; block = packer.read() as Buffer | null) {
    blocks.push(block)
  }
  packer.destroy()
  return Buffer.concat(blocks)
}
