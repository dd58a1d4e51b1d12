import {stringify} from 'yaml'
import {heading, type EmitRequest, type Emission} from './emission.js'
import type {MappedImage} from './mapping.js'
import {notExpressible} from './not-expressible.js'

interface Replacement {
  readonly name: string
  readonly newName: string
  readonly newTag?: string
}

/** A component with an `images:` list for every spelling of each name. */
export function emitKustomize({mapping, access}: EmitRequest): Emission {
  if (mapping.bases.size > 0) {
    throw notExpressible('kustomize replaces names of images, not whole hosts', {
      images: mapping.images,
      hint: 'Name the images with --images, --source or --report.',
    })
  }
  const images = replacementsOf(mapping.images).flatMap(({name, newName, newTag}) =>
    spellings(name).map((spelled) => entry(spelled, {newName, newTag})),
  )
  const component = {apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component', images}
  return {
    files: [
      {
        path: 'mirror/kustomization.yaml',
        text:
          heading(`images of ${access.registry} take the place of these.`) +
          stringify(component, {lineWidth: 0}),
      },
    ],
    notes: [
      'Name the directory under components: in a kustomization. Images in CRDs and in arguments are not found by kustomize.',
      `Pods need an imagePullSecret for ${access.registry}.`,
    ],
  }
}

/** @throws {MirrorError} NOT_EXPRESSIBLE if tags of one repository go to several names, or a digest would change */
function replacementsOf(images: readonly MappedImage[]): readonly Replacement[] {
  const byName = new Map<string, MappedImage[]>()
  for (const image of images) {
    const {registry, repository} = image.source
    const name = `${registry}/${repository}`
    byName.set(name, [...(byName.get(name) ?? []), image])
  }
  return [...byName].map(([name, own]) => {
    const replacements = own.map(replacementOf)
    const [first] = replacements
    if (
      first === undefined ||
      replacements.some((other) => JSON.stringify(other) !== JSON.stringify(first))
    ) {
      throw notExpressible('kustomize gives all tags of a name one new name', {images: own})
    }
    return entry(name, first)
  })
}

function entry(
  name: string,
  {newName, newTag}: {readonly newName: string; readonly newTag?: string},
): Replacement {
  return newTag === undefined ? {name, newName} : {name, newName, newTag}
}

function replacementOf({source, target}: MappedImage): {newName: string; newTag?: string} {
  const newName = `${target.registry}/${target.repository}`
  if (target.digest !== source.digest) {
    throw notExpressible('kustomize cannot change a digest', {images: [{source, target}]})
  }
  const isSame = target.tag === source.tag || (source.tag === undefined && target.tag === 'latest')
  return isSame || target.tag === undefined ? {newName} : {newName, newTag: target.tag}
}

/** kustomize compares names as they are written in the manifests. */
function spellings(name: string): readonly string[] {
  if (!name.startsWith('docker.io/')) return [name]
  const path = name.slice('docker.io/'.length)
  const [, bare] = /^library\/([^/]+)$/.exec(path) ?? []
  const paths = bare === undefined ? [path] : [path, bare]
  return [
    // Without its host a path such as b.c/app would be an image of the registry b.c.
    ...paths.filter((own) => !/^(?:localhost|[^/]*[.:][^/]*)\//.test(own)),
    ...paths.map((own) => `docker.io/${own}`),
    ...paths.map((own) => `index.docker.io/${own}`),
  ]
}
