import {describe, expect, it} from 'vitest'
import {checkImage} from '#src/cluster/check/check-images.js'
import {checkJson, checkLines, checkResult} from '#src/cluster/check/check-output.js'
import type {Holds, Verdict} from '#src/cluster/check/judge.js'
import {parseManifestUrl, placeIn} from '#src/cluster/check/manifest-url.js'
import {podImages} from '#src/cluster/check/pod-images.js'
import {explained, type Contents} from './cluster-kit.js'
import {CONF, DIGEST, MIRRORED} from './registries-conf-kit.js'

const BLOCKED = MIRRORED.replace('[[registry.mirror]]', 'blocked = true\n[[registry.mirror]]')
const REJECTING: Contents = {
  [CONF]: MIRRORED,
  '/etc/containers/policy.json': JSON.stringify({default: [{type: 'reject'}]}),
}

async function verdict(files: Contents | string, holds?: Holds, name = 'gcr.io/p/app:1'): Promise<Verdict> {
  const contents = typeof files === 'string' ? {[CONF]: files} : files
  const {status, reason, url} = await checkImage(name, {
    explain: (reference) => explained(reference, 'podman', contents),
    holds,
  })
  return {status, reason, url}
}

const MIRROR_URL = 'https://mirror.example.net:5443/v2/gcr/p/app/manifests/1'

describe('an image', () => {
  it('comes from the mirror if a mirror is asked first, with the fallback said', async () => {
    expect(await verdict(MIRRORED)).toEqual({
      status: 'from-mirror',
      reason: 'falls back to gcr.io for what the mirror lacks',
      url: MIRROR_URL,
    })
    expect(await verdict(BLOCKED)).toEqual({status: 'from-mirror', url: MIRROR_URL})
  })

  it('leaks if no mirror is asked before the public registry, or if the mirror lacks it', async () => {
    expect(await verdict('')).toMatchObject({
      status: 'leaks',
      reason: 'gcr.io is asked: no mirror is asked before it',
    })
    expect(await verdict(MIRRORED, async () => false)).toEqual({
      status: 'leaks',
      reason: 'gcr.io is asked: mirror.example.net:5443 does not have it',
      url: 'https://gcr.io/v2/p/app/manifests/1',
    })
    expect(await verdict(MIRRORED, async () => 'it answered 403')).toMatchObject({
      reason: 'gcr.io is asked: it answered 403',
    })
    expect(await verdict(MIRRORED, async () => true)).toMatchObject({status: 'from-mirror'})
  })

  it('is judged if no URL can have its host', async () => {
    expect(await verdict('', undefined, 'registry.1/p/app:1')).toMatchObject({
      status: 'leaks',
      reason: 'registry.1 is asked: no mirror is asked before it',
    })
    expect(parseManifestUrl('https://registry.1/v2/p/app/manifests/1')).toBeUndefined()
  })

  it('is refused if the policy rejects it, or if the mirror lacks it and the source is blocked', async () => {
    expect(await verdict(REJECTING)).toMatchObject({status: 'refused'})
    expect(await verdict(BLOCKED, async () => false)).toMatchObject({
      status: 'refused',
      reason: expect.stringMatching(/does not have it; registry gcr\.io is blocked/),
    })
  })

  it('fails if the configuration is broken, if nothing has it, or if its name cannot be read', async () => {
    expect(await verdict('[[registry]]\n')).toMatchObject({status: 'fails'})
    expect(await verdict('', async () => false, 'registry.corp.example:5000/team/app:1')).toEqual({
      status: 'fails',
      reason: 'registry.corp.example:5000 does not have it',
      url: 'https://registry.corp.example:5000/v2/team/app/manifests/1',
    })
    expect(await verdict('', undefined, 'gcr.io/Upper/case:1')).toMatchObject({
      status: 'fails',
      reason: expect.stringMatching(/lower case/),
    })
  })
})

describe('what is shown', () => {
  it('has a row an image with the deciding URL, totals, and each warning once', async () => {
    const options = {
      explain: (name: string) => explained(name, 'podman', {[CONF]: `${BLOCKED}blocked = true\n`}),
    }
    const names = ['gcr.io/p/app:1', 'gcr.io/p/other:1', 'quay.io/a/b:1']
    const result = checkResult(await Promise.all(names.map((name) => checkImage(name, options))))
    expect(checkLines(result)).toEqual([
      'as pulled by podman',
      'assumed: podman runs as root',
      'assumed: policy.json is not among the files: it accepts every image',
      '',
      'from the mirror  gcr.io/p/app:1',
      `                 ${MIRROR_URL}`,
      'from the mirror  gcr.io/p/other:1',
      '                 https://mirror.example.net:5443/v2/gcr/p/other/manifests/1',
      'leaks            quay.io/a/b:1',
      '                 https://quay.io/v2/a/b/manifests/1',
      '                 quay.io is asked: no mirror is asked before it',
      '',
      '3 images: 2 from the mirror, 1 leaks',
      expect.stringMatching(/^warning: .*blocked in \[\[registry\.mirror\]\] is ignored/),
      expect.stringMatching(/^warning: .*the registry itself, gcr\.io, is skipped/),
    ])
    expect(checkJson(result)).toMatchObject({
      schema: 'mirror.check/v1',
      as: 'podman',
      totals: {images: 3, 'from-mirror': 2, leaks: 1, fails: 0, refused: 0},
      images: [
        {reference: 'gcr.io/p/app:1', status: 'from-mirror'},
        {},
        {status: 'leaks', endsAtPublic: true},
      ],
    })
  })
})

describe('images of pods', () => {
  const container = (image: string): object => ({name: 'c', image})

  it('are those of all containers and image volumes, each once, in lists as kubectl writes them', () => {
    const pod = {
      kind: 'Pod',
      spec: {
        initContainers: [container('init:1')],
        containers: [container('gcr.io/p/app:1'), container('init:1')],
        ephemeralContainers: [container('debug:1')],
        volumes: [
          {name: 'v', image: {reference: 'quay.io/models/m:1'}},
          {name: 'e', emptyDir: {}},
        ],
      },
      status: {containerStatuses: [{image: 'other:1'}]},
    }
    expect(podImages(JSON.stringify({kind: 'List', items: [pod, pod]}), {name: 'pods'})).toEqual([
      'init:1',
      'gcr.io/p/app:1',
      'debug:1',
      'quay.io/models/m:1',
    ])
  })

  it('are found in what makes pods, in YAML of several documents', () => {
    const text = `kind: ConfigMap
data: {image: no:1}
---
kind: Deployment
spec: {template: {spec: {containers: [{name: a, image: deployment:1}]}}}
---
kind: CronJob
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: "cron:1"}]}}}}}
---
kind: PodTemplate
template: {spec: {containers: [{name: a, image: template@${DIGEST}}]}}
---
kind: Pod
spec: {containers: [{name: a, image: static:1}, {name: b}]}
`
    expect(podImages(text, {name: 'pods'})).toEqual([
      'deployment:1',
      'cron:1',
      `template@${DIGEST}`,
      'static:1',
    ])
  })

  it('of a file without pods, or of one that is no YAML, are an error', () => {
    expect(() => podImages('kind: ConfigMap\n', {name: 'x.yaml'})).toThrow('x.yaml holds no pod')
    expect(() => podImages('a: [', {name: 'x.yaml'})).toThrow(/^x\.yaml:1: /)
    expect(() => podImages('{"a": '.repeat(200), {name: 'x'})).toThrow('too deeply')
  })
})

describe('the URL of a manifest', () => {
  it('stands for an image only below /v2/ of a host', () => {
    expect(parseManifestUrl(`${MIRROR_URL}?ns=gcr.io`)).toEqual({
      registry: 'mirror.example.net:5443',
      repository: 'gcr/p/app',
      tag: '1',
    })
    expect(parseManifestUrl(`http://h/v2/a/manifests/${DIGEST}`)?.digest).toBe(DIGEST)
    expect(parseManifestUrl('https://h/api/a/manifests/1')).toBeUndefined()
  })

  it('is in a registry with or without the usual port', () => {
    const place = {registry: 'mirror.example.net', repository: 'a'}
    expect(placeIn(place, 'Mirror.example.net:443')).toBe(true)
    expect(placeIn(place, 'mirror.example.net:5443')).toBe(false)
  })
})
