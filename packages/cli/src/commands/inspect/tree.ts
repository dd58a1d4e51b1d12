import {formatBytes} from '../../text/format-quantity.js'
import {printable} from '../../text/printable.js'
import type {InspectedContent, InspectedImage, InspectedReferrer, Inspection} from './inspection.js'
import {heading, remarks} from './table.js'
import {differenceLines} from './difference-text.js'
import {foldText, type Width} from './fold-text.js'
import {kindName} from './words.js'

/** A line of a tree, and the lines below it. */
interface Branch {
  readonly text: string
  readonly below?: readonly Branch[]
}

const SHORT_DIGEST = 'sha256:'.length + 12

/** Returns the images as a tree: platforms, manifests, configs, layers and referrers, each with its size and short digest. */
export function formatTree(inspection: Inspection, {width}: Width): string {
  const {images, orphans, diff} = inspection
  const branches = [
    ...images.map(imageBranch),
    ...(orphans.length === 0
      ? []
      : [{text: 'about images that are not here', below: orphans.map(referrerBranch)}]),
  ]
  return [
    ...heading(inspection).flatMap((line) => foldText(line, {width, indent: 2})),
    ...branches.flatMap((branch) => [''].concat(drawn(branch))),
    ...(diff === undefined ? [] : [''].concat(differenceLines(diff, {width}))),
    ...remarks(inspection, {width}),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

function drawn({text, below = []}: Branch): readonly string[] {
  const lines = below.flatMap((branch, index) => {
    const isLast = index === below.length - 1
    return drawn(branch).map((line, index) => {
      const lead = index === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  '
      return lead + line
    })
  })
  return [text, ...lines]
}

function imageBranch(image: InspectedImage): Branch {
  const {name, kind, digest, id, bytes, contents, referrers, platforms, error} = image
  const identity = digest === undefined ? (id === undefined ? '' : `  id ${short(id)}`) : `  ${short(digest)}`
  const size = `${formatBytes(bytes.total)} (own ${formatBytes(bytes.own)}, shared ${formatBytes(bytes.shared)})`
  const [own, groups] = byPlatform(contents)
  const absent = platforms.filter(({present}) => !present)
  return {
    text: `${printable(name)}  ${kind}${identity}  ${size}`,
    below: [
      ...(error === undefined ? [] : [{text: `damaged: ${printable(error.message)}`}]),
      ...own.filter((content) => content.digest !== digest).map(contentBranch),
      ...[...groups].map(([platform, inside]) => platformBranch(platform, inside)),
      ...absent.map(({platform, digest: of}) => ({
        text: `${printable(platform)}  ${of === undefined ? '' : short(of)}  not in the bundle`,
      })),
      ...referrers.map(referrerBranch),
    ],
  }
}

/** The contents of the image as a whole, and those of each platform of its index. */
function byPlatform(
  contents: readonly InspectedContent[],
): readonly [readonly InspectedContent[], ReadonlyMap<string, readonly InspectedContent[]>] {
  const groups = new Map<string, InspectedContent[]>()
  for (const content of contents) {
    if (content.platform === undefined) continue
    const group = groups.get(content.platform)
    if (group === undefined) groups.set(content.platform, [content])
    else group.push(content)
  }
  return [contents.filter(({platform}) => platform === undefined), groups]
}

function platformBranch(platform: string, [manifest, ...rest]: readonly InspectedContent[]): Branch {
  const title = printable(platform)
  if (manifest?.role !== 'manifest') {
    return {text: title, below: [...(manifest === undefined ? [] : [manifest]), ...rest].map(contentBranch)}
  }
  return {text: `${title}  ${short(manifest.digest)}`, below: rest.map(contentBranch)}
}

function contentBranch({role, digest, bytes, state, images}: InspectedContent): Branch {
  const where = state === 'here' ? '' : `  ${STATES[state]}`
  const shared = images > 1 ? `  in ${images} images` : ''
  return {text: `${role}  ${short(digest)}  ${formatBytes(bytes)}${shared}${where}`}
}

const STATES: Readonly<Record<Exclude<InspectedContent['state'], 'here'>, string>> = {
  'left-out': 'left out: the registry has it',
  missing: 'missing',
  foreign: 'foreign, not in the bundle',
}

function referrerBranch({kind, type, digest, bytes}: InspectedReferrer): Branch {
  return {text: `${kindName(kind)}  ${short(digest)}  ${formatBytes(bytes)}  ${printable(type)}`}
}

function short(digest: string): string {
  return digest.slice(0, SHORT_DIGEST)
}
