import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {Explanation, Version} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {readImageName} from '../names.js'
import {runtimes, type Runtime} from './runtimes.js'

/** Other names by which people know a runtime. */
const ALIASES: Readonly<Record<string, string>> = {
  'cri-o': 'crio',
  'containerd-cri': 'containerd',
  buildah: 'podman',
  dockerd: 'docker',
  'registries.conf': 'podman',
}

/** A runtime and its version, as `--as` names them. */
export interface RuntimeChoice {
  readonly runtime: Runtime
  readonly version?: Version
}

/**
 * Reads `RUNTIME[@VERSION]`.
 * @throws {MirrorError} USAGE
 */
export function parseRuntime(text: string): RuntimeChoice {
  const [, typed = text, major, minor] =
    /^([^@]+)(?:@v?(\d{1,4})(?:\.(\d{1,4}))?(?:[.+-].*)?)?$/.exec(text) ?? []
  const name = ALIASES[typed.toLowerCase()] ?? typed.toLowerCase()
  const runtime = runtimes.find((one) => one.name === name)
  if (runtime === undefined) {
    throw new MirrorError(
      'USAGE',
      `--as ${JSON.stringify(text)} is not a known runtime with a version or without`,
      {
        hint: `Name one of: ${runtimes.map((one) => one.name).join(', ')}; with a version as in containerd@2.1.`,
      },
    )
  }
  return major === undefined
    ? {runtime}
    : {runtime, version: {major: Number(major), minor: Number(minor ?? 0)}}
}

/**
 * Says which URLs a node with these files asks for an image, in order.
 * @throws {MirrorError} NAME_INVALID, CONFIG_INVALID also if no runtime is given and the files show none
 */
export function explain(typed: string, options: ExplainOptions): Explanation {
  return explainer(options)(typed)
}

export interface ExplainOptions {
  readonly files: NodeFiles
  /** Absent: the runtime that the files show. */
  readonly as?: RuntimeChoice
}

/**
 * Returns what explains one image after another with the same files.
 * @throws {MirrorError} CONFIG_INVALID if no runtime is given and the files show none; the returned function: NAME_INVALID
 */
export function explainer({files, as}: ExplainOptions): (typed: string) => Explanation {
  const {choice, assumed} = as === undefined ? chooseRuntime(files) : {choice: as, assumed: []}
  const {runtime, version} = choice
  const answerTo = runtime.prepare(files)
  return (typed) => {
    const answer = answerTo({typed, reference: readImageName(typed), version})
    const shownVersion = version === undefined ? answer.assumedVersion : `${version.major}.${version.minor}`
    const {message, outcome, tries} = answer
    return {
      reference: typed,
      as: shownVersion === undefined ? runtime.name : `${runtime.name}@${shownVersion}`,
      assumed: [...(files.assumed ?? []), ...assumed, ...answer.assumed],
      outcome,
      message,
      tries,
      endsAtPublic: tries.at(-1)?.public === true,
      warnings: [...files.warnings, ...answer.warnings],
    }
  }
}

function chooseRuntime(files: NodeFiles): {
  readonly choice: RuntimeChoice
  readonly assumed: readonly string[]
} {
  const shown = runtimes.flatMap((runtime) => {
    const path = runtime.evidence(files)
    return path === undefined ? [] : [{runtime, path}]
  })
  const [first, ...others] = shown
  if (first === undefined) {
    throw new MirrorError(
      'CONFIG_INVALID',
      'the given files hold no configuration of a known container runtime',
      {
        hint: 'Give the directory that stands for / of the node, or name the runtime with --as.',
      },
    )
  }
  const also = others.map(({runtime, path}) => `${runtime.name} (${path})`).join(', ')
  return {
    choice: {runtime: first.runtime},
    assumed: [
      `the runtime is ${first.runtime.name}, because there is ${first.path}`,
      ...(also === '' ? [] : [`the files also show ${also}, which --as can choose`]),
    ],
  }
}
