import {mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {
  dockerArchive,
  makeImage,
  makeTempDir,
  ociLayout,
  runMirror,
  startMirror,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, push, writeBundle} from './push.js'
import {saveScene} from './save.js'
import {syncScene, withReport, type Synced} from './sync.js'
import {faultsOfTrace, readTrace, spans, type ReadEvent} from './trace.js'
import {until} from './until.js'

function sum(events: readonly ReadEvent[], arg: string): number {
  return events.reduce((total, {args}) => total + Number(args[arg] ?? 0), 0)
}

test('the trace of a push has every request, blob, manifest and decoded block, each with its end', async () => {
  await using home = await makeTempDir()
  await using registry = await startRegistry({
    strict: true,
    auth: {type: 'token', users: [], anonymous: 'push'},
  })
  const images = await Promise.all(['one', 'two'].map((seed) => makeImage({seed, layers: 3})))
  const bundle = join(home.path, 'bundle.tar.xz')
  const source = await writeBundle(
    bundle,
    ociLayout(images.map((image, index) => named(`gcr.io/team/image${index}:v1`, image))),
    {type: 'xz', blockSize: 16 * 1024},
  )
  const trace = join(home.path, 'trace.json')
  const {code, report} = await push({source, registry, flags: argv`--trace ${trace}`})
  expect(code).toBe(0)

  const events = await readTrace(trace)
  expect(faultsOfTrace(events)).toEqual([])
  const requests = spans(events, 'request')
  const traced = requests.map(({name, args}) => `${name.split('?')[0]} ${String(args['status'])}`)
  const logged = registry.requests.map(
    ({method, path, status}) => `${method} ${path.split('?')[0]} ${status}`,
  )
  expect(traced.toSorted()).toEqual(logged.toSorted())
  expect(requests).toHaveLength(report.totals.requests)
  expect(sum(requests, 'sent')).toBe(registry.requests.reduce((total, one) => total + one.bytesReceived, 0))
  expect(spans(events, 'blob').filter(({args}) => args['how'] === 'uploaded')).toHaveLength(
    report.totals.blobs.uploaded,
  )
  expect(spans(events, 'manifest').map(({name}) => name.split('@')[0])).toEqual(
    expect.arrayContaining([`${registry.host}/team/image0:v1`, `${registry.host}/team/image1:v1`]),
  )
  expect(sum(spans(events, 'decoding'), 'bytes')).toBe(report.totals.bytes.decoded)
  expect(spans(events, 'step').map(({name}) => name)).toEqual(
    expect.arrayContaining(['open the bundle', 'plan', 'transfer']),
  )
  expect(events.filter(({args}) => args['unfinished'] === true)).toEqual([])
})

test('the trace of a sync has the requests of both sides in lanes of their own, and the waits before retries', async () => {
  await using scene = await syncScene({
    source: {latency: 2},
    target: {
      faults: [{match: {kind: 'manifest-put'}, times: 1, fault: {type: 'status', status: 500}}],
    },
  })
  const list = await scene.list(await scene.add('team/app:v1'), await scene.add('team/tool:v2'))
  const trace = join(scene.directory, 'trace.json')
  const {code, report} = await scene.sync(argv`--images ${list} --trace ${trace} --concurrency 1`)
  expect(code).toBe(0)

  const events = await readTrace(trace)
  expect(faultsOfTrace(events)).toEqual([])
  const groups = new Map(
    events.filter(({name}) => name === 'process_name').map(({pid, args}) => [pid, args['name']]),
  )
  const requests = spans(events, 'request')
  for (const registry of [scene.source, scene.target]) {
    const own = requests.filter(({pid}) => groups.get(pid) === `requests to ${registry.host}`)
    expect(own).toHaveLength(registry.requests.length)
  }
  expect(requests).toHaveLength(report.totals.requests)
  const waits = spans(events, 'waiting').map(({name}) => name)
  expect(waits.filter((name) => name.startsWith('retry PUT /v2/mirror/'))).toHaveLength(report.totals.retries)
})

test('save, verify and copy write a trace of every request, too', async () => {
  await using scene = await saveScene()
  const image = await scene.add('team/app:v1', await makeImage({seed: 'traced', layers: 2}))
  const list = await scene.list(image)
  const bundle = scene.path('bundle.tar.xz')
  const trace = (name: string): readonly string[] => ['--trace', scene.path(`${name}.json`)]
  const saved = await scene.save(argv`--images ${list} --output ${bundle} ${trace('save')}`)
  await scene.push(bundle)
  const run = async (line: readonly string[]): Promise<Synced> =>
    withReport(await runMirror(argv`${line} --plain-http --json`, {home: scene.directory}))
  const place = ['--private-registry', `${scene.target.host}/mirror`]
  const verified = await run(argv`verify --source ${bundle} ${place} --deep ${trace('verify')}`)
  const copied = await run(
    argv`copy ${`docker://${image}`} ${`docker://${scene.target.host}/copied:v1`} --source-plain-http ${trace('copy')}`,
  )
  for (const [name, {code, stderr, report}] of Object.entries({
    save: saved,
    verify: verified,
    copy: copied,
  })) {
    expect({name, code, stderr: code === 0 ? '' : stderr}).toEqual({name, code: 0, stderr: ''})
    const events = await readTrace(scene.path(`${name}.json`))
    expect({name, faults: faultsOfTrace(events)}).toEqual({name, faults: []})
    const requests = spans(events, 'request').length
    expect({name, requests}).toEqual({name, requests: report.totals.requests})
    expect({name, blobs: spans(events, 'blob').length > 0}).toEqual({name, blobs: true})
  }
  expect(spans(await readTrace(scene.path('save.json')), 'compression').length).toBeGreaterThan(0)
})

test('a layer that is compressed on the way has its blocks in the trace', async () => {
  await using home = await makeTempDir()
  await using registry = await startRegistry({strict: true})
  const image = await makeImage({seed: 'plain', layers: 2})
  const source = await writeBundle(
    join(home.path, 'images.tar'),
    dockerArchive([{image, tags: ['team/plain:v1']}]),
  )
  const trace = join(home.path, 'trace.json')
  expect(await push({source, registry, flags: argv`--trace ${trace}`})).toMatchObject({code: 0})
  const events = await readTrace(trace)
  expect(faultsOfTrace(events)).toEqual([])
  expect(spans(events, 'compression')).toHaveLength(2)
})

test('a run that a second signal ends leaves a complete trace, with what it was busy with', async () => {
  await using home = await makeTempDir()
  await using registry = await startRegistry({
    faults: [{match: {kind: 'commit'}, times: 1000, fault: {type: 'stall', ms: 15_000, at: 'response'}}],
  })
  const source = await writeBundle(
    join(home.path, 'bundle.tar'),
    ociLayout([named('gcr.io/team/app:v1', await makeImage({seed: 'app', layers: 2}))]),
  )
  const trace = join(home.path, 'trace.json')
  const child = await startMirror(
    argv`push --source ${source} --private-registry ${registry.host} --plain-http --trace ${trace}`,
  )
  await until(() => registry.requests.some(({fault}) => fault === 'stall'))
  child.kill('SIGINT')
  await until(() => child.stderr.includes('press Ctrl-C again to stop now'))
  child.kill('SIGINT')
  expect((await child.result).code).toBe(130)

  const events = await readTrace(trace)
  expect(faultsOfTrace(events)).toEqual([])
  const unfinished = events.filter(({args}) => args['unfinished'] === true)
  expect(unfinished.some(({cat, name}) => cat === 'request' && name.startsWith('PUT /v2/team/app/'))).toBe(
    true,
  )
})

test('the trace of a run that fails is complete', async () => {
  await using home = await makeTempDir()
  const trace = join(home.path, 'trace.json')
  const source = await writeBundle(
    join(home.path, 'bundle.tar'),
    ociLayout([named('gcr.io/team/app:v1', await makeImage({seed: 'app', layers: 1}))]),
  )
  const registry = {host: '127.0.0.1:9', url: 'http://127.0.0.1:9'}
  const {code} = await push({source, registry, flags: argv`--trace ${trace} --retries 0`})
  expect(code).toBe(1)
  const requests = spans(await readTrace(trace), 'request')
  expect(requests.map(({name, args}) => [name, args['error']])).toEqual([['GET /v2/', 'UNREACHABLE']])
})

test('a trace that cannot be written is refused before anything is sent', async () => {
  await using home = await makeTempDir()
  await using registry = await startRegistry()
  const source = await writeBundle(
    join(home.path, 'bundle.tar'),
    ociLayout([named('gcr.io/team/app:v1', await makeImage({seed: 'app', layers: 1}))]),
  )
  const trace = join(home.path, 'missing', 'trace.json')
  const {code, stderr} = await push({source, registry, flags: argv`--trace ${trace}`})
  expect(code).toBe(2)
  expect(stderr).toContain(`--trace ${trace} cannot be written: there is no directory`)
  const unnamed = await push({source, registry, flags: ['--trace', '']})
  expect(unnamed.code).toBe(2)
  expect(unnamed.stderr).toContain('--trace "" cannot be written: its name is empty')
  expect(registry.repositories()).toEqual([])
})

test('a trace that outgrows its disk is warned of, and the push goes on', async () => {
  await using home = await makeTempDir()
  await using registry = await startRegistry()
  const source = await writeBundle(
    join(home.path, 'bundle.tar'),
    ociLayout([named('gcr.io/team/app:v1', await makeImage({seed: 'app', layers: 1}))]),
  )
  const {code, stderr} = await push({source, registry, flags: argv`--trace /dev/full`})
  expect(code).toBe(0)
  expect(stderr).toContain('warning: cannot write /dev/full: ')
})

test('a trace replaces an older file, and never what somebody else linked there', async () => {
  await using home = await makeTempDir()
  await using registry = await startRegistry()
  const source = await writeBundle(
    join(home.path, 'bundle.tar'),
    ociLayout([named('gcr.io/team/app:v1', await makeImage({seed: 'app', layers: 1}))]),
  )
  await mkdir(join(home.path, 'traces'))
  await writeFile(
    join(home.path, 'traces', 'old.json'),
    'older and much longer than the beginning of a trace',
  )
  await symlink('old.json', join(home.path, 'traces', 'trace.json'))
  const trace = join(home.path, 'traces', 'trace.json')
  expect(await push({source, registry, flags: argv`--trace ${trace}`})).toMatchObject({code: 0})
  expect(faultsOfTrace(await readTrace(trace))).toEqual([])
  expect(await readFile(join(home.path, 'traces', 'old.json'), 'utf8')).toMatch(/^\[\n/)
})
