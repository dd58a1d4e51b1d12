import {defined} from '@airgap-mirror/oci-client/model'
import {stringify} from 'yaml'
import {heading, isOlder, type EmitRequest, type Emission, type RegistryAccess} from './emission.js'
import {ALL_HOSTS} from './mapping.js'
import {mirrorUrl} from './mirror-url.js'
import {hostBases} from './routes.js'

/** A patch of the machine configuration: documents of their own since Talos 1.12, `machine.registries` before. */
export function emitTalos(request: EmitRequest): Emission {
  const bases = new Map(hostBases(request.mapping, 'talos'))
  if (bases.has(ALL_HOSTS) && !bases.has(request.access.registry)) bases.set(request.access.registry, '')
  const documents = isOlder(request, 1, 12) ? [oldForm(request, bases)] : newForm(request, bases)
  const text = documents.map((document) => stringify(document, {lineWidth: 0})).join('---\n')
  const {login} = request.access
  return {
    files: [
      {
        path: 'machine.yaml',
        text: heading('a patch of the machine configuration.') + text,
        isSecret: login !== undefined || request.access.clientKey !== undefined,
      },
    ],
    notes: [
      'Apply with: talosctl patch machineconfig --patch @machine.yaml.',
      ...(login === undefined
        ? [
            'Talos has no file to name a login in: write it with --inline-credentials, or give pods an imagePullSecret.',
          ]
        : []),
    ],
  }
}

interface MirrorEntry {
  readonly name: string
  readonly base: string
  readonly access: RegistryAccess
  readonly fallback: EmitRequest['fallback']
}

function mirrorDocument({name, base, access, fallback}: MirrorEntry): object {
  return {
    apiVersion: 'v1alpha1',
    kind: 'RegistryMirrorConfig',
    name,
    endpoints: [{url: mirrorUrl(access, base), overridePath: base === '' ? undefined : true}],
    skipFallback: fallback === 'cut' ? true : undefined,
  }
}

function newForm({access, fallback}: EmitRequest, bases: ReadonlyMap<string, string>): readonly object[] {
  const apiVersion = 'v1alpha1'
  const tls = tlsOf(access)
  return [
    ...[...bases].map(([name, base]) => mirrorDocument({name, base, access, fallback})),
    ...(tls === undefined ? [] : [{apiVersion, kind: 'RegistryTLSConfig', name: access.registry, ...tls}]),
    ...(access.login === undefined
      ? []
      : [{apiVersion, kind: 'RegistryAuthConfig', name: access.registry, ...access.login}]),
  ]
}

function oldForm({access, fallback}: EmitRequest, bases: ReadonlyMap<string, string>): object {
  const mirrors = [...bases].map(([name, base]) => [
    name,
    {
      endpoints: [mirrorUrl(access, base)],
      overridePath: base === '' ? undefined : true,
      skipFallback: fallback === 'cut' ? true : undefined,
    },
  ])
  const tls = tlsOf(access)
  const encoded =
    tls === undefined
      ? undefined
      : {...tls, ca: tls.ca === undefined ? undefined : Buffer.from(tls.ca).toString('base64')}
  const config = defined({
    auth: access.login,
    tls: encoded,
  })
  return {
    machine: {
      registries: {
        mirrors: Object.fromEntries(mirrors) as object,
        config: Object.keys(config).length === 0 ? undefined : {[access.registry]: config},
      },
    },
  }
}

interface Tls {
  readonly ca?: string
  readonly clientIdentity?: {readonly cert: string; readonly key: string}
  readonly insecureSkipVerify?: boolean
}

/** Absent without TLS: Talos refuses TLS settings for an http endpoint. */
function tlsOf({plainHttp, ca, clientCert, clientKey, skipVerify}: RegistryAccess): Tls | undefined {
  const tls = defined({
    ca,
    clientIdentity:
      clientCert === undefined || clientKey === undefined ? undefined : {cert: clientCert, key: clientKey},
    insecureSkipVerify: skipVerify || undefined,
  })
  return plainHttp || Object.keys(tls).length === 0 ? undefined : tls
}
