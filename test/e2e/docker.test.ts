import {
  DOCKER_TOOLS,
  makeImage,
  requireTool,
  runMirror,
  startDocker,
  type ChildResult,
} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {argv} from './argv.js'
import {faultsIn} from './push.js'
import {saveScene} from './save.js'

function succeeded({code, stdout, stderr}: ChildResult): string {
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  return stdout.trim()
}

test('Debian’s docker loads what save wrote for it, and what it saves is pushed, by names and by IDs', async (context) => {
  requireTool(context, ...DOCKER_TOOLS)
  if (process.getuid?.() !== 0) context.skip('dockerd needs the rights of root')
  await using scene = await saveScene()
  const images = [
    await makeImage({seed: 'docker-one', layers: 2}),
    await makeImage({seed: 'docker-two', platforms: ['linux/amd64', 'linux/arm64']}),
  ]
  const names = await Promise.all(images.map((image, index) => scene.add(`team/app:v${index + 1}`, image)))
  const bundle = await scene.saved(await scene.list(...names), 'bundle.tar', ['--docker-compatible'])
  await using docker = await startDocker(scene.directory)
  succeeded(await docker.run('load', '--input', bundle))
  const listed = succeeded(
    await docker.run('images', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}', '--no-trunc'),
  )
  const ids = images.map(({platforms: [first]}) => first?.config.descriptor.digest)
  expect(listed.split('\n').toSorted()).toEqual(names.map((name, index) => `${name} ${ids[index]}`))

  const target = argv`--private-registry ${scene.target.host} --plain-http`
  const byName = scene.path('by-name.tar')
  succeeded(await docker.run('save', '--output', byName, ...names))
  const named = argv`--source ${byName} ${target}`
  succeeded(await runMirror(['push', ...named]))
  succeeded(await runMirror(['verify', '--deep', ...named]))
  expect(scene.target.tags('team/app').toSorted()).toEqual(['v1', 'v2'])

  const byId = scene.path('by-id.tar')
  const [id = ''] = ids
  succeeded(await docker.run('save', '--output', byId, id))
  const map = await scene.write('map.txt', `${id} team/by-id:v1\n`)
  const pushed = await runMirror(['push', ...argv`--source ${byId} ${target} --map ${map}`])
  succeeded(pushed)
  expect(pushed.stderr).not.toContain('does not have')
  expect(scene.target.tags('team/by-id')).toEqual(['v1'])
  expect(faultsIn(scene.target)).toEqual([])
})
