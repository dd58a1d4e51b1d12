import {stringify} from 'yaml'
import {MirrorError, defined} from '@airgap-mirror/oci-client/model'
import type {RewriteRule} from '../../names/rewrite.js'
import {heading, type EmitRequest, type EmittedFile, type Emission, type RegistryAccess} from './emission.js'
import {ALL_HOSTS, type Mapping} from './mapping.js'
import {mirrorUrl} from './mirror-url.js'
import {repositoriesOf, under, usualBase} from './routes.js'

interface Mirror {
  readonly endpoint: readonly string[]
  readonly rewrite?: Readonly<Record<string, string>>
}

/** `registries.yaml`, and the setting that takes the default endpoint away. */
export function emitK3s(request: EmitRequest, {product}: {readonly product: 'k3s' | 'rke2'}): Emission {
  const {access, mapping, fallback} = request
  const mirrors = mirrorsOf(mapping, {access, product})
  if (fallback === 'cut' && mirrors.has(access.registry) && !mapping.bases.has(ALL_HOSTS)) {
    throw new MirrorError(
      'NOT_EXPRESSIBLE',
      `--fallback cut is not possible for ${access.registry}: an entry of configs with the key of a mirrored registry brings its default endpoint back`,
      {hint: 'Leave out the images whose source is the private registry itself.'},
    )
  }
  const directory = `etc/rancher/${product}`
  const tls = `${directory}/mirror-certs`
  const configs = configOf(access, `/${tls}`)
  const text =
    heading(`pulled from ${access.registry}. Restart ${product} after every change.`) +
    (configs === undefined
      ? ''
      : '# Keys of configs are the host and port of an endpoint. "*" would reach no endpoint, and the key of a mirrored\n# registry would bring its default endpoint back.\n') +
    stringify(
      {
        mirrors: Object.fromEntries(mirrors),
        configs: configs === undefined ? undefined : {[access.registry]: configs},
      },
      {lineWidth: 0, defaultStringType: 'PLAIN', defaultKeyType: 'PLAIN'},
    )
  const cut: readonly EmittedFile[] =
    fallback === 'keep'
      ? []
      : [
          {
            path: `${directory}/config.yaml.d/mirror.yaml`,
            text: `${heading('no registry that registries.yaml mirrors is asked itself.')}disable-default-registry-endpoint: true\n`,
          },
        ]
  return {
    files: [
      {path: `${directory}/registries.yaml`, text, isSecret: access.login !== undefined},
      ...certificates(access, tls),
      ...cut,
    ],
    notes: [
      `Restart ${product} on every node, servers and agents.`,
      ...(access.login === undefined
        ? [
            `${product} has no file to name a login in: write it with --inline-credentials, or give pods an imagePullSecret.`,
          ]
        : []),
    ],
  }
}

function mirrorsOf(
  mapping: Mapping,
  {access, product}: {readonly access: RegistryAccess; readonly product: string},
): ReadonlyMap<string, Mirror> {
  const mirrors = new Map<string, Mirror>()
  for (const [host, base] of mapping.bases) {
    const rewrite = mapping.rewrite === undefined ? undefined : asEntry(mapping.rewrite)
    mirrors.set(host, {endpoint: [mirrorUrl(access, base)], rewrite})
  }
  for (const [host, repositories] of repositoriesOf(mapping, product)) {
    if (!isCovered(mapping, {host, repositories}))
      mirrors.set(host, mirrorOf(repositories, {mapping, access}))
  }
  // Without an entry of its own the private registry would fall under "*".
  if (mirrors.has(ALL_HOSTS) && !mirrors.has(access.registry)) {
    mirrors.set(access.registry, {endpoint: [mirrorUrl(access, '')]})
  }
  return mirrors
}

function isCovered(
  {bases, rewrite}: Mapping,
  {host, repositories}: {readonly host: string; readonly repositories: ReadonlyMap<string, string>},
): boolean {
  const base = bases.get(host)
  if (base === undefined) return false
  return [...repositories].every(
    ([source, target]) => under(base, rewrite?.apply(source) ?? source) === target,
  )
}

/** A prefix if that is enough, the push's own rule if it is the only one, else an exact rule for each repository. */
function mirrorOf(
  repositories: ReadonlyMap<string, string>,
  {mapping, access}: {readonly mapping: Mapping; readonly access: RegistryAccess},
): Mirror {
  const {rewrite, namespace} = mapping
  const base = usualBase(repositories)
  const all = [...repositories]
  if (base !== undefined && all.every(([source, target]) => under(base, source) === target)) {
    return {endpoint: [mirrorUrl(access, base)]}
  }
  if (
    rewrite !== undefined &&
    all.every(([source, target]) => under(namespace, rewrite.apply(source)) === target)
  ) {
    return {endpoint: [mirrorUrl(access, namespace)], rewrite: asEntry(rewrite)}
  }
  const shared = all.every(([, target]) => target.startsWith(`${namespace}/`)) ? namespace : ''
  const rules = all
    .map(([source, target]) => [source, shared === '' ? target : target.slice(shared.length + 1)] as const)
    .filter(([source, target]) => source !== target)
    .map(([source, target]) => [`^${source.replaceAll('.', String.raw`\.`)}$`, target] as const)
  return {endpoint: [mirrorUrl(access, shared)], rewrite: Object.fromEntries(rules)}
}

function asEntry({text}: RewriteRule): Readonly<Record<string, string>> {
  const split = text.lastIndexOf('=')
  return {[text.slice(0, split)]: text.slice(split + 1)}
}

function configOf(access: RegistryAccess, directory: string): object | undefined {
  const tls = defined({
    ca_file: access.ca === undefined ? undefined : `${directory}/ca.crt`,
    cert_file: access.clientCert === undefined ? undefined : `${directory}/client.cert`,
    key_file: access.clientCert === undefined ? undefined : `${directory}/client.key`,
    insecure_skip_verify: access.skipVerify || undefined,
  })
  const hasTls = !access.plainHttp && Object.keys(tls).length > 0
  if (access.login === undefined && !hasTls) return undefined
  return {auth: access.login, tls: hasTls ? tls : undefined}
}

function certificates(access: RegistryAccess, directory: string): readonly EmittedFile[] {
  if (access.plainHttp) return []
  return [
    ...(access.ca === undefined ? [] : [{path: `${directory}/ca.crt`, text: access.ca}]),
    ...(access.clientCert === undefined ? [] : [{path: `${directory}/client.cert`, text: access.clientCert}]),
    ...(access.clientKey === undefined
      ? []
      : [{path: `${directory}/client.key`, text: access.clientKey, isSecret: true}]),
  ]
}
