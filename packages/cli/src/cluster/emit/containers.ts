import {stringify} from 'yaml'
import {heading, type EmitRequest, type EmittedFile, type Emission, type RegistryAccess} from './emission.js'
import type {Mapping} from './mapping.js'
import {mirrorName, tomlString} from './mirror-url.js'
import {refuseAllHosts, routesOf, type Route} from './routes.js'

const KEY = '/etc/containers/mirror-signatures.pub'

/** Drop-ins of registries.conf, certificates and a policy for podman, skopeo, buildah and CRI-O. */
export function emitContainers(
  request: EmitRequest,
  {target}: {readonly target: 'crio' | 'podman'},
): Emission {
  const {access, mapping, signatureKey} = request
  refuseAllHosts(mapping, target)
  const routes = routesOf(mapping, {target})
  const admitsAll = request.admit === 'any'
  return {
    files: [
      {path: 'etc/containers/registries.conf.d/99-mirror.conf', text: registriesConf(request, routes)},
      ...certificates(access),
      ...(admitsAll ? [] : [{path: 'etc/containers/policy.json', text: policyJson(request)}]),
      ...(admitsAll || signatureKey === undefined ? [] : signatureFiles(request, signatureKey)),
      ...loginFiles(access, target),
    ],
    notes: notes(request, {target, admitsAll}),
  }
}

function registriesConf(
  {access, fallback, blocked, searched}: EmitRequest,
  routes: readonly Route[],
): string {
  const isCut = fallback === 'cut'
  const hosts = new Set(routes.map(({host}) => host))
  const whole = new Set(routes.flatMap(({host, repository}) => (repository === undefined ? [host] : [])))
  // Repositories without a route of their own are cut by an entry of their host.
  const bare = isCut ? [...hosts].filter((host) => !whole.has(host)) : []
  const insecure = access.plainHttp || access.skipVerify
  return [
    heading(
      `pulled from ${access.registry}${isCut ? '; the registries in the names are blocked' : ', then from the registry in the name'}.`,
    ).trimEnd(),
    ...(searched.length === 0
      ? []
      : [`unqualified-search-registries = [${searched.map(tomlString).join(', ')}]`]),
    ...routes.flatMap(({host, repository, path}) => [
      ...registry([host, repository].filter(Boolean).join('/'), {isBlocked: isCut}),
      '',
      '[[registry.mirror]]',
      `location = ${tomlString(mirrorName(access, path))}`,
      ...(insecure ? ['insecure = true'] : []),
    ]),
    ...[...bare, ...blocked.filter((name) => !hosts.has(name))].flatMap((name) =>
      registry(name, {isBlocked: true}),
    ),
    '',
  ].join('\n')
}

function registry(name: string, {isBlocked}: {readonly isBlocked: boolean}): readonly string[] {
  return [
    '',
    '[[registry]]',
    `prefix = ${tomlString(name)}`,
    `location = ${tomlString(name)}`,
    ...(isBlocked ? ['blocked = true'] : []),
  ]
}

/** Rejects everything but the sources: a policy is held against the name that a pod uses, not the mirror's. */
function policyJson({mapping, signatureKey}: EmitRequest): string {
  const scopes = sourceScopes(mapping).map((scope) => [scope, [requirement(signatureKey)]] as const)
  const own = signatureKey === undefined ? [] : ownScopes(mapping)
  return `${JSON.stringify(
    {default: [{type: 'reject'}], transports: {docker: Object.fromEntries([...scopes, ...own])}},
    undefined,
    2,
  )}\n`
}

/** The names of the images, and the hosts that are mirrored as a whole. */
export function sourceScopes({images, bases}: Mapping): readonly string[] {
  const names = images
    .filter(({source}) => !bases.has(source.registry))
    .map(({source}) => `${source.registry}/${source.repository}`)
  return [...new Set([...bases.keys(), ...names])]
}

function requirement(signatureKey: string | undefined): object {
  if (signatureKey === undefined) return {type: 'insecureAcceptAnything'}
  return {type: 'sigstoreSigned', keyPath: KEY, signedIdentity: {type: 'matchRepository'}}
}

/** Pods that name the private registry itself: the signatures still name the source. */
function ownScopes({images}: Mapping): readonly (readonly [string, object])[] {
  return images.map(({source, target}) => {
    const prefix = `${target.registry}/${target.repository}`
    const signedIdentity = {
      type: 'remapIdentity',
      prefix,
      signedPrefix: `${source.registry}/${source.repository}`,
    }
    return [prefix, [{type: 'sigstoreSigned', keyPath: KEY, signedIdentity}]]
  })
}

function signatureFiles({mapping, access}: EmitRequest, key: string): readonly EmittedFile[] {
  const hosts = new Set([
    ...mapping.bases.keys(),
    ...mapping.images.map(({source}) => source.registry),
    access.registry,
  ])
  const docker = Object.fromEntries([...hosts].map((host) => [host, {'use-sigstore-attachments': true}]))
  return [
    {path: KEY.slice(1), text: key},
    {
      path: 'etc/containers/registries.d/mirror.yaml',
      text: heading('signatures are read from the registry.') + stringify({docker}, {lineWidth: 0}),
    },
  ]
}

function certificates(access: RegistryAccess): readonly EmittedFile[] {
  if (access.plainHttp) return []
  const directory = `etc/containers/certs.d/${access.registry}`
  return [
    ...(access.ca === undefined ? [] : [{path: `${directory}/ca.crt`, text: access.ca}]),
    ...(access.clientCert === undefined ? [] : [{path: `${directory}/client.cert`, text: access.clientCert}]),
    ...(access.clientKey === undefined
      ? []
      : [{path: `${directory}/client.key`, text: access.clientKey, isSecret: true}]),
  ]
}

const AUTH_FILES = {crio: 'etc/crio/mirror-auth.json', podman: 'root/.config/containers/auth.json'} as const

function loginFiles(access: RegistryAccess, target: 'crio' | 'podman'): readonly EmittedFile[] {
  const {login, loginPath} = access
  const written = AUTH_FILES[target]
  const named = login === undefined ? loginPath : `/${written}`
  const conf: readonly EmittedFile[] =
    target === 'podman' || named === undefined
      ? []
      : [
          {
            path: 'etc/crio/crio.conf.d/99-mirror.conf',
            text: `${heading('the login for the mirror. Secrets of pods are never sent to a mirror.')}[crio.image]\nglobal_auth_file = ${tomlString(named)}\n`,
          },
        ]
  return [...(login === undefined ? [] : [{path: written, text: authJson(access), isSecret: true}]), ...conf]
}

/** A Docker config.json with the login of the private registry alone. */
export function authJson({registry, login}: RegistryAccess): string {
  const auth = Buffer.from(`${login?.username}:${login?.password}`).toString('base64')
  return `${JSON.stringify({auths: {[registry]: {auth}}}, undefined, 2)}\n`
}

function notes(
  {access}: EmitRequest,
  {target, admitsAll}: {readonly target: 'crio' | 'podman'; readonly admitsAll: boolean},
): readonly string[] {
  const isPodman = target === 'podman'
  return [
    isPodman
      ? 'A user with a ~/.config/containers/registries.conf reads neither /etc/containers/registries.conf nor its drop-ins.'
      : 'Reload CRI-O with: systemctl reload crio.',
    'A later drop-in with the same prefix replaces the whole entry.',
    ...(admitsAll
      ? []
      : ['policy.json rejects every other image, the pause image too unless it is among these.']),
    ...(access.login !== undefined || (!isPodman && access.loginPath !== undefined)
      ? []
      : [
          isPodman
            ? `Log in on each node with: podman login ${access.registry}.`
            : `Give CRI-O a login for ${access.registry} in its global_auth_file: it sends no secret of a pod to a mirror.`,
        ]),
  ]
}
