import {MirrorError} from '@airgap-mirror/oci-client/model'
import {emitContainerd} from './containerd.js'
import {emitContainers} from './containers.js'
import {emitDocker} from './docker.js'
import type {EmitRequest, Emission, RegistryAccess} from './emission.js'
import {emitBmctl, emitGkectl, emitTerraform} from './gdc.js'
import {emitK3s} from './k3s.js'
import {emitKind, emitMinikube} from './local-clusters.js'
import {emitKustomize} from './kustomize.js'
import {emitOpenshift} from './openshift.js'
import {emitPolicy} from './policy.js'
import {emitTalos} from './talos.js'
import type {EmitTarget} from './targets.js'

/**
 * The configuration that makes a target pull by the mapping of a push.
 * @throws {MirrorError} NOT_EXPRESSIBLE naming the images, USAGE
 */
export function emit(target: EmitTarget, request: EmitRequest): Emission {
  refuseForeignOptions(target, request)
  const {files, notes} = EMITTERS[target](request)
  return {files, notes: [...notes, ...keyNotes(target, request.access)]}
}

/** A private key is only named unless credentials are to be written. */
function keyNotes(target: EmitTarget, {clientCert, clientKey}: RegistryAccess): readonly string[] {
  if (clientCert === undefined || clientKey !== undefined) return []
  if (target === 'talos') {
    throw new MirrorError('USAGE', 'Talos has no file to name a private key in', {
      hint: 'Write the key into the configuration with --inline-credentials.',
    })
  }
  return ['Put the private key as client.key beside every client.cert: without it nodes ignore the mirror.']
}

const EMITTERS: Readonly<Record<EmitTarget, (request: EmitRequest) => Emission>> = {
  containerd: emitContainerd,
  k3s: (request) => emitK3s(request, {product: 'k3s'}),
  rke2: (request) => emitK3s(request, {product: 'rke2'}),
  bmctl: emitBmctl,
  gkectl: emitGkectl,
  terraform: emitTerraform,
  openshift: emitOpenshift,
  crio: (request) => emitContainers(request, {target: 'crio'}),
  podman: (request) => emitContainers(request, {target: 'podman'}),
  docker: emitDocker,
  talos: emitTalos,
  kind: emitKind,
  minikube: emitMinikube,
  kustomize: emitKustomize,
  policy: emitPolicy,
}

/** Targets whose files have no place for a login. */
const LOGINLESS: ReadonlySet<EmitTarget> = new Set([
  'docker',
  'kind',
  'minikube',
  'terraform',
  'kustomize',
  'policy',
])

/** A setting that has no effect would be believed to have one. */
function refuseForeignOptions(
  target: EmitTarget,
  {admit, blocked, searched, signatureKey, isDeprecated, access}: EmitRequest,
): void {
  const hasPolicies = target === 'crio' || target === 'podman' || target === 'openshift'
  const given: readonly (readonly [string, boolean])[] = [
    ['--admit', admit !== undefined && !hasPolicies],
    ['--block', blocked.length > 0 && !hasPolicies],
    ['--search', searched.length > 0 && !hasPolicies],
    ['--signature-key', signatureKey !== undefined && !hasPolicies],
    ['--inline-credentials', access.login !== undefined && LOGINLESS.has(target)],
    ['--deprecated-mirrors', isDeprecated && target !== 'containerd'],
  ]
  const [flag] = given.filter(([, isForeign]) => isForeign).map(([name]) => name)
  if (flag !== undefined) throw new MirrorError('USAGE', `${flag} has no effect on ${target}`)
}
