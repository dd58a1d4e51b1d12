import {createRequire} from 'node:module'
import type {RE2JS} from 're2js'

let loaded: typeof RE2JS | undefined

/** RE2, loaded with the first expression: it is the largest module there is, and most runs have none. */
export function re2(): typeof RE2JS {
  return (loaded ??= load())
}

function load(): typeof RE2JS {
  const module = createRequire(import.meta.url)('re2js') as {readonly RE2JS: typeof RE2JS}
  return module.RE2JS
}
