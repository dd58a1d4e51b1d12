import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {requireTool, runChild} from '@airgap-mirror/test/kit'
import {readDeployed, readYaml} from '../docs/examples.js'
import {root} from '../docs/pages.js'
import {faultsOfManifest, manifestsIn, type Manifest} from './manifests.js'

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

function renderedBy(kustomization: string): Promise<readonly Manifest[]> {
  return runChild('kubectl', ['kustomize', join(root, 'deploy/kubernetes', kustomization)]).then(
    ({code, stdout, stderr}) => {
      if (code !== 0) throw new Error(stderr)
      return manifestsIn(stdout)
    },
  )
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
    const rendered = await renderedBy('base')
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

  test('kubectl puts the shards beside a base whose nightly sync is suspended', async (context) => {
    requireTool(context, 'kubectl')
    const {stdout} = await runChild('kubectl', ['version', '--client'])
    const minor = Number(/v1\.(\d+)\./.exec(stdout)?.[1] ?? 0)
    context.skip(
      minor < 21,
      'this kubectl is older than 1.21: its kustomize knows no directories in resources',
    )
    const rendered = await renderedBy('shards')
    expect(rendered.flatMap(faultsOfManifest)).toEqual([])
    const byKind = new Map(rendered.map((manifest) => [manifest.kind, manifest]))
    expect(byKind.get('CronJob')?.spec).toMatchObject({suspend: true})
    expect(podOf(byKind.get('Job')).volumes).toContainEqual({
      name: 'config',
      configMap: {name: byKind.get('ConfigMap')?.metadata.name},
    })
  })
})
