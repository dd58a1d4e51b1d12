import {once} from 'node:events'

/** Returns the blocks before a file's content, the same for the same file; a single block unless the name is too long. */
export async function tarFileHeader(name: string, size: number): Promise<Uint8Array> {
  const {pack} = await import('tar-stream')
  const packer = pack()
  const entry = packer.entry({name, size, mode: 0o444, mtime: new Date(0), type: 'file'})
  // Errors are ignored because both end early: the content is written elsewhere.
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
