import {explained, shown, type Contents} from './cluster-kit.js'

export const DIGEST = `sha256:${'ab'.repeat(32)}`
export const A = 'mirror-a.example.net:5443'
export const B = 'mirror-b.example.net:5443'
export const C = 'mirror-c.example.net:5443'
export const RELEASE = `quay.io/openshift-release-dev/ocp-release@${DIGEST}`

export interface Rule {
  readonly source: string
  readonly mirrors?: readonly string[]
  readonly mirrorSourcePolicy?: string
}

const KINDS = {
  ImageDigestMirrorSet: ['config.openshift.io/v1', 'imageDigestMirrors'],
  ImageTagMirrorSet: ['config.openshift.io/v1', 'imageTagMirrors'],
  ImageContentSourcePolicy: ['operator.openshift.io/v1alpha1', 'repositoryDigestMirrors'],
} as const

function mirrorSet(kind: keyof typeof KINDS, ...rules: readonly Rule[]): string {
  const [apiVersion, list] = KINDS[kind]
  return `${JSON.stringify({apiVersion, kind, metadata: {name: 'set'}, spec: {[list]: rules}})}\n`
}

export function idms(...rules: readonly Rule[]): string {
  return mirrorSet('ImageDigestMirrorSet', ...rules)
}

export function itms(...rules: readonly Rule[]): string {
  return mirrorSet('ImageTagMirrorSet', ...rules)
}

export function icsp(...rules: readonly Rule[]): string {
  return mirrorSet('ImageContentSourcePolicy', ...rules)
}

/** `image.config.openshift.io/cluster`. */
export function image(
  registrySources: Readonly<Record<string, readonly string[]>>,
  more: object = {},
): string {
  return JSON.stringify({
    apiVersion: 'config.openshift.io/v1',
    kind: 'Image',
    metadata: {name: 'cluster'},
    spec: {registrySources, ...more},
  })
}

export function files(...manifests: readonly string[]): Contents {
  return Object.fromEntries(manifests.map((text, index) => [`/manifests/${index}.yaml`, text]))
}

export function tried(reference: string, ...manifests: readonly string[]): readonly string[] {
  return shown(explained(reference, 'openshift', files(...manifests)))
}
