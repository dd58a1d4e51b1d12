import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

/** An architecture in Node's words. */
export type Architecture = 'x64' | 'arm64'

/** `packages/cli`, from `dist/release`. */
export const CLI = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
export const ROOT = join(CLI, '../..')
/** Its style sheet is in the pages. */
export const VITEPRESS = join(ROOT, 'site/node_modules/vitepress')
