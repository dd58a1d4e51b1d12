import {openRegistry, staticCredentials, type Registry} from '@airgap-mirror/oci-client'
import {
  digestOf,
  isMirrorError,
  mediaTypes,
  messageOf,
  parseManifest,
  verified,
  type BlobSource,
  type Descriptor,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import {seededBytes, type Authority, type KeyPair} from '@airgap-mirror/test/kit'
import {
  startRegistry,
  type FaultRule,
  type RegistryOptions,
  type RequestRecord,
  type TestRegistry,
} from '@airgap-mirror/test/registry'

/**
 * The way of one small image into a registry that meets every kind of request: look at the tag, mount a layer, send a large
 * one, send the config, tag, look again.
 */
export interface Journey {
  readonly rules: readonly FaultRule[]
  readonly served?: RegistryOptions
  /** Absent: plain HTTP. */
  readonly tls?: {readonly authority: Authority; readonly pair: KeyPair}
  /** Milliseconds; default a fifth of a second. */
  readonly retryMaxWait?: number
  readonly retries?: number
}

export interface Outcome {
  /** `ok`, or the code of the error that ended it. */
  readonly end: string
  readonly error: unknown
  readonly requests: readonly RequestRecord[]
  readonly retries: number
  /** Faults that a success must not leave, and faults that no outcome excuses. */
  readonly wrong: readonly string[]
}

export const REPOSITORY = 'team/app'
const USER = {name: 'pusher', password: 'a:colon'}
const MiB = 1024 * 1024

export const layer = blobOf(seededBytes('base', 30_000), mediaTypes.ociLayerGzip)
const large = blobOf(seededBytes('large', 1.5 * MiB), mediaTypes.ociLayerGzip)
const config = blobOf(Buffer.from('{"architecture":"amd64","os":"linux"}'), mediaTypes.ociConfig)
export const manifest: Manifest = parseManifest(
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: config.content,
      layers: [layer.content, large.content],
    }),
  ),
  {mediaType: mediaTypes.ociManifest},
)

/** Silences that count as such: long enough for a machine that does thirty of these at once. */
export const TIMEOUTS = {connect: 5000, answer: 3000, commit: 3000, stall: 3000}

/** An outage is waited for as long as all retries wait: by far longer than a slow machine takes between two of them. */
const SHORT_WAIT = 200

export async function travel(journey: Journey): Promise<Outcome> {
  await using registry = await startRegistry({
    auth: {type: 'token', users: [USER]},
    strict: true,
    ...journey.served,
    tls: journey.tls?.pair,
  })
  await registry.addBlob('team/base', layer.bytes)
  registry.setFaults(journey.rules)
  await using client = openRegistry({
    registry: registry.host,
    side: 'target',
    plainHttp: journey.tls === undefined,
    tls: journey.tls === undefined ? {} : {ca: [journey.tls.authority.ca]},
    credentials: staticCredentials({username: USER.name, password: USER.password, origin: 'the test'}),
    timeouts: TIMEOUTS,
    retries: journey.retries ?? 5,
    retryMaxWait: journey.retryMaxWait ?? SHORT_WAIT,
  })
  const error = await carry(client, registry.host).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return {
    end: endOf(error),
    error,
    requests: registry.requests,
    retries: client.usage.retries,
    wrong: [
      ...registry.violations,
      ...registry.fsck(),
      ...credentialsElsewhere(registry),
      ...(error === undefined ? await missingFrom(registry) : []),
    ],
  }
}

/** @throws whatever the client throws */
export async function carry(client: Registry, host: string): Promise<void> {
  const tag = {registry: host, repository: REPOSITORY, tag: 'v1'}
  await client.ping()
  if ((await client.resolve(tag)) !== undefined) throw new Noticed('the tag was there before the push')
  const base = await client.putBlob(REPOSITORY, layer, {mountFrom: ['team/base']})
  const sent = await client.putBlob(REPOSITORY, large)
  await client.putBlob(REPOSITORY, config)
  await client.putManifest(tag, manifest)
  const now = await client.resolve(tag)
  if (now?.digest !== manifest.descriptor.digest) throw new Noticed(`the tag points at ${now?.digest}`)
  for (const {descriptor} of [base, sent]) {
    if (!(await client.hasBlob(REPOSITORY, descriptor.digest)))
      throw new Noticed(`${descriptor.digest} is gone`)
  }
}

/** Something that this journey sees to be wrong, and the client cannot. */
class Noticed extends Error {}

/** `ok`, an error's code, what the journey noticed itself, or a bug. */
export function endOf(error: unknown): string {
  if (error === undefined) return 'ok'
  if (isMirrorError(error)) return error.code
  return `${error instanceof Noticed ? 'noticed' : 'bug'}: ${messageOf(error)}`
}

async function missingFrom(registry: TestRegistry): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const {content, bytes} of [layer, large, config]) {
    const stored = await registry.blob(REPOSITORY, content.digest)
    if (stored === undefined || Buffer.compare(stored, bytes) !== 0)
      wrong.push(`${content.digest} is not there`)
  }
  if (registry.manifest(REPOSITORY, 'v1')?.digest !== manifest.descriptor.digest)
    wrong.push('the tag is wrong')
  return wrong
}

/** A credential may only ever be seen by the registry's own origin, in these runs. */
function credentialsElsewhere({requests}: TestRegistry): readonly string[] {
  return requests
    .filter(({origin, authorization}) => origin === 'other' && authorization !== undefined)
    .map(({method, path}) => `a credential went to another origin with ${method} ${path}`)
}

interface Held extends BlobSource {
  readonly content: Descriptor
  readonly bytes: Buffer
}

function blobOf(bytes: Buffer, mediaType: string): Held {
  const content = {mediaType, digest: digestOf(bytes), size: bytes.length}
  return {
    bytes,
    content,
    open: ({offset = 0} = {}) => {
      const rest = pieces(bytes.subarray(offset))
      return offset === 0 ? verified(rest, content, {what: 'the blob'}) : rest
    },
  }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
