import {createHash} from 'node:crypto'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {compress, seededText} from '../kit/index.js'
import {median} from './measure.js'

/**
 * The decoders of xz against each other on one file, in plain megabytes for each second of this process's processor time:
 * `--mib=32 --rounds=3`, and `--wasm=DIR` for an unpacked node-liblzma 5, whose build for WebAssembly is measured, too.
 */
type Decode = (packed: AsyncGenerator<Uint8Array, void, undefined>) => AsyncIterable<Uint8Array>
type Decoder = (
  packed: AsyncGenerator<Uint8Array, void, undefined>,
  options: {readonly name: string},
) => AsyncIterable<Uint8Array>

const args = new Map(
  process.argv.slice(2).map((text) => text.replace(/^--/, '').split('=') as [string, string]),
)
const plain = Buffer.from(seededText('bench xz', Number(args.get('mib') ?? 32) * 1024 * 1024))
const packed = await compress(plain, {type: 'xz', blockSize: 8 * 1024 * 1024})
const expected = createHash('sha256').update(plain).digest('hex')

const bundle = dirname(createRequire(import.meta.url).resolve('@airgap-mirror/bundle'))
function load<Module>(path: string): Promise<Module> {
  return import(pathToFileURL(path).href) as Promise<Module>
}
const {portableXz} = await load<{portableXz: Decoder}>(join(bundle, 'codecs/xz/portable-xz.js'))
const {loadLzmaNative} = await load<{loadLzmaNative: () => Promise<Decoder>}>(
  join(bundle, 'codecs/xz/lzma-native.js'),
)
const {loadNodeLiblzma} = await load<{loadNodeLiblzma: () => Promise<Decoder | undefined>}>(
  join(bundle, 'codecs/xz/node-liblzma.js'),
)

function named(decoder: Decoder): Decode {
  return (chunks) => decoder(chunks, {name: 'bench.xz'})
}

async function decoders(): Promise<readonly (readonly [string, Decode])[]> {
  const fast = await loadNodeLiblzma()
  const wasm = args.get('wasm')
  return [
    ['portable', named(portableXz)],
    ...(fast === undefined ? [] : [['node-liblzma', named(fast)] as const]),
    ['lzma-native', named(await loadLzmaNative())],
    ...(wasm === undefined ? [] : [['node-liblzma (WebAssembly)', await openWasm(wasm)] as const]),
  ]
}

async function openWasm(directory: string): Promise<Decode> {
  const {initModule, createUnxz} = await load<{
    initModule: () => Promise<unknown>
    createUnxz: () => TransformStream<Uint8Array, Uint8Array>
  }>(join(directory, 'lib/wasm/index.js'))
  await initModule()
  return (chunks) => ReadableStream.from(chunks).pipeThrough(createUnxz())
}

async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < packed.length; at += 65_536) yield new Uint8Array(packed.subarray(at, at + 65_536))
}

/** Megabytes for each second of processor time. @throws if other bytes come out */
async function speedOf(decode: Decode): Promise<number> {
  const before = process.cpuUsage()
  const hash = createHash('sha256')
  for await (const chunk of decode(pieces())) hash.update(chunk)
  const {user, system} = process.cpuUsage(before)
  if (hash.digest('hex') !== expected) throw new Error('other bytes came out')
  return plain.length / (user + system)
}

const all = await decoders()
const speeds = new Map<string, number[]>(all.map(([name]) => [name, []]))
for (let round = 0; round < Number(args.get('rounds') ?? 3); round += 1)
  for (const [name, decode] of all) speeds.get(name)?.push(await speedOf(decode))
const own = median(speeds.get('portable') ?? [])
for (const [name, values] of speeds) {
  const speed = median(values)
  process.stdout.write(
    `${name.padEnd(28)} ${speed.toFixed(1).padStart(7)} MB/s of processor time, ${(speed / own).toFixed(2)} × portable\n`,
  )
}
