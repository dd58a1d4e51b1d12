import {describe, expect, it} from 'vitest'
import {MirrorError, parseReference, type Descriptor} from '#src/model/index.js'
import {addImage, makeImage, startScripted} from '../../../test/kit/index.js'
import {kinds} from './registry-kit.js'
import {copyImage, errorOf, rootOf, useSources} from './source-kit.js'

const {serve, open, sink} = useSources()

describe('resolving', () => {
  it('asks one HEAD for each tag and nothing else', async () => {
    const registry = await serve()
    const names: string[] = []
    for (let index = 0; index < 30; index++) {
      await addImage(registry, await makeImage({seed: `i${index}`}), {
        repository: `team/app${index}`,
        tag: 'v1',
      })
      names.push(`${registry.host}/team/app${index}:v1`)
    }
    const source = open(names)
    const images = await source.images()
    expect(images.map(({name}) => name)).toEqual(names.map(parseReference))
    expect(kinds(registry)).toEqual(names.map(() => 'manifest-head'))
    expect(await source.images()).toBe(images)
    expect(source.usage.requests).toBe(names.length)
  })

  it('asks for a token once a repository, and is refused once for want of it', async () => {
    const auth = {type: 'token' as const, users: [], anonymous: 'pull' as const}
    const registry = await serve({auth})
    const names: string[] = []
    for (let index = 0; index < 20; index++) {
      await addImage(registry, await makeImage({seed: 'token'}), {
        repository: `app${index % 10}`,
        tag: `v${index}`,
      })
      names.push(`${registry.host}/app${index % 10}:v${index}`)
    }
    await open(names).images()
    const seen = kinds(registry)
    expect(seen.filter((kind) => kind === 'token')).toHaveLength(10)
    expect(seen.filter((kind) => kind === 'manifest-head')).toHaveLength(names.length + 1)
  })

  it('asks by GET where HEAD tells no digest', async () => {
    const image = await makeImage({seed: 'headless'})
    const faults = [
      {
        match: {kind: 'manifest-head' as const},
        times: Infinity,
        fault: {type: 'headers' as const, headers: {'docker-content-digest': undefined}},
      },
    ]
    const registry = await serve({faults})
    await addImage(registry, image, {repository: 'a', tag: 'v1'})
    const source = open([`${registry.host}/a:v1`])
    const [first] = await source.images()
    expect(first && rootOf(first).digest).toBe(image.root.descriptor.digest)
    expect(kinds(registry)).toEqual(['manifest-head', 'manifest-get'])
  })

  it('tells of one that is not there, and of a registry that is not there, and goes on', async () => {
    const registry = await serve()
    const image = await makeImage({seed: 'here'})
    await addImage(registry, image, {repository: 'a', tag: 'v1'})
    const gone = await serve()
    await gone.close()
    const names = [
      `${gone.host}/x:v1`,
      `${registry.host}/a:none`,
      `${registry.host}/a:v1`,
      `${registry.host}/b:v1`,
    ]
    const images = await open(names).images()
    expect(images).toHaveLength(4)
    const [away, untagged, there, unknown] = images
    expect(away && errorOf(away).code).toBe('UNREACHABLE')
    expect(untagged && errorOf(untagged)).toMatchObject({code: 'NOT_FOUND', side: 'source'})
    expect(there && rootOf(there)).toEqual({...image.root.descriptor, platform: undefined})
    expect(unknown && errorOf(unknown).code).toBe('NOT_FOUND')
  })

  it('tells of a registry that cannot be connected to at all by its images', async () => {
    const registryFor = (): never => {
      throw new MirrorError('CONFIG_INVALID', 'no settings for that host')
    }
    const [image] = await open(['registry.example/a:v1'], {registryFor}).images()
    expect(image && errorOf(image).code).toBe('CONFIG_INVALID')
  })

  it('takes the digest where a tag stands beside it, though the tag has moved', async () => {
    const registry = await serve()
    const [old, moved] = [await makeImage({seed: 'old'}), await makeImage({seed: 'new'})]
    await addImage(registry, old, {repository: 'a', tag: 'v1'})
    await addImage(registry, moved, {repository: 'a', tag: 'v1'})
    const name = `${registry.host}/a:v1@${old.root.descriptor.digest}`
    const [image] = await open([name]).images()
    expect(image?.name).toEqual(parseReference(name))
    expect(image && rootOf(image).digest).toBe(old.root.descriptor.digest)
  })

  it('does not ask for what an earlier run has seen and cannot have changed', async () => {
    const registry = await serve()
    const image = await makeImage({seed: 'pinned'})
    await addImage(registry, image, {repository: 'a', tag: 'v1'})
    const {digest, size, mediaType} = image.root.descriptor
    const known: Descriptor = {digest, size, mediaType}
    const source = open([`${registry.host}/a@${digest}`], {known: () => known})
    const [found] = await source.images()
    expect(registry.requests).toEqual([])
    expect(found && rootOf(found)).toBe(known)
    expect((await source.manifest(known)).descriptor.digest).toBe(digest)
  })

  it('asks once for a name that is given twice', async () => {
    const registry = await serve()
    await addImage(registry, await makeImage({seed: 'twice'}), {repository: 'a', tag: 'v1'})
    const name = `${registry.host}/a:v1`
    expect(await open([name, name]).images()).toHaveLength(1)
    expect(registry.requests).toHaveLength(1)
  })

  it('ends when it is cancelled', async () => {
    const registry = await serve({latency: 5000})
    const stop = new AbortController()
    const source = open([`${registry.host}/a:v1`], {signal: stop.signal})
    setTimeout(() => stop.abort(), 30)
    await expect(source.images()).rejects.toMatchObject({code: 'CANCELLED'})
  })

  it('waits as a registry asks it to', async () => {
    const tooMany = {type: 'status' as const, status: 429, headers: {'retry-after': '0'}}
    const registry = await serve({faults: [{times: 2, fault: tooMany}]})
    await addImage(registry, await makeImage({seed: 'busy'}), {repository: 'a', tag: 'v1'})
    const source = open([`${registry.host}/a:v1`])
    const [image] = await source.images()
    expect(image && rootOf(image).size).toBeGreaterThan(0)
    expect(source.usage).toMatchObject({requests: 3, retries: 2})
  })

  it('warns once that little is left of a rate limit, and once that nothing is', async () => {
    let remaining = 12
    const image = await makeImage({seed: 'rated'})
    const {digest, mediaType} = image.root.descriptor
    await using server = await startScripted({
      '*': () => ({
        headers: {
          'ratelimit-limit': '100;w=21600',
          'ratelimit-remaining': `${Math.max(--remaining, 0)};w=21600`,
          'content-type': mediaType,
          'docker-content-digest': digest,
        },
        body: image.root.bytes,
      }),
    })
    const warnings: string[] = []
    const names = Array.from({length: 15}, (_, index) => `${server.host}/app${index}:v1`)
    const connect = {concurrency: 1, onWarning: (text: string) => void warnings.push(text)}
    await open(names, {connect}).images()
    expect(warnings).toEqual([
      expect.stringMatching(/^127\.0\.0\.1:\d+ leaves 10 of 100 requests in 360 minutes: /),
      expect.stringMatching(/^127\.0\.0\.1:\d+ leaves no more requests in 360 minutes: /),
    ])
  })
})

describe('Docker Hub', () => {
  it('is connected to at the host of its API, with the login that is kept under docker.io', async () => {
    const asked: string[] = []
    const urls: string[] = []
    const hub = await serve({auth: {type: 'basic', users: [{name: 'u', password: 'p'}]}})
    const image = await makeImage({seed: 'hub'})
    await addImage(hub, image, {repository: 'library/busybox', tag: '1'})
    const source = open(['busybox:1'], {
      connect: {
        // Its name cannot be resolved here: the proxy takes it to be the test's registry.
        proxy: {httpProxy: hub.url},
        credentials: async ({registry}) => {
          asked.push(registry)
          return {kind: 'basic', username: 'u', password: 'p'}
        },
        onExchange: ({url}) => urls.push(url),
      },
    })
    const [found] = await source.images()
    expect(urls[0]).toBe('http://registry-1.docker.io/v2/library/busybox/manifests/1')
    expect(asked).toEqual(['docker.io'])
    expect(found?.name?.registry).toBe('docker.io')
  })
})

describe('mirrors', () => {
  it('are tried in their order, and content comes from where its image was found', async () => {
    const [dead, empty, full] = [await serve(), await serve(), await serve()]
    await dead.close()
    const image = await makeImage({seed: 'mirrored'})
    await addImage(full, image, {repository: 'mirror/app', tag: 'v1'})
    const mirrors = ({tag = ''}: {tag?: string}) =>
      [`${dead.host}/app`, `${empty.host}/app`, `${full.host}/mirror/app`].map((name) =>
        parseReference(`${name}:${tag}`),
      )
    const source = open(['registry.example/app:v1'], {mirrors})
    const [found] = await source.images()
    expect(found?.name).toEqual(parseReference('registry.example/app:v1'))
    const target = await serve()
    const root = found === undefined ? undefined : rootOf(found)
    if (root === undefined) throw new Error('nothing found')
    await copyImage(source, sink(target.host), {root, target: parseReference(`${target.host}/app:v1`)})
    expect(target.manifest('app', 'v1')?.digest).toBe(image.root.descriptor.digest)
  })

  it('that all fail are all named, and the last one decides what it was', async () => {
    const [dead, broken] = [
      await serve(),
      await serve({faults: [{times: Infinity, fault: {type: 'status', status: 403}}]}),
    ]
    await dead.close()
    const mirrors = () => [dead, broken].map(({host}) => parseReference(`${host}/app:v1`))
    const [found] = await open(['registry.example/app:v1'], {mirrors}).images()
    const error = found && errorOf(found)
    expect(error?.code).toBe('DENIED')
    expect(error?.message).toContain(dead.host)
    expect(error?.message).toContain(broken.host)
  })

  it('are told with the name that each was asked for, when none has the image', async () => {
    const [empty, dead] = [await serve(), await serve()]
    await dead.close()
    const messageFor = async (...places: readonly string[]): Promise<string | undefined> => {
      const mirrors = () => places.map(parseReference)
      const [found] = await open(['registry.example/app:3.6'], {mirrors}).images()
      return found && errorOf(found).message
    }
    expect(await messageFor(`${empty.host}/a/b/c:3.6`)).toBe(
      `registry.example/app:3.6: not at http://${empty.host} (404, as a/b/c:3.6)`,
    )
    expect(await messageFor(`${empty.host}/a/b/c:3.6`, `${dead.host}/app:3.6`)).toBe(
      `registry.example/app:3.6: not at http://${empty.host} (404, as a/b/c:3.6); ${dead.host} refuses the connection`,
    )
  })

  it('that give other bytes for a manifest are passed over', async () => {
    const [liar, honest] = [await serve(), await serve()]
    const image = await makeImage({seed: 'liar'})
    for (const registry of [liar, honest]) await addImage(registry, image, {repository: 'app', tag: 'v1'})
    liar.setFaults([{match: {kind: 'manifest-get'}, times: Infinity, fault: {type: 'corrupt'}}])
    const mirrors = () => [liar, honest].map(({host}) => parseReference(`${host}/app:v1`))
    const source = open(['registry.example/app:v1'], {mirrors})
    const [found] = await source.images()
    const manifest = found && (await source.manifest(rootOf(found)))
    expect(manifest?.descriptor.digest).toBe(image.root.descriptor.digest)
  })
})
