import {cp, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {requireTool, runChild, withTempDir} from '@airgap-mirror/test/kit'
import {readDeployed, readYaml} from '../docs/examples.js'
import {codeBlocks, readPages, root} from '../docs/pages.js'
import {renderedBy} from './kustomize.js'
import {faultsOfManifest, manifestsIn, type Manifest} from './manifests.js'

const manifests = join(root, 'deploy/kubernetes')
const page = readPages()
  .filter(({path}) => path === 'docs/kubernetes.md')
  .flatMap(codeBlocks)
const [cronJob] = manifestsIn(readDeployed('kubernetes/base/cronjob.yaml'))
const [claim] = manifestsIn(readDeployed('kubernetes/base/state.yaml'))
const [job] = manifestsIn(readDeployed('kubernetes/shards/job.yaml'))

/** Rules of the security profile "restricted", and a little more. */
const RESTRICTED = {
  restartPolicy: 'Never',
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    seccompProfile: {type: 'RuntimeDefault'},
  },
  containers: [
    {
      image: 'registry.example:5000/tools/mirror',
      command: ['mirror'],
      resources: {requests: {memory: '256Mi'}, limits: {memory: '1Gi'}},
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: {drop: ['ALL']},
      },
    },
  ],
}

interface Pod {
  readonly containers: readonly [
    {
      readonly args: readonly string[]
      readonly volumeMounts: readonly {readonly name: string; readonly readOnly?: boolean}[]
    },
  ]
  readonly volumes: readonly {
    readonly name: string
    readonly persistentVolumeClaim?: {readonly claimName: string}
  }[]
}

function podOf(manifest: Manifest | undefined): Pod {
  const spec = manifest?.spec as {readonly jobTemplate?: {readonly spec: object}}
  return (spec.jobTemplate?.spec ?? spec)['template' as never]['spec']
}

describe('the manifests for Kubernetes', () => {
  test.each([
    ['CronJob', cronJob],
    ['PersistentVolumeClaim', claim],
    ['Job', job],
  ])('the %s is as Kubernetes describes it', (kind, manifest) => {
    expect(manifest).toMatchObject({kind})
    expect(manifest && faultsOfManifest(manifest)).toEqual([])
  })

  test('a field that Kubernetes does not know, and a value of another type, are noticed', () => {
    const misspelt = {
      ...cronJob,
      spec: {...(cronJob?.spec as object), scedule: '', suspend: 'no'},
    } as Manifest
    expect(faultsOfManifest(misspelt)).toEqual([
      expect.stringContaining('"scedule"'),
      expect.stringContaining('/spec/suspend must be boolean'),
    ])
  })

  test('the CronJob runs one at a time, without root, and writes to its volume alone', () => {
    expect(cronJob?.spec).toMatchObject({schedule: '30 2 * * *', concurrencyPolicy: 'Forbid'})
    const pod = podOf(cronJob)
    expect(pod).toMatchObject(RESTRICTED)
    expect(pod).toMatchObject({securityContext: {fsGroup: 65532, fsGroupChangePolicy: 'OnRootMismatch'}})
    const [{volumeMounts}] = pod.containers
    expect(volumeMounts.filter(({readOnly}) => readOnly !== true)).toEqual([
      {name: 'state', mountPath: '/var/lib/mirror'},
    ])
    expect(volumeMounts.map(({name}) => name)).toEqual(pod.volumes.map(({name}) => name))
    expect(pod.volumes.find(({name}) => name === 'state')?.persistentVolumeClaim?.claimName).toBe(
      claim?.metadata.name,
    )
  })

  test('the Job has a shard for each completion index, without root, and writes to nothing', () => {
    const {completions} = (job?.spec ?? {}) as {readonly completions?: number}
    expect(job?.spec).toMatchObject({
      completionMode: 'Indexed',
      parallelism: completions,
      maxFailedIndexes: completions,
      podFailurePolicy: {rules: [{action: 'FailJob', onExitCodes: {values: [2]}}]},
    })
    const pod = podOf(job)
    expect(pod).toMatchObject(RESTRICTED)
    const [{args, volumeMounts}] = pod.containers
    expect(args).toContain(`--shard=$(JOB_COMPLETION_INDEX)/${completions}`)
    expect(args).not.toContain('--prune')
    expect(volumeMounts.filter(({readOnly}) => readOnly !== true)).toEqual([])
    expect(volumeMounts.map(({name}) => name)).toEqual(pod.volumes.map(({name}) => name))
  })

  test('each kustomization names the files beside it', () => {
    expect(readYaml(readDeployed('kubernetes/base/kustomization.yaml'))).toMatchObject([
      {
        resources: ['state.yaml', 'cronjob.yaml'],
        configMapGenerator: [{name: 'mirror', files: ['config/mirror.yaml', 'config/k3s-images.txt']}],
      },
    ])
    expect(readYaml(readDeployed('kubernetes/shards/kustomization.yaml'))).toMatchObject([
      {
        resources: ['../base', 'job.yaml'],
        patches: [{target: {kind: 'CronJob', name: cronJob?.metadata.name}}],
      },
    ])
  })

  test('kubectl puts the base together, and the CronJob mounts the generated job file', async (context) => {
    requireTool(context, 'kubectl')
    const rendered = await renderedBy(manifests, 'base')
    expect(rendered.flatMap(faultsOfManifest)).toEqual([])
    const byKind = new Map(rendered.map((manifest) => [manifest.kind, manifest]))
    expect([...byKind.keys()].toSorted()).toEqual(['ConfigMap', 'CronJob', 'PersistentVolumeClaim'])
    const config = byKind.get('ConfigMap')
    expect(config?.metadata.name).toMatch(/^mirror-[a-z0-9]{10}$/)
    expect(config?.data?.['mirror.yaml']).toBe(readDeployed('kubernetes/base/config/mirror.yaml'))
    expect(podOf(byKind.get('CronJob')).volumes).toContainEqual({
      name: 'config',
      configMap: {name: config?.metadata.name},
    })
  })

  test('the Secrets that the page makes have the keys that the pods read', async (context) => {
    requireTool(context, 'kubectl')
    const commands = page.flatMap(({text}) => text.match(/^kubectl create secret .*$/gm) ?? [])
    expect(commands).toHaveLength(2)
    await withTempDir(async (directory) => {
      await writeFile(join(directory, 'config.json'), '{"auths": {}}')
      await writeFile(join(directory, 'ca.pem'), 'PEM')
      const secrets = await Promise.all(
        commands.map(async (command) => {
          const {stdout} = await runChild('sh', ['-c', `${command} --dry-run=client -o json`], {
            cwd: directory,
          })
          return JSON.parse(stdout) as Manifest
        }),
      )
      const keys = secrets.map(({metadata, data}) => [metadata.name, Object.keys(data ?? {})])
      expect(Object.fromEntries(keys)).toEqual({
        'mirror-logins': ['.dockerconfigjson'],
        'mirror-ca': ['ca.pem'],
      })
    })
    for (const {volumes} of [podOf(cronJob), podOf(job)]) {
      expect(volumes).toContainEqual(
        expect.objectContaining({
          secret: {secretName: 'mirror-logins', items: [{key: '.dockerconfigjson', path: 'config.json'}]},
        }),
      )
      expect(volumes).toContainEqual({name: 'ca', secret: {secretName: 'mirror-ca'}})
    }
  })

  test('kubectl puts the overlay of the page over the base', async (context) => {
    requireTool(context, 'kubectl')
    const [overlay = ''] = page.flatMap(({language, text}) => (language === 'yml' ? [text] : []))
    await withTempDir(async (directory) => {
      await cp(join(root, 'deploy'), join(directory, 'deploy'), {recursive: true})
      await writeFile(join(directory, 'kustomization.yaml'), overlay)
      await writeFile(join(directory, 'mirror.yaml'), 'jobs: []\n')
      await writeFile(join(directory, 'k3s-images.txt'), 'busybox\n')
      const rendered = await renderedBy(directory)
      expect(rendered.flatMap(faultsOfManifest)).toEqual([])
      const byKind = new Map(rendered.map((manifest) => [manifest.kind, manifest]))
      expect(byKind.get('ConfigMap')?.data).toEqual({
        'mirror.yaml': 'jobs: []\n',
        'k3s-images.txt': 'busybox\n',
      })
      expect(podOf(byKind.get('CronJob')).containers).toMatchObject([
        {image: 'harbor.corp.example/tools/mirror:0.1.0'},
      ])
    })
  })

  test('kubectl puts the shards beside a base whose nightly sync is suspended', async (context) => {
    requireTool(context, 'kubectl')
    const rendered = await renderedBy(manifests, 'shards')
    expect(rendered.flatMap(faultsOfManifest)).toEqual([])
    const byKind = new Map(rendered.map((manifest) => [manifest.kind, manifest]))
    expect(byKind.get('CronJob')?.spec).toMatchObject({suspend: true})
    expect(podOf(byKind.get('Job')).volumes).toContainEqual({
      name: 'config',
      configMap: {name: byKind.get('ConfigMap')?.metadata.name},
    })
  })
})
