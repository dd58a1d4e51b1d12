import {answerOr} from './answer-or.js'
import type {Answer, Question} from '../explanation.js'
import {fileNamesIn, type NodeFiles} from '../files/node-files.js'
import {readCrioConfig} from './crio-config.js'
import {explainNames} from './explain-names.js'
import {formatName, parseNormalizedName} from './image-name.js'
import {nodeSetup} from './node-setup.js'
import {nodeUser, rootUser, type NodeUser} from './node-user.js'
import type {ShortNameMode} from './registries.js'
import {resolveShortName, withoutTag, withVersion} from './resolve-short-name.js'
import type {Setup} from './setup.js'

export type ContainersRuntime = 'podman' | 'skopeo' | 'crio'

interface Prepared {
  readonly setup: Setup
  readonly mode: ShortNameMode
  readonly assumed: readonly string[]
  readonly warnings: readonly string[]
}

/** The way in which podman, skopeo or CRI-O would pull a name, with the files of a node. The files are read once. */
export function containersReader(
  files: NodeFiles,
  {runtime}: {readonly runtime: ContainersRuntime},
): (question: Question) => Answer {
  const user = runtime === 'crio' ? rootUser() : nodeUser(files)
  const assumed = [`${runtime} runs as ${user.name}`]
  const prepared = answerOr(() => prepare(files, {runtime, user, assumed}), {
    assumed,
    advice:
      'no image can be pulled until this is corrected: the files are checked as a whole before every pull',
  })
  if ('outcome' in prepared) return () => prepared
  return ({typed}) => answerOr(() => explainTyped(typed, {runtime, ...prepared}), {assumed: prepared.assumed})
}

function prepare(
  files: NodeFiles,
  {
    runtime,
    user,
    assumed,
  }: {
    readonly runtime: ContainersRuntime
    readonly user: NodeUser
    readonly assumed: readonly string[]
  },
): Prepared {
  const crio = runtime === 'crio' ? readCrioConfig(files) : undefined
  const setup = nodeSetup(files, {user, crio})
  const {shortNameMode, warnings} = setup.registries
  const missing =
    setup.policy === undefined ? ['policy.json is not among the files: it accepts every image'] : []
  return {
    setup,
    mode: crio?.shortNameMode ?? shortNameMode,
    assumed: [...assumed, ...missing],
    warnings: [
      ...(crio?.warnings ?? []),
      ...(crio === undefined ? [] : namespacePolicies(files)),
      ...warnings,
    ],
  }
}

function namespacePolicies(files: NodeFiles): readonly string[] {
  return fileNamesIn(files, '/etc/crio/policies').map(
    (name) =>
      `/etc/crio/policies/${name} is not looked at: it takes the place of policy.json for pods of the namespace ${name.replace(/\.json$/, '')}`,
  )
}

function explainTyped(
  typed: string,
  {runtime, setup, mode, assumed, warnings}: Prepared & {readonly runtime: ContainersRuntime},
): Answer {
  if (runtime === 'skopeo') {
    const name = withVersion(parseNormalizedName(typed))
    if (name.tag !== undefined && name.digest !== undefined)
      throw new Error('Docker references with both a tag and digest are currently not supported')
    return explainNames({names: [name]}, {setup, assumed, warnings})
  }
  const candidates = resolveShortName(typed, {registries: setup.registries, mode})
  const names = candidates.names.map(withoutTag)
  const dropped = candidates.names.filter((name, index) => name !== names[index]).map(formatName)
  const notes = dropped
    .slice(0, 1)
    .map((name) => `the tag of ${name} is dropped: the digest alone is asked for`)
  return explainNames(
    {...candidates, names: names.map(withVersion)},
    {setup, assumed, warnings: [...warnings, ...notes]},
  )
}
