import {messageOf} from '@airgap-mirror/oci-client/model'
import type {Answer, Question} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {readCrioConfig} from './crio-config.js'
import {explainNames} from './explain-names.js'
import {formatName, parseNormalizedName} from './image-name.js'
import {nodeSetup} from './node-setup.js'
import {nodeUser, rootUser} from './node-user.js'
import {resolveShortName, withoutTag, withVersion} from './resolve-short-name.js'

export type ContainersRuntime = 'podman' | 'skopeo' | 'crio'

/** How podman, skopeo or CRI-O would pull the name, with the files of a node. */
export function explainContainers(
  question: Question,
  {files, runtime}: {readonly files: NodeFiles; readonly runtime: ContainersRuntime},
): Answer {
  const user = runtime === 'crio' ? rootUser() : nodeUser(files)
  const assumed = [`${runtime} runs as ${user.name}`]
  try {
    const crio = runtime === 'crio' ? readCrioConfig(files) : undefined
    const setup = nodeSetup(files, {user, crio})
    if (setup.policy === undefined) assumed.push('policy.json is not among the files: it accepts every image')
    const {registries} = setup
    const warnings = [...(crio?.warnings ?? []), ...registries.warnings]
    if (runtime === 'skopeo') {
      const name = withVersion(parseNormalizedName(question.typed))
      if (name.tag !== undefined && name.digest !== undefined)
        throw new Error('Docker references with both a tag and digest are currently not supported')
      return explainNames({names: [name]}, {setup, assumed, warnings})
    }
    const mode = crio?.shortNameMode ?? registries.shortNameMode
    const candidates = resolveShortName(question.typed, {registries, mode})
    const names = candidates.names.map(withoutTag)
    const dropped = candidates.names.filter((name, index) => name !== names[index]).map(formatName)
    if (dropped.length > 0)
      warnings.push(`the tag of ${dropped[0]} is dropped: the digest alone is asked for`)
    return explainNames({...candidates, names: names.map(withVersion)}, {setup, assumed, warnings})
  } catch (error) {
    // a MirrorError is about a file that this program could not read, not about the runtime
    if (error instanceof Error && error.name === 'MirrorError') throw error
    const warnings = [
      'until this is corrected, no image can be pulled: the file is checked as a whole before every pull',
    ]
    return {outcome: 'error', message: messageOf(error), tries: [], assumed, warnings}
  }
}
