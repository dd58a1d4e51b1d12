import {execFileSync} from 'node:child_process'
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {parseArgs} from 'node:util'
import {debOf, installed} from './deb.js'
import {writeImage, type Variant} from './image.js'
import {packed} from './packed.js'
import {CLI, type Architecture} from './places.js'
import {programFor} from './program.js'
import {sbomOf, sha256} from './sbom.js'
import {tarOf} from './tar.js'
import {fileOf, moved, sorted, type Entry} from './tree.js'

/**
 * Writes what is released: an archive and a Debian package for each architecture, an image, and their checksums.
 * `--arch` and `--only` (archive, deb, image) choose some of them; `--codec gzip` is faster than xz; `--output` is a
 * directory.
 */
const {values} = parseArgs({
  options: {
    arch: {type: 'string', multiple: true, default: ['x64', 'arm64']},
    only: {type: 'string', multiple: true, default: ['archive', 'deb', 'image']},
    codec: {type: 'string', default: 'xz'},
    output: {type: 'string', default: join(CLI, 'dist/package')},
  },
})
const codec = values.codec === 'gzip' ? 'gzip' : 'xz'
const ending = codec === 'gzip' ? 'gz' : 'xz'
const modified = new Date(1000 * Number(process.env['SOURCE_DATE_EPOCH'] ?? lastCommit()))
const sums: string[] = []

await mkdir(values.output, {recursive: true})
const variants: (Variant & {readonly version: string})[] = []
for (const architecture of values.arch.map(architectureOf)) {
  const program = await programFor(architecture)
  const listed = [...program.entries, fileOf('sbom.cdx.json', sbomOf(program, modified))]
  const entries = sorted([...listed, fileOf('SHA256SUMS', checksums(listed))])
  const {version} = program
  const name = `mirror-${version}-linux-${architecture}`
  if (values.only.includes('archive')) {
    await write(`${name}.tar.${ending}`, await packed(tarOf(entries, {prefix: `${name}/`, modified}), codec))
  }
  if (values.only.includes('deb')) {
    const debian = architecture === 'x64' ? 'amd64' : 'arm64'
    const options = {version, architecture: debian, modified, codec} as const
    await write(`airgap-mirror_${version}_${debian}.deb`, await debOf(installed(entries), options))
  }
  variants.push({architecture, entries: moved(entries, (path) => `opt/mirror/${path}`), version})
}
const version = variants[0]?.version ?? ''
if (values.only.includes('image')) {
  const name = `mirror-${version}-image.tar`
  await writeImage(join(values.output, name), variants, {version, modified})
  // The sum stands with the others.
  await rm(join(values.output, `${name}.SHA256SUMS`))
  sums.push(`${sha256(await readFile(join(values.output, name)))}  ${name}\n`)
}
await writeFile(join(values.output, 'SHA256SUMS'), sums.join(''))
process.stdout.write(`${values.output}\n${sums.join('')}`)

function architectureOf(text: string): Architecture {
  if (text === 'x64' || text === 'arm64') return text
  throw new Error(`${text} is no architecture that is packaged: x64 or arm64`)
}

async function write(name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(join(values.output, name), bytes)
  sums.push(`${sha256(bytes)}  ${name}\n`)
}

/** A line a file, as `sha256sum -c` reads it. */
function checksums(entries: readonly Entry[]): string {
  return sorted(entries)
    .flatMap((entry) => ('target' in entry ? [] : [`${sha256(entry.bytes)}  ${entry.path}\n`]))
    .join('')
}

/** Seconds since 1970: archives of the same commit are the same. */
function lastCommit(): string {
  return execFileSync('git', ['log', '-1', '--format=%ct'], {cwd: CLI, encoding: 'utf8'}).trim()
}
