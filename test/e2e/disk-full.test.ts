import {gzipSync} from 'node:zlib'
import {mkdir, readdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {expect, test} from 'vitest'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {
  cleanEnvironment,
  makeImage,
  mirrorProgram,
  ociLayout,
  runChild,
  withTempDir,
} from '@airgap-mirror/test/kit'
import {blob, blobPath, descriptor, index} from '../hostile/raw-image.js'
import {named, writeBundle} from './push.js'
import {faultsOfTrace, readTrace} from './trace.js'

const MiB = 1024 * 1024

/** A layout of 60 kB whose layers unpack to 60 MiB; the diff IDs are true. */
async function writeBomb(path: string): Promise<void> {
  const plain = [1, 2, 3].map((seed) => Buffer.alloc(20 * MiB, seed))
  const layers = plain.map((bytes) => blob(gzipSync(bytes)))
  const diffs = plain.map((bytes) => blob(bytes).digest)
  const config = blob({architecture: 'amd64', os: 'linux', rootfs: {type: 'layers', diff_ids: diffs}})
  const manifest = blob({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, config),
    layers: layers.map((layer) => descriptor(mediaTypes.ociLayerGzip, layer)),
  })
  const files = new Map([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', index([descriptor(mediaTypes.ociManifest, manifest)]).bytes],
    ...[config, manifest, ...layers].map(({digest, bytes}) => [blobPath(digest), bytes] as const),
  ])
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(path, name)), {recursive: true})
    await writeFile(join(path, name), bytes)
  }
}

test('a docker-archive of layers that unpack to more than the disk has leaves room on it, and no file', (context) =>
  withTempDir(async (home) => {
    await writeBomb(join(home, 'bomb'))
    const disk = join(home, 'disk')
    await mkdir(disk)
    const copy = `node "$0" copy oci:bomb docker-archive:disk/out.tar --no-state`
    const script = `mount -t tmpfs -o size=40m none disk || exit 99; ${copy}; code=$?; ls -A disk; exit $code`
    const args = ['-rm', 'sh', '-c', script, mirrorProgram()]
    const result = await runChild('unshare', args, {cwd: home, env: cleanEnvironment(home)})
    if (result.code === 99 || result.stderr.startsWith('unshare:')) {
      context.skip(`a small disk cannot be made here: ${result.stderr}`)
      return
    }
    expect(result).toMatchObject({code: 1, stdout: ''})
    expect(result.stderr).toMatch(/error: target: .*cannot write disk\/out\.tar: its disk has only .* free/)
    expect(await readdir(disk)).toEqual([])
  }))

test('a trace that fills its disk ends after its last whole event', (context) =>
  withTempDir(async (home) => {
    const image = await makeImage({seed: 'app', layers: 40})
    await writeBundle(join(home, 'bundle.tar'), ociLayout([named('gcr.io/team/app:v1', image)]))
    await mkdir(join(home, 'disk'))
    const copy = `node "$0" copy oci-archive:bundle.tar oci:out --no-state --trace disk/trace.json`
    const script = `mount -t tmpfs -o size=4k none disk || exit 99; ${copy}; code=$?; cp disk/trace.json .; exit $code`
    const args = ['-rm', 'sh', '-c', script, mirrorProgram()]
    const result = await runChild('unshare', args, {cwd: home, env: cleanEnvironment(home)})
    if (result.code === 99 || result.stderr.startsWith('unshare:')) {
      context.skip(`a small disk cannot be made here: ${result.stderr}`)
      return
    }
    expect(result).toMatchObject({code: 0})
    expect(result.stderr).toContain('warning: cannot write disk/trace.json: ')
    const events = await readTrace(join(home, 'trace.json'))
    expect(events.length).toBeGreaterThan(10)
    expect(faultsOfTrace(events)).toEqual([])
  }))
