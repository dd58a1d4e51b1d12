import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {addImage, makeImage, makeLayers} from '../kit/index.js'
import {startRegistry} from '../registry/index.js'

/** A source full of tiny images and an empty target, in a process whose memory is not measured. */
export interface ManyImages extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly source: string
  readonly target: string
  /** Names of the images in the source, `bench/app0:v1`. */
  readonly names: readonly string[]
}

/** The script itself: `node many-images.js COUNT` prints both hosts, and ends with its standard input. */
const script = fileURLToPath(import.meta.url)

function nameOf(index: number): string {
  return `bench/app${index}`
}

export async function startManyImages(count: number): Promise<ManyImages> {
  const child = spawn(process.execPath, [script, String(count)], {stdio: ['pipe', 'pipe', 'inherit']})
  const ended = once(child, 'close')
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown]
  if (!Buffer.isBuffer(line)) throw new Error('the registries did not start')
  const [source = '', target = ''] = line.toString().trim().split(' ')
  return {
    source,
    target,
    names: Array.from({length: count}, (_, index) => `${nameOf(index)}:v1`),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await ended
    },
  }
}

/** Each has a layer of its own, and one that a hundredth of the others have too. */
async function serve(count: number): Promise<void> {
  const bases = await makeLayers({seed: 'many bases', layers: 100, layerSize: 2000})
  const source = await startRegistry()
  const target = await startRegistry()
  for (let index = 0; index < count; index += 1) {
    const base = bases.slice(index % bases.length, (index % bases.length) + 1)
    const image = await makeImage({seed: `many ${index}`, base, layers: 1, layerSize: 200})
    await addImage(source, image, {repository: nameOf(index), tag: 'v1'})
  }
  process.stdout.write(`${source.host} ${target.host}\n`)
  // A log of every request would be most of what this process holds.
  const forget = setInterval(() => {
    source.clearLog()
    target.clearLog()
  }, 1000)
  await once(process.stdin.resume(), 'end')
  clearInterval(forget)
  await Promise.all([source.close(), target.close()])
}

if (process.argv[1] === script) await serve(Number(process.argv[2]))
