import {fileURLToPath} from 'node:url'
import {build} from 'rolldown'
import {loadConfig} from 'rolldown/config'

// rolldown's own command lists every chunk, which buries what a newcomer's first command has to say.
await build(await loadConfig(fileURLToPath(new URL('rolldown.config.ts', import.meta.url))))
