import type {EmitRequest, EmittedFile, Emission} from './emission.js'
import {mirrorUrl} from './mirror-url.js'
import {cannotCut, notExpressible} from './not-expressible.js'
import {hostBases, refuseAllHosts} from './routes.js'

const HUB = 'docker.io'

/**
 * daemon.json and certs.d of Docker, which mirrors Docker Hub alone and only at the root of a registry.
 * @throws {MirrorError} NOT_EXPRESSIBLE
 */
export function emitDocker(request: EmitRequest): Emission {
  const {access, fallback} = request
  if (fallback === 'cut') throw cannotCut('docker', 'it always asks Docker Hub after its mirrors')
  refuseUnlessHub(request, 'docker')
  const daemon = {
    'registry-mirrors': [mirrorUrl(access, '')],
    'insecure-registries': access.skipVerify ? [access.registry] : undefined,
  }
  const directory = `etc/docker/certs.d/${access.registry}`
  const certificates: readonly EmittedFile[] = access.plainHttp
    ? []
    : [
        ...(access.ca === undefined ? [] : [{path: `${directory}/ca.crt`, text: access.ca}]),
        ...(access.clientCert === undefined
          ? []
          : [{path: `${directory}/client.cert`, text: access.clientCert}]),
        ...(access.clientKey === undefined
          ? []
          : [{path: `${directory}/client.key`, text: access.clientKey, isSecret: true}]),
      ]
  return {
    files: [
      {path: 'etc/docker/daemon.json', text: `${JSON.stringify(daemon, undefined, 2)}\n`},
      ...certificates,
    ],
    notes: [
      'If a node has an /etc/docker/daemon.json, add registry-mirrors to it. Then restart docker.',
      'Docker sends no login to a mirror: let the registry be read without one.',
    ],
  }
}

/** @throws {MirrorError} NOT_EXPRESSIBLE for images of other hosts, and for a namespace */
function refuseUnlessHub({mapping}: EmitRequest, target: string): void {
  refuseAllHosts(mapping, target)
  const bases = hostBases(mapping, target)
  const hosts = [...bases.keys()].filter((host) => host !== HUB)
  if (hosts.length > 0) {
    const images = mapping.images.filter(({source}) => source.registry !== HUB)
    throw notExpressible(`${target} mirrors docker.io alone, not ${hosts.join(', ')}`, {
      images,
      hint: 'Use another runtime, or name the private registry in the pods: --for kustomize.',
    })
  }
  if ((bases.get(HUB) ?? '') !== '') {
    throw notExpressible(`${target} cannot name a path below the private registry`, {
      images: mapping.images,
      hint: 'Push without a namespace, so that docker.io is mirrored at the root of the registry.',
    })
  }
}
