import {pack} from 'tar-stream'
import {directoriesOf, sorted, type Entry} from './tree.js'

export interface TarOptions {
  /** Put in front of every path, such as `./` or `mirror-1.0/`. */
  readonly prefix: string
  readonly modified: Date
}

/** Everybody may write, and remove only files of their own. */
const EVERYBODYS = 0o1777

/** Returns entries as a tar that belongs to root, the same for the same entries. Directories stand before their files. */
export function tarOf(entries: readonly Entry[], {prefix, modified}: TarOptions): AsyncIterable<Uint8Array> {
  const archive = pack()
  const owner = {uid: 0, gid: 0, uname: 'root', gname: 'root', mtime: modified}
  for (const directory of directoriesOf(entries)) {
    const mode = directory === 'tmp' ? EVERYBODYS : 0o755
    archive.entry({...owner, name: `${prefix}${directory}`, type: 'directory', mode})
  }
  for (const entry of sorted(entries)) {
    const name = `${prefix}${entry.path}`
    if ('target' in entry)
      archive.entry({...owner, name, type: 'symlink', linkname: entry.target, mode: 0o777})
    else archive.entry({...owner, name, mode: entry.mode}, Buffer.from(entry.bytes))
  }
  archive.finalize()
  return archive as AsyncIterable<Uint8Array>
}
