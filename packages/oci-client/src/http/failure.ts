import type {HttpResponse} from './send.js'
import {beginningOf} from './beginning.js'
import {decodedBeginning} from './decoded.js'
import {excerpt} from './excerpt.js'
import {redactText} from './redact.js'
import {isJsonObject} from '../model/index.js'

/** A registry's explanation of a failure: the OCI error envelope, else the beginning of the body. */
export interface Failure {
  readonly status: number
  /** Codes such as `NAME_UNKNOWN` in upper case, with their messages and details; not yet `printable`. */
  readonly errors: readonly FailureEntry[]
  /** A printable line: the entries, or the first 200 characters of another body. Empty if there was no body. */
  readonly text: string
}

interface FailureEntry {
  readonly code: string
  readonly message: string
  /** JSON of the detail, cut; empty if there is none. */
  readonly detail: string
}

const SHOWN_ENTRIES = 3
const SHOWN_LENGTH = 200

/** Reads the body of a response, at most `limits.errorBodyBytes` of it, and throws the rest away. */
export async function readFailure(response: HttpResponse): Promise<Failure> {
  const mask = maskerOf(response.secrets ?? [])
  const body = Buffer.from(await decodedBeginning(response, await beginningOf(response))).toString('utf8')
  const errors = parseEnvelope(body, mask)
  const text = errors.length > 0 ? entriesText(errors) : plainText(mask(body))
  return {status: response.status, errors, text: mask(text)}
}

/** Shorter texts are no secrets, and masking them would tear words apart. */
const SHORTEST_SECRET = 4

/** Masks secrets, as they are or in a usual encoding, because a registry may quote the request. */
function maskerOf(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter(({length}) => length >= SHORTEST_SECRET)
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      new URLSearchParams({x: secret}).toString().slice(2),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(secret).toString('base64url'),
    ])
  // The longest first, so that no part of a longer form is left over.
  const distinct = [...new Set(forms)].toSorted((left, right) => right.length - left.length)
  return (text) => distinct.reduce((masked, form) => masked.replaceAll(form, '***'), text)
}

/** `{"errors":[{"code","message","detail"}]}` (distribution-spec, Error Codes), and the bare object some proxies send. */
function parseEnvelope(body: string, mask: (text: string) => string): FailureEntry[] {
  let value: unknown
  try {
    // Masked after the escapes are decoded.
    value = JSON.parse(body, (_key, one: unknown) => (typeof one === 'string' ? mask(one) : one))
  } catch {
    return []
  }
  if (!isJsonObject(value)) return []
  const entries: readonly unknown[] = Array.isArray(value['errors']) ? value['errors'] : [value]
  return entries.slice(0, 100).flatMap((entry) => {
    if (!isJsonObject(entry)) return []
    const {code, message, detail} = entry
    const known = {
      code: typeof code === 'string' ? code.toUpperCase() : '',
      message: typeof message === 'string' ? message : '',
      detail: detail === undefined || detail === null ? '' : JSON.stringify(detail).slice(0, 1000),
    }
    return known.code === '' && known.message === '' ? [] : [known]
  })
}

function entriesText(errors: readonly FailureEntry[]): string {
  const shown = errors.slice(0, SHOWN_ENTRIES).map(({code, message, detail}) => {
    const head = [code, message].filter((part) => part !== '').join(': ')
    return detail === '' || detail === '{}' ? head : `${head} (${detail})`
  })
  const more = errors.length - shown.length
  return excerpt(redactText(shown.join('; ')) + (more > 0 ? `; and ${more} more` : ''), SHOWN_LENGTH * 2)
}

function plainText(body: string): string {
  return excerpt(redactText(isMarkup(body) ? withoutTags(body) : body), SHOWN_LENGTH)
}

function isMarkup(body: string): boolean {
  return body.trimStart().startsWith('<')
}

/** A linear scan: a hostile page must not make a regular expression slow. */
function withoutTags(html: string): string {
  const lower = html.toLowerCase()
  const parts: string[] = []
  for (let at = 0; ;) {
    const open = html.indexOf('<', at)
    parts.push(html.slice(at, open < 0 ? html.length : open), ' ')
    if (open < 0) break
    const hidden = ['<style', '<script'].find((tag) => lower.startsWith(tag, open))
    const end = hidden === undefined ? open : lower.indexOf(`</${hidden.slice(1)}`, open)
    const close = end < 0 ? -1 : html.indexOf('>', end)
    if (close < 0) break
    at = close + 1
  }
  return parts.join('')
}
