import {MemorySource} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {Catalog} from '#src/commands/serve/content/catalog.js'
import {served} from '#src/commands/serve/served.js'
import {gather} from '#src/engine/gather.js'

test('the catalog lists repositories under names that a client can ask for, so without a port', async () => {
  const source = new MemorySource()
  const manifest = source.manifestOf([])
  for (const name of ['quay.io/team/app:v1', 'reg.example:5000/team/tool:v1', 'alpine:3'])
    source.image(name, manifest)
  const catalog = new Catalog()
  catalog.add(await gather(source), source)
  const registry = served(catalog, undefined)
  expect([...registry.names()]).toEqual(['docker.io/library/alpine', 'quay.io/team/app', 'team/tool'])
  for (const name of registry.names()) expect(registry.find(name, undefined)).toBeDefined()
})
