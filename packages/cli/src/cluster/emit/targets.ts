/** The targets of `config emit`. */
export const emitTargets = [
  'containerd',
  'k3s',
  'rke2',
  'bmctl',
  'gkectl',
  'terraform',
  'openshift',
  'crio',
  'podman',
  'docker',
  'talos',
  'kind',
  'minikube',
  'kustomize',
  'policy',
] as const

export type EmitTarget = (typeof emitTargets)[number]
