import {isDigest, isRegistry, isRepository, isTag, parseReference} from '@airgap-mirror/oci-client/model'
import {parseListedImage} from '../names/image-list.js'
import {parseRegistryTarget} from '../names/registry-target.js'
import {parseRewriteRule} from '../names/rewrite.js'
import {parsePlatform} from '../names/platforms.js'
import {parseDuration, parseRate, parseSize} from '../text/parse-quantity.js'
import type {FormatName} from './schema-type.js'
import {checkExpression, isTagGlob} from './tag-patterns.js'
import {checkRange} from './tag-version.js'

/** A description of the accepted values, and a check that throws for any other. */
export interface Format {
  readonly what: string
  readonly check: (text: string) => unknown
}

function test(what: string, isValid: (text: string) => boolean): Format {
  return {
    what,
    check: (text) => {
      if (!isValid(text)) throw new Error(`${JSON.stringify(text.slice(0, 100))} is not ${what}`)
    },
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text)
    return true
  } catch {
    return false
  }
}

export const formats: Readonly<Record<FormatName, Format>> = {
  'chunk-size': {
    what: 'a size or auto',
    check: (text) => (text === 'auto' ? 0 : parseSize(text)),
  },
  duration: {what: 'a duration such as 5m', check: parseDuration},
  digest: test('a digest (sha256:… or sha512:…)', isDigest),
  'list-line': {what: 'SOURCE [TARGET]', check: parseListedImage},
  'map-target': test('REPOSITORY[:TAG]', isReference),
  platform: {what: 'OS/ARCH[/VARIANT]', check: parsePlatform},
  rate: {what: 'a rate such as 20M', check: parseRate},
  reference: {what: 'the name of an image', check: parseReference},
  regex: {what: 'a regular expression in RE2 syntax', check: checkExpression},
  registry: test('HOST[:PORT]', isRegistry),
  'registry-target': {what: 'HOST[:PORT][/NAMESPACE]', check: parseRegistryTarget},
  repository: {
    what: 'a repository',
    check: (text) => {
      const {tag, digest} = parseReference(text)
      if (tag !== undefined) throw new Error('a repository has no tag: write it under tags')
      if (digest !== undefined) throw new Error('a repository has no digest: write it under digests')
    },
  },
  'repository-path': test('a repository path', isRepository),
  rewrite: {what: 'REGEX=REPLACEMENT', check: parseRewriteRule},
  'semver-range': {what: 'a range of versions', check: checkRange},
  tag: test('a tag', isTag),
  'tag-glob': test('a glob for tags (letters, digits, . _ - and the wildcards * and ?)', isTagGlob),
}
