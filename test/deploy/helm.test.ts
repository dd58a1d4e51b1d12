import {readdirSync, readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, test, type TestContext} from 'vitest'
import {requireTool, withTempDir} from '@airgap-mirror/test/kit'
import {argv} from '../e2e/argv.js'
import {readDeployed, readYaml} from '../docs/examples.js'
import {root} from '../docs/pages.js'
import {faultsOfManifest, faultsOfValues, kubectl, manifestsIn, type Manifest} from './manifests.js'

interface Values {
  readonly [name: string]: unknown
}

const templates = readdirSync(join(root, 'deploy/helm/mirror/templates')).filter((name) =>
  name.endsWith('.yaml'),
)
const parts = readDeployed('helm/mirror/templates/_parts.tpl')
const [chart] = readYaml(readDeployed('helm/mirror/Chart.yaml')) as [Values]
const [defaults] = readYaml(readDeployed('helm/mirror/values.yaml')) as [Values]

/**
 * Renders the chart with kubectl, which has Go's template engine as helm has, but none of helm's own functions. So the
 * templates use none of them. Of the steps that helm takes around its templates, only the merge of values is repeated here.
 */
async function rendered(context: TestContext, values: Values = {}): Promise<readonly Manifest[]> {
  requireTool(context, 'kubectl')
  const given = coalesced(defaults, values)
  expect(faultsOfValues(given)).toEqual([])
  const input = {
    apiVersion: 'example.com/v1',
    kind: 'Input',
    metadata: {name: 'input'},
    Values: given,
    Chart: {AppVersion: chart['appVersion']},
    Release: {Name: 'night', Service: 'Helm', Revision: 3},
  }
  return withTempDir(async (directory) => {
    const place = join(directory, 'input.json')
    await writeFile(place, JSON.stringify(input))
    const texts = await Promise.all(
      templates.map(async (name) => {
        const template = join(directory, name)
        await writeFile(template, parts + readDeployed(`helm/mirror/templates/${name}`))
        const print = `go-template-file=${template}`
        const {code, stdout, stderr} = await kubectl(
          argv`label --local --dry-run=client -f ${place} a=b -o ${print}`,
        )
        expect({code, stderr}).toEqual({code: 0, stderr: ''})
        return stdout
      }),
    )
    return texts.flatMap(manifestsIn).filter((manifest) => manifest !== null)
  })
}

/** Puts values over the defaults as helm does: maps are merged, and null takes a key away. */
function coalesced(under: Values, over: Values): Values {
  const merged: Record<string, unknown> = {...under}
  for (const [key, value] of Object.entries(over)) {
    const below = under[key]
    if (value === null) delete merged[key]
    else merged[key] = isMap(value) && isMap(below) ? coalesced(below, value) : value
  }
  return merged
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kinds(manifests: readonly Manifest[]): readonly string[] {
  return manifests.map(({kind}) => kind).toSorted()
}

/** Without what a release gives names and labels to. */
function unnamed(manifest: Manifest | undefined): unknown {
  const text = JSON.stringify(manifest?.spec, (key, value: unknown) =>
    ['labels', 'matchLabels', 'imagePullSecrets', 'nodeSelector', 'suspend'].includes(key)
      ? undefined
      : value,
  )
  return JSON.parse(
    text
      .replaceAll('"night-state"', '"mirror-state"')
      .replaceAll('{"name":"night"}', '{"name":"mirror"}')
      .replaceAll(`tools/mirror:${String(chart['appVersion'])}`, 'tools/mirror'),
  )
}

describe('the Helm chart', () => {
  test('has the version of the program', () => {
    const {version} = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8')) as {
      version: string
    }
    expect(chart).toMatchObject({apiVersion: 'v2', name: 'mirror', version, appVersion: version})
  })

  test('has defaults that its schema takes', () => {
    expect(faultsOfValues(defaults)).toEqual([])
  })

  test.each([
    ['a key that is misspelt', {nigthly: {}}, 'additional properties'],
    ['shards that are no number', {fill: {shards: 'eight'}}, '/fill/shards must be integer'],
    ['a flag without dashes', {flags: ['prune']}, '/flags/0 must match pattern'],
    ['a list in the place of the job file', {lists: {'mirror.yaml': ''}}, 'property name must be valid'],
    ['no size of the state', {state: {size: 'big', storageClass: ''}}, '/state/size must match pattern'],
  ])('refuses %s', (_what, values, fault) => {
    expect(faultsOfValues({...defaults, ...values}).join('\n')).toContain(fault)
  })

  test('makes the same CronJob as the base for kustomize', async (context) => {
    const manifests = await rendered(context)
    expect(manifests.flatMap(faultsOfManifest)).toEqual([])
    expect(kinds(manifests)).toEqual(['ConfigMap', 'CronJob', 'PersistentVolumeClaim'])
    const [cronJob] = manifestsIn(readDeployed('kubernetes/base/cronjob.yaml'))
    expect(unnamed(manifests.find(({kind}) => kind === 'CronJob'))).toEqual(unnamed(cronJob))
    const config = manifests.find(({kind}) => kind === 'ConfigMap')
    const files = ['mirror.yaml', 'k3s-images.txt'].map((name) => [
      name,
      readDeployed(`kubernetes/base/config/${name}`),
    ])
    expect(config?.data).toEqual(Object.fromEntries(files))
  })

  test('makes the same Job of shards as the overlay for kustomize, and suspends the nightly sync', async (context) => {
    const manifests = await rendered(context, {fill: {shards: 8}})
    expect(manifests.flatMap(faultsOfManifest)).toEqual([])
    const [job] = manifestsIn(readDeployed('kubernetes/shards/job.yaml'))
    const own = manifests.find(({kind}) => kind === 'Job')
    expect(unnamed(own)).toEqual(unnamed(job))
    expect(own?.metadata.name).toBe('night-fill-3')
    expect(manifests.find(({kind}) => kind === 'CronJob')?.spec).toMatchObject({suspend: true})
  })

  test('takes every value as text, whatever is in it', async (context) => {
    const config = 'jobs: [{name: "a: {{ b }} \\\\ é \u2028"}]\n'
    const manifests = await rendered(context, {
      config,
      lists: {'own.txt': '# "quoted" \t\n', 'other-list': '', 'k3s-images.txt': null},
      image: {repository: 'harbor.example/tools/mirror', tag: '1.2.3', pullSecrets: ['pull: "a"', 'b']},
      ca: {secret: ''},
      flags: ['--limit-rate=50MB', '--exclude=**/*-windows*: "x"'],
      resources: {limits: {memory: '2Gi', cpu: 2}},
      nodeSelector: {'kubernetes.io/arch': 'arm64'},
      state: {size: '5Gi', storageClass: 'fast: "disk"'},
    })
    expect(manifests.flatMap(faultsOfManifest)).toEqual([])
    expect(manifests.find(({kind}) => kind === 'ConfigMap')?.data).toEqual({
      'mirror.yaml': config,
      'own.txt': '# "quoted" \t\n',
      'other-list': '',
    })
    expect(manifests.find(({kind}) => kind === 'PersistentVolumeClaim')?.spec).toMatchObject({
      storageClassName: 'fast: "disk"',
    })
    const cronJob = manifests.find(({kind}) => kind === 'CronJob')?.spec
    expect(cronJob).toMatchObject({
      jobTemplate: {
        spec: {
          template: {
            spec: {
              imagePullSecrets: [{name: 'pull: "a"'}, {name: 'b'}],
              nodeSelector: {'kubernetes.io/arch': 'arm64'},
              containers: [
                {
                  image: 'harbor.example/tools/mirror:1.2.3',
                  resources: {limits: {memory: '2Gi', cpu: '2'}, requests: {cpu: '500m', memory: '256Mi'}},
                  args: expect.arrayContaining(['--limit-rate=50MB', '--exclude=**/*-windows*: "x"']),
                },
              ],
            },
          },
        },
      },
    })
    expect(JSON.stringify(cronJob)).not.toContain('mirror-ca')
  })
})
