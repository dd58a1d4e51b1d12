import {messageOf} from '@airgap-mirror/oci-client/model'
import type {NodeFiles} from '../files/node-files.js'
import {findLogin, type AuthFile, type FoundLogin} from './auth-files.js'
import type {CrioConfig} from './crio-config.js'
import {hostCertificates} from './host-certificates.js'
import type {ImageName} from './image-name.js'
import type {NodeUser} from './node-user.js'
import {parsePolicy} from './policy.js'
import {readRegistries} from './read-registries.js'
import type {Registries} from './registries.js'
import type {Setup} from './setup.js'

const KUBELET_LOGINS = '/var/lib/kubelet/config.json'

export interface NodeSetupOptions {
  readonly user: NodeUser
  /** Present for CRI-O. */
  readonly crio?: CrioConfig
}

/**
 * The setup of podman, skopeo or CRI-O from the files of a node.
 * @throws {Error} worded as containers/image does; then no image can be pulled
 */
export function nodeSetup(files: NodeFiles, {user, crio}: NodeSetupOptions): Setup {
  const registries = readRegistries(files, {home: user.home})
  const policy = readPolicy(files, {user, path: crio?.signaturePolicy})
  const roots = [`${user.home}/.config/containers/certs.d`, '/etc/containers/certs.d', '/etc/docker/certs.d']
  const authFiles = authFilesOf(files, {user, globalFile: crio?.globalAuthFile})
  return {
    registries,
    certificates: (host) => hostCertificates(host, {files, roots}),
    login: (name, logical) => {
      const pods = crio === undefined ? undefined : podLogin(files, {name, logical})
      return pods ?? loginOf(name, {files, authFiles, registries})
    },
    policy,
  }
}

function readPolicy(
  files: NodeFiles,
  {user, path}: {readonly user: NodeUser; readonly path: string | undefined},
): Setup['policy'] {
  const places =
    path === undefined
      ? [`${user.home}/.config/containers/policy.json`, '/etc/containers/policy.json']
      : [path]
  const found = places.find((place) => files.text(place) !== undefined)
  if (found === undefined) return undefined
  try {
    return {policy: parsePolicy(files.text(found) ?? ''), path: found}
  } catch (cause) {
    throw new Error(`invalid policy in "${found}": ${messageOf(cause)}`, {cause})
  }
}

function authFilesOf(
  files: NodeFiles,
  {user, globalFile}: {readonly user: NodeUser; readonly globalFile: string | undefined},
): readonly AuthFile[] {
  if (globalFile !== undefined) return [{path: globalFile}]
  const runtime = user.runtimeAuth.find((path) => files.text(path) !== undefined)
  return [
    ...(runtime === undefined ? [] : [{path: runtime}]),
    {path: `${user.home}/.config/containers/auth.json`},
    {path: `${user.home}/.docker/config.json`},
    {path: `${user.home}/.dockercfg`, legacy: true},
  ]
}

/** The kubelet sends the node's logins as the pod's. CRI-O uses them for the registry itself, never for a mirror elsewhere. */
function podLogin(
  files: NodeFiles,
  {name, logical}: {readonly name: ImageName; readonly logical: ImageName},
): FoundLogin | undefined {
  if (name.domain !== logical.domain) return undefined
  const found = findLogin(name, {files, authFiles: [{path: KUBELET_LOGINS}]})
  return found.auth === 'none' ? undefined : found
}

/** External credential helpers come in the order of `credential-helpers`; their logins cannot be known from files. */
function loginOf(
  name: ImageName,
  {
    files,
    authFiles,
    registries,
  }: {readonly files: NodeFiles; readonly authFiles: readonly AuthFile[]; readonly registries: Registries},
): FoundLogin {
  for (const helper of registries.credentialHelpers) {
    if (helper !== 'containers-auth.json')
      return {auth: 'credential-helper', from: `credential-helpers: ${helper}, for ${name.domain}`}
    const found = findLogin(name, {files, authFiles})
    if (found.auth !== 'none' || found.problem !== undefined) return found
  }
  return {auth: 'none'}
}
