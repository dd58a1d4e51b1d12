import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {lacksTool, runChild} from '@airgap-mirror/test/kit'
import type {Outcome, Pull, Scenario} from './scenario.js'

function canUnshare(): boolean {
  const flags = process.getuid?.() === 0 ? [] : ['--map-root-user']
  return spawnSync('unshare', [...flags, '--net', '--mount', 'true']).status === 0
}

/** Each scenario is played in a network and with mounts of its own: nothing of this machine is reached or changed. */
async function play(scenario: Scenario): Promise<Outcome> {
  const program = join(import.meta.dirname, '..', 'dist', 'nodes', 'node.js')
  const isRoot = process.getuid?.() === 0
  const own = [
    ...(isRoot ? [] : ['--map-root-user']),
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ]
  const args = [...own, process.execPath, program, JSON.stringify(scenario)]
  const {code, stdout, stderr} = await runChild('unshare', args, {env: process.env})
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  return JSON.parse(stdout) as Outcome
}

function pullsBy(by: Pull['by'], ...images: readonly string[]): readonly Pull[] {
  return images.map((image) => ({by, image}))
}

function succeeded({pulled}: Outcome): readonly boolean[] {
  return pulled.map(({succeeded: ended}) => ended)
}

const APP = 'gcr.io/team/app:v1'
const BUSYBOX = 'docker.io/library/busybox:1.36'
const TOOL = 'quay.io/team/tool:v2'
const CUT = ['--fallback', 'cut']

/** In CI all of it has to be there; elsewhere a machine may not let its users have networks of their own. */
const lacksNode =
  lacksTool('containerd', 'ctr', 'podman', 'skopeo', 'docker-registry', 'unshare', 'mount', 'ip') ||
  (process.env['CI'] === undefined && !canUnshare())

describe.skipIf(lacksNode)('nodes with emitted configuration', () => {
  test('containerd pulls names of three registries from the mirror, and asks the internet for nothing', async () => {
    const pulls = [...pullsBy('cri', APP, BUSYBOX, TOOL), ...pullsBy('ctr', APP, BUSYBOX, TOOL)]
    const outcome = await play({target: 'containerd', flags: CUT, pulls})
    expect(outcome).toMatchObject({pulled: pulls.map(() => ({succeeded: true})), asked: []})
  })

  test('containerd asks the internet for nothing with a cut fallback, even for an image that the mirror lacks', async () => {
    const outcome = await play({
      target: 'containerd',
      flags: CUT,
      missing: APP,
      pulls: pullsBy('cri', APP, TOOL),
    })
    expect(succeeded(outcome)).toEqual([false, true])
    expect(outcome.asked).toEqual([])
  })

  test('containerd asks the registry in the name after the mirror if the fallback is kept', async () => {
    const pulls = [...pullsBy('cri', APP, BUSYBOX), ...pullsBy('ctr', APP)]
    const outcome = await play({target: 'containerd', flags: [], missing: APP, pulls})
    expect(succeeded(outcome)).toEqual([false, true, false])
    expect(outcome.asked).toContain('gcr.io /v2/team/app/manifests/v1')
    expect(outcome.asked.filter((line) => !line.startsWith('gcr.io '))).toEqual([])
  })

  test('containerd 1.6 pulls by the deprecated form of its configuration', async () => {
    const scenario = {target: 'containerd', flags: ['--deprecated-mirrors'], version: '1.6'} as const
    const outcome = await play({...scenario, pulls: pullsBy('cri', APP, BUSYBOX, TOOL)})
    expect(outcome).toMatchObject({
      pulled: [{succeeded: true}, {succeeded: true}, {succeeded: true}],
      asked: [],
    })
  })

  test('containerd pulls from one entry for all registries, and from the private registry by its own name', async () => {
    const own = 'mirror.example:5000/team/mirror/team/tool:v2'
    const scenario = {target: 'containerd', flags: [...CUT, '--host', '*'], isListless: true} as const
    const outcome = await play({...scenario, pulls: pullsBy('cri', APP, BUSYBOX, own)})
    expect(outcome).toMatchObject({
      pulled: [{succeeded: true}, {succeeded: true}, {succeeded: true}],
      asked: [],
    })
  })

  test('podman and skopeo pull names of three registries from the mirror, and are refused what the policy does not admit', async () => {
    const refused = ['gcr.io/team/unlisted:v1', 'ghcr.io/team/app:v1']
    const pulls = [
      ...pullsBy('podman', APP, BUSYBOX, TOOL, ...refused),
      ...pullsBy('skopeo', APP, BUSYBOX, TOOL, ...refused),
    ]
    const outcome = await play({target: 'podman', flags: [...CUT, '--block', 'ghcr.io'], pulls})
    expect(succeeded(outcome)).toEqual([true, true, true, false, false, true, true, true, false, false])
    const [policy, blocked] = outcome.pulled.filter((pull) => !pull.succeeded)
    expect(policy?.output).toMatch(/rejected by policy/)
    expect(blocked?.output).toMatch(/blocked/)
    expect(outcome.asked).toEqual([])
  })

  test('podman follows a path that was rewritten for one repository, and CRI-O’s login file serves skopeo', async () => {
    const flags = [...CUT, '--rewrite', '^team/app$=moved/deep/app']
    const podman = await play({target: 'podman', flags, pulls: pullsBy('podman', APP, TOOL)})
    expect(podman).toMatchObject({pulled: [{succeeded: true}, {succeeded: true}], asked: []})
    const crio = await play({target: 'crio', flags, pulls: pullsBy('skopeo', APP, TOOL)})
    expect(crio).toMatchObject({pulled: [{succeeded: true}, {succeeded: true}], asked: []})
  })

  test('podman asks the registry in the name after the mirror if the fallback is kept, and not if it is cut', async () => {
    const scenario = {target: 'podman', missing: APP, pulls: pullsBy('podman', APP)} as const
    const kept = await play({...scenario, flags: []})
    expect(kept.asked).toContain('gcr.io /v2/team/app/manifests/v1')
    const cut = await play({...scenario, flags: CUT})
    expect([...succeeded(kept), ...succeeded(cut)]).toEqual([false, false])
    expect(cut.asked).toEqual([])
  })
})
