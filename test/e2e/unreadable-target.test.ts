import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest'
import {makeImage, makeTempDir, runMirror, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type FaultRule} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, push, writeOciBundle} from './push.js'
import {statuses, syncScene} from './sync.js'

const SILENT = {code: 0, stdout: '', stderr: ''}
/** As Harbor answers for an image that its policy holds back. */
const POLICY =
  '{"errors":[{"code":"PROJECTPOLICYVIOLATION","message":"current image with 3 vulnerabilities cannot be pulled"}]}'

function hidden(status: number, body = ''): readonly FaultRule[] {
  const fault = {type: 'status', status, body} as const
  return [{match: {kind: ['manifest-head', 'manifest-get']}, times: Infinity, fault}]
}

describe('a target that does not say what it has', () => {
  let directory: TempDir
  let source: string
  beforeAll(async () => {
    directory = await makeTempDir()
    source = await writeOciBundle(directory.path, [
      named('gcr.io/team/one:v1', await makeImage({seed: 'one', layers: 1})),
    ])
  })
  afterAll(() => directory.remove())

  test('is pushed to, when neither its manifests nor its blobs can be asked for', async () => {
    await using registry = await startRegistry({
      strict: true,
      faults: [
        ...hidden(403),
        {match: {kind: 'blob-head'}, times: Infinity, fault: {type: 'status', status: 405}},
      ],
    })
    const {code, stderr, report} = await push({source, registry})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(statuses(report)).toEqual(['pushed'])
    expect(registry.tags('team/one')).toEqual(['v1'])
    const dry = await push({source, registry, flags: ['--dry-run']})
    expect(dry.code).toBe(0)
    expect(dry.report.totals.bytes.toSend).toBeGreaterThan(0)
  })

  test('and refuses the write as well is told with both answers', async () => {
    await using registry = await startRegistry({
      strict: true,
      faults: [
        ...hidden(412, POLICY),
        {match: {kind: 'manifest-put'}, times: Infinity, fault: {type: 'status', status: 403}},
      ],
    })
    const {code, stderr} = await push({source, registry})
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /error: target: .*cannot push the manifest of .* 403 Forbidden \(asked before: cannot read .* 412 .*cannot be pulled\)/,
    )
  })

  test('is not verified by that', async () => {
    await using registry = await startRegistry({strict: true})
    expect((await push({source, registry})).code).toBe(0)
    registry.setFaults(hidden(412, POLICY))
    const {code, stdout} = await runMirror(
      argv`verify --source ${source} --private-registry ${registry.host} --plain-http --json`,
    )
    expect(code).not.toBe(0)
    expect(stdout).toContain('"status": "failed"')
  })

  test('a login that is missing is still what a refused push asks for', async () => {
    await using registry = await startRegistry({
      strict: true,
      auth: {type: 'basic', users: [{name: 'bob', password: 'right-password'}]},
    })
    const {code, stderr} = await push({source, registry})
    expect(code).toBe(1)
    expect(stderr).toMatch(/asks for a credential and none was found/)
    expect(stderr).toMatch(/^hint: Give --username/m)
  })
})

describe('a nightly sync to a target whose policy hides what it has', () => {
  test('counts what it put there itself, says of what moved that it cannot tell, and writes it with --force', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'), await scene.add('team/tool:v1'))
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
    scene.target.setFaults(hidden(412, POLICY))
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)

    const newer = await makeImage({seed: 'fixed', layers: 1})
    await scene.add('team/app:v1', newer)
    const night = await scene.sync(argv`--images ${list}`)
    expect(night.code).toBe(3)
    expect(statuses(night.report)).toEqual(['drifted', 'present'])
    expect(night.stderr).toMatch(/cannot tell if somebody else has changed it .*412.*\nhint: .*--force/)

    expect((await scene.sync(argv`--images ${list} --force`)).code).toBe(0)
    expect(scene.at('team/app:v1')).toBe(newer.root.descriptor.digest)
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  })

  test('writes what it never put there', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'))
    scene.target.setFaults(hidden(403))
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
    expect(scene.at('team/app:v1')).toBeDefined()
    expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  })
})

test('a repository that always answers 429 fails its own image, and the others are pushed', async () => {
  const directory = await makeTempDir()
  onTestFinished(() => directory.remove())
  const fault = {type: 'status', status: 429, headers: {'retry-after': '0'}} as const
  const faults = [{match: {path: /limited/}, times: Infinity, fault}]
  await using registry = await startRegistry({strict: true, faults})
  const source = await writeOciBundle(directory.path, [
    named('gcr.io/limited/app:v1', await makeImage({seed: 'limited'})),
    named('gcr.io/team/app:v1', await makeImage({seed: 'not-limited'})),
  ])
  const {code, report, stderr} = await push({source, registry, flags: ['--retries', '0']})
  expect({code, statuses: statuses(report)}, `printed: ${stderr}`).toEqual({
    code: 3,
    statuses: ['failed', 'pushed'],
  })
  expect(report.images[0]?.error).toMatchObject({code: 'RATE_LIMITED', side: 'target'})
  expect(registry.repositories()).toEqual(['team/app'])
})
