import {writeFile} from 'node:fs/promises'
import {
  cleanEnvironment,
  makeImage,
  makeManifest,
  ociLayout,
  rawClient,
  requireTool,
  runChild,
  runMirror,
  skopeo,
  writeDirectory,
  writeTar,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {describe, expect, test} from 'vitest'
import {bundleEntry, content, digest, digestAt, onStage, putImage, putManifest} from './writable-stage.js'

const OCI = 'application/vnd.oci.image.manifest.v1+json'

describe('mirror serve --writable', () => {
  test(
    'keeps what mirror pushes, by tag and digest, over a restart, and in a layout that mirror pushes on',
    onStage(async ({at, serve}) => {
      const image = await makeImage({seed: 'kept', platforms: ['linux/amd64', 'linux/arm64']})
      await writeTar(at('bundle.tar'), ociLayout([bundleEntry(image, 'quay.io/team/app:v1')]))
      const push = (source: string, host: string) =>
        runMirror(['push', '--source', source, '--private-registry', host, '--plain-http', '--no-state'])
      {
        await using server = await serve()
        expect(server.child.stderr).toContain('everybody who reaches this server may push')
        expect(await push(at('bundle.tar'), server.host)).toMatchObject({code: 0})
        expect((await push(at('bundle.tar'), server.host)).stderr).toContain('present')
      }
      await using server = await serve()
      await using client = rawClient(server.url)
      expect((await client.send('GET', '/v2/team/app/tags/list')).json()).toEqual({
        name: 'team/app',
        tags: ['v1'],
      })
      for (const {descriptor} of [image.root, ...image.manifests])
        expect(await digestAt(client, 'team/app', descriptor.digest)).toBe(descriptor.digest)
      for (const {bytes, descriptor} of image.blobs) {
        const {body} = await client.send('GET', `/v2/team/app/blobs/${descriptor.digest}`)
        expect(body.equals(bytes)).toBe(true)
      }
      await using registry = await startRegistry()
      expect(await push(at('pushed'), registry.host)).toMatchObject({code: 0})
      expect(registry.manifest('team/app', 'v1')?.digest).toBe(image.root.descriptor.digest)
      expect(registry.fsck()).toEqual([])
    }),
  )

  test('takes pushes of Debian’s skopeo and podman, and gives them back', (context) => {
    requireTool(context, 'skopeo', 'podman')
    return onStage(async ({at, serve}) => {
      const image = await makeImage({seed: 'tools', layers: 2, layerSize: 30_000})
      await writeDirectory(
        at('layout'),
        ociLayout([{image, annotations: {'org.opencontainers.image.ref.name': 'x'}}]),
      )
      await using server = await serve()
      const to = `docker://${server.host}/team/skopeo:v1`
      await skopeo(['copy', '--dest-tls-verify=false', '--preserve-digests', `oci:${at('layout')}:x`, to])
      await skopeo(['copy', '--src-tls-verify=false', to, `oci:${at('back')}:x`])
      await writeFile(at('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
      const storage = ['--root', at('podman'), '--runroot', at('podman-run'), '--storage-driver', 'vfs']
      const policy = ['--signature-policy', at('policy.json'), '--tls-verify=false']
      const podman = (...args: readonly string[]) =>
        runChild('podman', [...storage, ...args], {env: cleanEnvironment(at())})
      expect(await podman('pull', ...policy, `${server.host}/team/skopeo:v1`)).toMatchObject({code: 0})
      const pushed = `${server.host}/podman:v2`
      expect(await podman('tag', `${server.host}/team/skopeo:v1`, pushed)).toMatchObject({code: 0})
      expect(await podman('push', ...policy, pushed)).toMatchObject({code: 0})
      await using client = rawClient(server.url)
      expect(await digestAt(client, 'team/skopeo', 'v1')).toBe(image.root.descriptor.digest)
      expect((await client.send('GET', '/v2/podman/tags/list')).json()).toMatchObject({tags: ['v2']})
    })()
  })

  test(
    'keeps an image that lost its tag by its digest, lists referrers, and forgets what is deleted',
    onStage(async ({serve}) => {
      const [one, two] = await Promise.all(['one', 'two'].map((seed) => makeImage({seed, layers: 1})))
      if (one === undefined || two === undefined) throw new Error('no images')
      const sbom = makeManifest(
        {
          schemaVersion: 2,
          mediaType: OCI,
          artifactType: 'text/sbom',
          config: one.platforms[0]?.config.descriptor,
          layers: [],
          subject: one.root.descriptor,
        },
        {mediaType: OCI},
      )
      {
        await using server = await serve()
        await using client = rawClient(server.url)
        await putImage(client, one, {repository: 'team/app', tag: 'v1'})
        const put = await putManifest(client, sbom, {repository: 'team/app'})
        expect([put.status, put.headers['oci-subject']]).toEqual([201, one.root.descriptor.digest])
        expect((await putImage(client, two, {repository: 'team/app', tag: 'v1'})).status).toBe(201)
        await putImage(client, two, {repository: 'team/app', tag: 'gone'})
        expect((await client.send('DELETE', '/v2/team/app/manifests/gone')).status).toBe(202)
        expect((await client.send('DELETE', '/v2/team/app/manifests/gone')).status).toBe(404)
        expect((await client.send('DELETE', `/v2/team/app/blobs/${digest}`)).status).toBe(405)
      }
      {
        await using server = await serve()
        await using client = rawClient(server.url)
        const list = await client.send('GET', '/v2/team/app/tags/list')
        expect(list.json()).toMatchObject({tags: ['v1']})
        expect(await digestAt(client, 'team/app', 'v1')).toBe(two.root.descriptor.digest)
        expect(await digestAt(client, 'team/app', one.root.descriptor.digest)).toBe(
          one.root.descriptor.digest,
        )
        const referrers = await client.send('GET', `/v2/team/app/referrers/${one.root.descriptor.digest}`)
        expect(referrers.json()).toMatchObject({
          manifests: [{digest: sbom.descriptor.digest, artifactType: 'text/sbom'}],
        })
        const gone = await client.send('DELETE', `/v2/team/app/manifests/${two.root.descriptor.digest}`)
        expect(gone.status).toBe(202)
      }
      await using server = await serve()
      await using client = rawClient(server.url)
      expect(await digestAt(client, 'team/app', 'v1')).toBeUndefined()
      expect(await digestAt(client, 'team/app', one.root.descriptor.digest)).toBe(one.root.descriptor.digest)
    }),
  )

  test(
    'mounts from bundles that are served beside it, and copies what a pushed image takes from them',
    onStage(async ({at, serve}) => {
      const image = await makeImage({seed: 'beside', platforms: ['linux/amd64', 'linux/arm64']})
      await writeTar(at('bundle.tar'), ociLayout([bundleEntry(image, 'docker.io/library/app:v1')]))
      {
        await using server = await serve('--source', at('bundle.tar'))
        await using client = rawClient(server.url)
        const [blob] = image.blobs
        const from = `mount=${blob?.descriptor.digest}&from=library/app`
        expect((await client.send('POST', `/v2/library/app/blobs/uploads/?${from}`)).status).toBe(201)
        const put = await putManifest(client, image.root, {repository: 'library/app', reference: 'v2'})
        expect(put.status).toBe(201)
        const list = await client.send('GET', '/v2/app/tags/list')
        expect(list.json()).toMatchObject({tags: ['v1', 'v2']})
      }
      const {code, stderr} = await runMirror(['verify', '--source', at('pushed')])
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      await using server = await serve()
      await using client = rawClient(server.url)
      const list = await client.send('GET', '/v2/library/app/tags/list')
      expect(list.json()).toMatchObject({tags: ['v2']})
      for (const {descriptor} of image.manifests)
        expect(await digestAt(client, 'library/app', descriptor.digest)).toBe(descriptor.digest)
    }),
  )

  test(
    'lets only the users of its file push',
    onStage(async ({at, serve}) => {
      await writeFile(at('htpasswd'), HTPASSWD)
      await using server = await serve('--htpasswd', at('htpasswd'))
      expect(server.child.stderr).not.toContain('everybody')
      await using client = rawClient(server.url)
      const post = (headers: Record<string, string>) =>
        client.send('POST', `/v2/a/b/blobs/uploads/?digest=${digest}`, {body: content, headers})
      const basic = (login: string) => ({authorization: `Basic ${Buffer.from(login).toString('base64')}`})
      expect((await post({})).status).toBe(401)
      expect((await post(basic('reader:wrong'))).status).toBe(401)
      expect((await post(basic('reader:secret'))).status).toBe(201)
    }),
  )
})

/** reader:secret */
const HTPASSWD = `reader:$2y$05$WdhumQ42MRAObtT/KjXSgeF99I8bpVhJG5exDIKbCNGgNO/DYLeS6\n`
