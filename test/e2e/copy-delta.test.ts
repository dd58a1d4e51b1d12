import {expect, test} from 'vitest'
import {makeImage, runMirror, type ChildResult} from '@airgap-mirror/test/kit'
import {saveScene} from './save.js'

const platforms = ['linux/amd64', 'linux/arm64']

test.each([
  ['one platform', undefined],
  ['an index', platforms],
])(
  'a copy of a delta with %s is refused before the first byte if the target lacks blobs',
  async (_name, of) => {
    await using scene = await saveScene()
    const app = await makeImage({seed: 'copy-delta', platforms: of})
    const first = await scene.list(await scene.add('app:v1', app))
    const old = await scene.saved(first, 'old.tar')
    const base = app.platforms[0]?.layers ?? []
    const next = await makeImage({seed: 'copy-delta-next', base, platforms: of})
    const delta = await scene.saved(await scene.list(await scene.add('app:v2', next)), 'delta.tar', [
      '--since',
      old,
    ])
    const copy = (to: string, from = delta): Promise<ChildResult> =>
      runMirror(['copy', '--plain-http', `oci-archive:${from}`, to], {home: scene.directory})
    const target = `docker://${scene.target.host}/app`
    for (const to of [`${target}:v2`, `oci:${scene.path('layout')}`]) {
      const {code, stderr} = await copy(to)
      expect({to, code}).toEqual({to, code: 1})
      expect(stderr).toContain(`the target lacks ${base.length} blobs that this delta bundle leaves out: `)
      expect(stderr).toContain(base[0]?.descriptor.digest)
      expect(stderr).not.toContain('--sparse-index')
    }
    expect(scene.target.requests.filter(({method}) => method !== 'GET' && method !== 'HEAD')).toEqual([])
    expect(await copy(`${target}:v1`, old)).toMatchObject({code: 0})
    expect(await copy(`${target}:v2`)).toMatchObject({code: 0})
    expect(scene.target.fsck()).toEqual([])
  },
)
