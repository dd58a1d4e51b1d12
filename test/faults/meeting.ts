import {openRegistry, staticCredentials, type RegistryOptions} from '@airgap-mirror/oci-client'
import {messageOf} from '@airgap-mirror/oci-client/model'
import {
  startRegistry,
  type RegistryOptions as ServedOptions,
  type TestRegistry,
} from '@airgap-mirror/test/registry'
import {startFront, type Passing, type Twist} from './front.js'
import {carry, endOf, layer, manifest, REPOSITORY, TIMEOUTS} from './journey.js'

export const auth = {type: 'token', users: [{name: 'pusher', password: 'a:colon'}]} as const

export interface Meeting {
  readonly end: string
  readonly message: string
  readonly written: number
  readonly warnings: readonly string[]
  readonly registry: TestRegistry
}

/** The client's way through the front, and what came of it. */
export async function meet(
  twistOf: (passing: Passing) => Twist | undefined,
  {
    served = {auth},
    options = {},
    way = carry,
  }: {
    readonly served?: ServedOptions
    readonly options?: Partial<RegistryOptions>
    readonly way?: typeof carry
  } = {},
): Promise<Meeting> {
  await using registry = await startRegistry(served)
  await registry.addBlob('team/base', layer.bytes)
  await using front = await startFront(registry, twistOf)
  const warnings: string[] = []
  await using client = openRegistry({
    registry: front.host,
    side: 'target',
    plainHttp: true,
    credentials: staticCredentials({username: 'pusher', password: 'a:colon', origin: 'the test'}),
    timeouts: TIMEOUTS,
    retries: 1,
    retryMaxWait: 20,
    onWarning: (text) => warnings.push(text),
    ...options,
  })
  const error: unknown = await way(client, front.host).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return {
    end: endOf(error),
    message: error === undefined ? '' : messageOf(error),
    written: front.written,
    warnings,
    registry,
  }
}

/** Twists the answers that `is` says. */
export function only(is: (passing: Passing) => boolean, twist: Twist) {
  return (passing: Passing): Twist | undefined => (is(passing) ? twist : undefined)
}
export function at(method: string, path: RegExp) {
  return (passing: Passing) => passing.method === method && path.test(passing.path)
}
export function everything(): boolean {
  return true
}

/** Reads the manifest that is already there. */
export async function pull(...[client, host]: Parameters<typeof carry>): Promise<void> {
  const found = await client.manifest({registry: host, repository: REPOSITORY, tag: 'v1'})
  if (found?.descriptor.digest !== manifest.descriptor.digest)
    throw new Error('another manifest was believed')
}
/** The same by its digest. */
export async function pullByDigest(...[client, host]: Parameters<typeof carry>): Promise<void> {
  await client.manifest({registry: host, repository: REPOSITORY, digest: manifest.descriptor.digest})
}
/** Carries an image in undisturbed, and reads its manifest with a twist. */
export async function seeded(twist: Twist, way = pull): Promise<Meeting> {
  let isSeeded = false
  return meet((passing) => (isSeeded && /\/manifests\//.test(passing.path) ? twist : undefined), {
    way: async (client, host) => {
      await carry(client, host)
      isSeeded = true
      await way(client, host)
    },
  })
}
