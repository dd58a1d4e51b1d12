import {open, readFile, readlink, stat} from 'node:fs/promises'
import {compressionOf, SNIFF_BYTES, type Compression} from '@airgap-mirror/bundle/internal'

/** They can only be decoded from their start: as a stream, a bundle of `mirror save` needs one pass and no scratch. */
const ONE_WAY: readonly Compression[] = ['gzip', 'bzip2']

/**
 * Returns the path of the file that standard input was opened from and stands at the start of, as after `< bundle.tar`. Read
 * by its path, it needs neither scratch nor one pass. Undefined for anything else, for gzip and bzip2, and where there is no
 * `/proc`.
 */
export async function fileOnStandardInput(): Promise<string | undefined> {
  const {fd} = process.stdin
  try {
    // After fstat of a pipe, Node.js 20 does not resolve the links of the packages that it imports next.
    const own = await stat(`/proc/self/fd/${fd}`)
    if (!own.isFile()) return undefined
    const state = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')
    if (!/^pos:\s*0$/m.test(state)) return undefined
    const path = await readlink(`/proc/self/fd/${fd}`)
    // The file may have been removed or replaced, and another account may have opened it.
    await using file = await open(path, 'r')
    const {dev, ino} = await file.stat()
    if (dev !== own.dev || ino !== own.ino) return undefined
    const {buffer, bytesRead} = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
    const compression = compressionOf(buffer.subarray(0, bytesRead))
    return ONE_WAY.some((one) => one === compression) ? undefined : path
  } catch {
    return undefined
  }
}
