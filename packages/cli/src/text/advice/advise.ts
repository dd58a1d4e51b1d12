import type {Advice, ErrorCode, Side} from '@airgap-mirror/oci-client/model'
import {accessWords} from './access-words.js'
import {archiveWords} from './archive-words.js'
import {registryWords} from './registry-words.js'
import {runWords} from './run-words.js'
import {settingOf, type AdvisedCommand, type Setting, type Words} from './words.js'

/** An error, or its entry in a report. */
export interface Advisable {
  readonly code: string
  readonly side?: Side
  readonly advice?: Advice
  readonly hint?: string
}

/**
 * Returns the remedy for an error in one sentence: its own hint, else its advice worded for the command and the side,
 * else the usual remedy for its code. Names only flags that the command has, and flags of a registry only for the
 * error's side.
 */
export function advise(
  error: Advisable,
  {command}: {readonly command: AdvisedCommand | undefined},
): string | undefined {
  if (error.hint !== undefined) return error.hint
  const advice = error.advice ?? usualFor(error.code)
  return advice === undefined ? undefined : wordsFor(advice, settingOf(error.side, command))
}

function usualFor(code: string): Advice | undefined {
  const usual: Readonly<Record<string, Advice>> = USUAL
  return Object.hasOwn(usual, code) ? usual[code] : undefined
}

function wordsFor<Kind extends Advice['kind']>(
  advice: Extract<Advice, {readonly kind: Kind}>,
  setting: Setting,
): string {
  const words = WORDS[advice.kind]
  return typeof words === 'string' ? words : words(setting, advice)
}

const WORDS: Words = {...registryWords, ...accessWords, ...archiveWords, ...runWords}

const USUAL: Readonly<Partial<Record<ErrorCode, Advice>>> = {
  SOURCE_UNREADABLE: {kind: 'check-path'},
  SOURCE_TRUNCATED: {kind: 'copy-again-whole'},
  SOURCE_CORRUPT: {kind: 'make-again'},
  DIGEST_MISMATCH: {kind: 'make-again'},
  MANIFEST_INVALID: {kind: 'make-again'},
  BLOB_MISSING: {kind: 'complete-archive'},
  SOURCE_UNSUPPORTED: {kind: 'save-with-other-options'},
  LIMIT_EXCEEDED: {kind: 'refuse-if-unknown'},
  BLOB_UNKNOWN: {kind: 'push-whole-index'},
  MANIFEST_REJECTED: {kind: 'convert-manifest'},
  UNREACHABLE: {kind: 'check-registry-running'},
  TIMEOUT: {kind: 'try-later'},
  REGISTRY_FAILED: {kind: 'read-registry-log'},
  PROTOCOL: {kind: 'see-exchanges'},
}
