import {resolve} from 'node:path'
import {stringify} from 'yaml'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {authJson} from './containers.js'
import {heading, type EmitRequest, type EmittedFile, type Emission} from './emission.js'
import {mirrorName, mirrorUrl} from './mirror-url.js'
import {cannotCut, notExpressible} from './not-expressible.js'
import {hostBases, refuseAllHosts} from './routes.js'

const ALWAYS_MIRRORED = 'gcr.io'

export interface RegistryMirror {
  readonly endpoint: string
  readonly caCertPath?: string
  readonly pullCredentialConfigPath?: string
  readonly hosts?: readonly string[]
}

/** The `registryMirrors` of a bmctl cluster file, and the credential file that it names. */
export function bmctlMirror(request: EmitRequest): {
  readonly mirror: RegistryMirror
  readonly files: readonly EmittedFile[]
} {
  const {mapping, access, fallback} = request
  if (fallback === 'cut')
    throw cannotCut('bmctl', 'its nodes always ask the registry in the name after the mirror')
  refuseAllHosts(mapping, 'bmctl')
  const bases = hostBases(mapping, 'bmctl')
  const [[, base = ''] = []] = bases
  const apart = mapping.images.filter(({source}) => bases.get(source.registry) !== base)
  if (apart.length > 0 || [...bases.values()].some((path) => path !== base)) {
    throw notExpressible('bmctl mirrors gcr.io and all hosts through one path of the registry', {
      images: apart.length > 0 ? apart : mapping.images,
      hint: 'Push without --map-host keep.',
    })
  }
  if (access.clientCert !== undefined || access.skipVerify) {
    throw new MirrorError(
      'USAGE',
      'bmctl has no setting for a client certificate or for skipping verification',
    )
  }
  const hosts = [...bases.keys()].filter((host) => host !== ALWAYS_MIRRORED)
  const written = access.login === undefined ? undefined : 'pull-credentials.json'
  const credentials = written === undefined ? access.loginPath : placed(request, written)
  return {
    mirror: {
      endpoint: mirrorUrl(access, base),
      caCertPath: access.caPath === undefined || access.plainHttp ? undefined : access.caPath,
      pullCredentialConfigPath: credentials,
      hosts: hosts.length === 0 ? undefined : hosts,
    },
    files: written === undefined ? [] : [{path: written, text: authJson(access), isSecret: true}],
  }
}

/** The header of a cluster file, before its first `---`. */
export function emitBmctl(request: EmitRequest): Emission {
  const {mirror, files} = bmctlMirror(request)
  const text =
    heading('it belongs before the first --- of a cluster file.') +
    stringify({registryMirrors: [mirror]}, {lineWidth: 0})
  return {files: [{path: 'cluster.yaml', text}, ...files], notes: bmctlNotes(request)}
}

export function bmctlNotes({access}: EmitRequest): readonly string[] {
  return [
    'gcr.io is always mirrored. An image that the mirror lacks is pulled from the registry in its name.',
    ...(access.plainHttp
      ? ['The endpoint is plain HTTP: everything on the way can change what nodes run.']
      : []),
    ...(access.login === undefined && access.loginPath === undefined
      ? ['Name a login with --docker-config FILE: it becomes pullCredentialConfigPath.']
      : []),
  ]
}

/** The parts of an admin cluster file of gkectl, and the entry of its credentials file. */
export function emitGkectl(request: EmitRequest): Emission {
  const {access} = request
  const address = gkectlAddress(request, 'gkectl')
  if (access.caPath === undefined) {
    throw new MirrorError('USAGE', 'gkectl requires the CA of the registry', {
      hint: 'Name the PEM file with --cacert.',
    })
  }
  const entry = 'private-registry-creds'
  const admin = {
    privateRegistry: {
      address,
      credentials: {fileRef: {path: placed(request, 'admin-creds.yaml'), entry}},
      caCertPath: access.caPath,
    },
    proxy: access.proxy === undefined ? undefined : {url: access.proxy, noProxy: access.noProxy},
  }
  const {login} = access
  const credentials = {
    apiVersion: 'v1',
    kind: 'CredentialFile',
    items: [{name: entry, username: login?.username ?? '', password: login?.password ?? ''}],
  }
  const ask = login === undefined ? '# Fill in the login, or let --inline-credentials write it.\n' : ''
  return {
    files: [
      {
        path: 'admin-cluster-private-registry.yaml',
        text: heading('keys of an admin cluster file.') + stringify(admin, {lineWidth: 0}),
      },
      {
        path: 'admin-creds.yaml',
        text: heading('an entry of the credentials file.') + ask + stringify(credentials, {lineWidth: 0}),
        isSecret: true,
      },
    ],
    notes: [
      'gkectl prepare pushes the system images itself: mirror push is for the images of your workloads.',
      'The address cannot be changed once the admin cluster exists.',
      'Advanced clusters keep the names in gcr.io and ask gcr.io for what the registry lacks.',
    ],
  }
}

/** The blocks of a google_gkeonprem_vmware_admin_cluster. */
export function emitTerraform(request: EmitRequest): Emission {
  const {access} = request
  const address = gkectlAddress(request, 'terraform')
  const text = [
    heading('blocks of a google_gkeonprem_vmware_admin_cluster.').trimEnd(),
    '# Limits that Google documents: neither Terraform nor the console supports a private registry for system',
    '# components, and there is no field for credentials. Use gkectl for both.',
    'private_registry_config {',
    `  address = ${JSON.stringify(address)}`,
    ...(access.caPath === undefined ? [] : [`  ca_cert = file(${JSON.stringify(access.caPath)})`]),
    '}',
    ...(access.proxy === undefined
      ? []
      : [
          '',
          'proxy {',
          `  url      = ${JSON.stringify(access.proxy)}`,
          ...(access.noProxy === undefined ? [] : [`  no_proxy = ${JSON.stringify(access.noProxy)}`]),
          '}',
        ]),
    '',
  ].join('\n')
  return {
    files: [{path: 'private-registry.tf.part', text}],
    notes: ['Put the blocks into the resource by hand: alone they are not a valid Terraform file.'],
  }
}

/** @throws {MirrorError} for everything but gcr.io over TLS below one path, and for `cut` */
function gkectlAddress({mapping, access, fallback}: EmitRequest, target: string): string {
  if (fallback === 'cut')
    throw cannotCut(target, 'advanced clusters always ask gcr.io after the private registry')
  if (access.plainHttp || access.skipVerify) {
    throw new MirrorError('USAGE', `${target} needs a registry with TLS and a certificate that is verified`, {
      hint: 'Give the registry a certificate, and name its CA with --cacert.',
    })
  }
  refuseAllHosts(mapping, target)
  const others = mapping.images.filter(({source}) => source.registry !== ALWAYS_MIRRORED)
  const hosts = [...mapping.bases.keys()].filter((host) => host !== ALWAYS_MIRRORED)
  if (others.length > 0 || hosts.length > 0) {
    throw notExpressible(
      `${target} replaces gcr.io alone${hosts.length > 0 ? `, not ${hosts.join(', ')}` : ''}`,
      {images: others},
    )
  }
  return mirrorName(access, hostBases(mapping, target).get(ALWAYS_MIRRORED) ?? '')
}

/** A file of the emission as another one names it. */
function placed({directory}: EmitRequest, path: string): string {
  return directory === undefined ? path : resolve(directory, path)
}
