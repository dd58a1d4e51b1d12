import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  addImage,
  makeAuthority,
  makeTempDir,
  runMirror,
  makeImage,
  type ChildResult,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'

let directory: TempDir
let registry: TestRegistry
let digest: string

beforeAll(async () => {
  directory = await makeTempDir()
  const authority = await makeAuthority()
  registry = await startRegistry({
    tls: await authority.issue({hosts: ['127.0.0.1']}),
    auth: {type: 'basic', users: [{name: 'checker', password: 's3cret'}]},
  })
  const image = await makeImage({seed: 'check'})
  digest = image.root.descriptor.digest
  await addImage(registry, image, {repository: 'mirror/team/app', tag: 'v1'})
  await write('ca.pem', authority.ca)
  await write(
    'node/etc/containers/registries.conf',
    `[[registry]]
location = "gcr.io"
[[registry.mirror]]
location = "${registry.host}/mirror"
[[registry]]
location = "quay.io"
blocked = true
`,
  )
  await write('node/etc/containers/policy.json', JSON.stringify(POLICY))
})

afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await directory.remove()
})

const POLICY = {
  default: [{type: 'insecureAcceptAnything'}],
  transports: {docker: {'gcr.io/forbidden': [{type: 'reject'}]}},
}

async function write(name: string, text: string): Promise<void> {
  const path = join(directory.path, name)
  await mkdir(dirname(path), {recursive: true})
  await writeFile(path, text)
}

function check(...args: readonly string[]): Promise<ChildResult> {
  return runMirror(['config', 'check', '--files', 'node', '--as', 'podman', ...args], {
    cwd: directory.path,
    stdin: 's3cret',
  })
}

function asking(...args: readonly string[]): Promise<ChildResult> {
  const login = ['--username', 'checker', '--password-stdin', '--cacert', 'ca.pem']
  return check('--private-registry', `${registry.host}/mirror`, ...login, ...args)
}

describe('config check', () => {
  test('ends with 0 if every image of a list comes from the mirror, and asks nothing without --private-registry', async () => {
    await write('list.txt', 'gcr.io/team/app:v1\n')
    const before = registry.requests.length
    const {code, stdout, stderr} = await check('--images', 'list.txt')
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    expect(stdout).toContain('1 image: 1 from the mirror')
    expect(registry.requests).toHaveLength(before)
  })

  test('ends with 4 if an image leaks or is refused, with the URL that decides', async () => {
    await write('mixed.txt', 'gcr.io/team/app:v1\nghcr.io/a/b:1\nquay.io/a/b:1\ngcr.io/forbidden/x:1\n')
    const {code, stdout} = await check('--images', 'mixed.txt', '--json')
    expect(code).toBe(4)
    const {schema, totals, images} = JSON.parse(stdout) as Record<string, unknown>
    expect({schema, totals}).toEqual({
      schema: 'mirror.check/v1',
      totals: {images: 4, 'from-mirror': 1, leaks: 1, fails: 0, refused: 2},
    })
    expect(images).toMatchObject([
      {status: 'from-mirror'},
      {status: 'leaks', url: 'https://ghcr.io/v2/a/b/manifests/1'},
      {status: 'refused', reason: expect.stringMatching(/quay\.io is blocked/)},
      {status: 'refused', reason: expect.stringMatching(/rejected by policy/)},
    ])
  })

  test('asks the private registry by the tag or the digest of the pods, and says what it lacks', async () => {
    const image = (name: string): object => ({name: 'c', image: name})
    const pods = {
      kind: 'List',
      items: [
        {kind: 'Pod', spec: {containers: [image('gcr.io/team/app:v1'), image(`gcr.io/team/app@${digest}`)]}},
        {kind: 'Pod', spec: {containers: [image('gcr.io/team/app:v2')]}},
      ],
    }
    await write('pods.json', JSON.stringify(pods))
    const {code, stdout} = await asking('--pods', 'pods.json')
    expect(code).toBe(4)
    expect(stdout).toContain(`from the mirror  gcr.io/team/app@${digest}`)
    expect(stdout).toContain(`gcr.io is asked: ${registry.host} does not have it`)
    expect(stdout).toContain('3 images: 2 from the mirror, 1 leaks')
  })

  test('compares with the places of a report, and names what did not arrive', async () => {
    const row = (source: string, target: string, status: string): object => ({
      source,
      target: `${registry.host}/${target}`,
      status,
    })
    const report = (target: string, ...more: readonly object[]): string =>
      JSON.stringify({
        schema: 'mirror.report/v1',
        target: `${registry.host}/mirror`,
        images: [row('gcr.io/team/app:v1', target, 'pushed'), ...more],
      })
    await write('report.json', report('mirror/team/app:v1'))
    expect((await check('--report', 'report.json')).code).toBe(0)
    await write('report.json', report('mirror/gcr.io/team/app:v1'))
    const {code, stdout} = await check('--report', 'report.json')
    expect(code).toBe(4)
    await write(
      'report.json',
      report('mirror/team/app:v1', row('gcr.io/team/lost:v1', 'mirror/team/lost:v1', 'failed')),
    )
    const lost = await check('--report', 'report.json')
    expect(lost.code).toBe(4)
    expect(lost.stdout).toContain('gcr.io is asked: the report says that it did not arrive')
    expect(stdout).toContain(`the image went to ${registry.host}/mirror/gcr.io/team/app:v1, not there`)
  })

  test('ends with 2 without images, with two kinds of them, or with a file that holds no pods', async () => {
    await write('list.txt', 'gcr.io/team/app:v1\n')
    expect((await check()).code).toBe(2)
    expect((await check('--images', 'list.txt', '--pods', 'list.txt')).code).toBe(2)
    const {code, stderr} = await check('--pods', 'node/etc/containers/registries.conf')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: /)
  })

  test('ends with 1 if the private registry cannot be used', async () => {
    await write('list.txt', 'gcr.io/team/app:v1\n')
    const {code, stderr} = await check(
      '--images',
      'list.txt',
      '--private-registry',
      registry.host,
      '--need-credential=false',
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/certificate/)
  })
})
