import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import type {Plugin} from 'rolldown'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/**
 * Writes what the licences of all packages in the bundle ask for, their texts, and `packages.json`, a list of them.
 * @throws if a package has no licence
 */
export function thirdPartyNotices(): Plugin {
  return {
    name: 'third-party-notices',
    generateBundle(_options, bundle) {
      const directories = new Set<string>()
      for (const output of Object.values(bundle)) {
        if (output.type !== 'chunk') continue
        for (const module of output.moduleIds) {
          const directory = packageDirectory(module)
          if (directory !== undefined) directories.add(directory)
        }
      }
      const notices = [...directories].map(noticeOf).toSorted()
      this.emitFile({
        type: 'asset',
        fileName: 'packages.json',
        source: JSON.stringify([...directories].toSorted().map(manifestOf), undefined, 2),
      })
      this.emitFile({
        type: 'asset',
        fileName: 'THIRD-PARTY-NOTICES.txt',
        source: `This program contains the packages below.\n\n${[...new Set(notices)].join('\n')}`,
      })
    },
  }
}

/** The innermost package of `node_modules` that a file belongs to; undefined for our own. */
function packageDirectory(file: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file.replaceAll('\\', '/'))?.[0]
}

function manifestOf(directory: string): Manifest {
  const {name, version, license} = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  ) as Manifest
  return license === undefined ? {name, version} : {name, version, license}
}

function noticeOf(directory: string): string {
  const {name, version, license} = manifestOf(directory)
  const texts = readdirSync(directory)
    .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
    .map((file) => readFileSync(join(directory, file), 'utf8').trim())
  if (texts.length === 0 && license === undefined)
    throw new Error(`${name} in ${dirname(directory)} has no licence`)
  return `${'='.repeat(80)}\n${name} ${version}, ${license ?? 'licence below'}\n\n${texts.join('\n\n')}\n`
}
