import {cp, readFile, writeFile} from 'node:fs/promises'
import {basename, join} from 'node:path'
import {withTempDir} from '@airgap-mirror/test/kit'
import {readYaml} from '../docs/examples.js'
import {kubectl, manifestsIn, type Manifest} from './manifests.js'

interface Kustomization {
  readonly resources?: readonly string[]
  readonly patches?: readonly {readonly target: object; readonly patch: string}[]
}

/** Returns what `kubectl kustomize` makes of a directory below `root`. */
export async function renderedBy(root: string, directory = '.'): Promise<readonly Manifest[]> {
  if (await readsDirectories()) return render(join(root, directory))
  return withTempDir(async (temporary) => {
    const copy = join(temporary, basename(root))
    await cp(root, copy, {recursive: true})
    await putInOldForm(join(copy, directory))
    return render(join(copy, directory))
  })
}

async function render(directory: string): Promise<readonly Manifest[]> {
  const {code, stdout, stderr} = await kubectl(['kustomize', directory])
  if (code !== 0) throw new Error(stderr)
  return manifestsIn(stdout)
}

/** False for the kubectl of Debian 12, which has kustomize 2.0.3. */
async function readsDirectories(): Promise<boolean> {
  const {stdout} = await kubectl(['version', '--client'])
  return Number(/v1\.(\d+)\./.exec(stdout)?.[1] ?? 0) > 20
}

/** kustomize 2.0.3 has another key for directories, and takes patches from files alone. */
async function putInOldForm(directory: string): Promise<void> {
  const path = join(directory, 'kustomization.yaml')
  const [kustomization] = readYaml(await readFile(path, 'utf8')) as [Kustomization]
  const {resources = [], patches = [], ...others} = kustomization
  const bases = resources.filter((name) => !name.endsWith('.yaml'))
  for (const [index, {patch}] of patches.entries()) await writeFile(join(directory, `${index}.patch`), patch)
  const old = {
    ...others,
    bases,
    resources: resources.filter((name) => !bases.includes(name)),
    patchesJson6902: patches.map(({target}, index) => ({
      target: {group: 'batch', version: 'v1', ...target},
      path: `${index}.patch`,
    })),
  }
  await writeFile(path, JSON.stringify(old))
  for (const base of bases) await putInOldForm(join(directory, base))
}
