import {stringify} from 'yaml'
import {hostsFiles} from './containerd.js'
import {heading, isOlder, type EmitRequest, type Emission} from './emission.js'
import {mirrorUrl} from './mirror-url.js'

const CERTS = 'etc/containerd/certs.d'

/** A kind cluster whose nodes read the emitted certs.d. */
export function emitKind(request: EmitRequest): Emission {
  const isOld = isOlder(request, 0, 27)
  const cluster = {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    containerdConfigPatches: isOld ? [OLD_PATCH] : undefined,
    nodes: [
      {
        role: 'control-plane',
        extraMounts: [{hostPath: `./${CERTS}`, containerPath: `/${CERTS}`, readOnly: true}],
      },
    ],
  }
  const text = `${heading('run kind in the directory of this file. Every node needs the mount.')}${stringify(cluster, {lineWidth: 0})}`
  return {
    files: [{path: 'kind.yaml', text}, ...hostsFiles(request, CERTS)],
    notes: [
      'Create the cluster with: kind create cluster --config kind.yaml.',
      ...(isOld
        ? []
        : ['Node images before kind 0.27 need a patch: name the version, such as --for kind@0.26.']),
      'The login is not written: give pods an imagePullSecret.',
    ],
  }
}

const OLD_PATCH = `[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
`

/** The files that minikube copies into its node at every start. */
export function emitMinikube(request: EmitRequest): Emission {
  const bases = [
    ...request.mapping.bases.keys(),
    ...request.mapping.images.map(({source}) => source.registry),
  ]
  const isHubAlone = bases.every((host) => host === 'docker.io')
  return {
    files: hostsFiles(request, `.minikube/files/${CERTS}`),
    notes: [
      'Copy .minikube into the home directory, then: minikube start --container-runtime=containerd.',
      ...(isHubAlone
        ? [
            `On the docker runtime only docker.io can be mirrored, without a namespace: minikube start --registry-mirror=${mirrorUrl(request.access, '')}.`,
          ]
        : ['On the docker runtime minikube can mirror docker.io alone.']),
      'The login is not written: give pods an imagePullSecret.',
    ],
  }
}
