import {ConfigImport} from './config-import.js'
import {Copy} from './copy.js'
import {Push} from './push.js'

/** What `mirror` can do, by name. */
export const commands = {push: Push, copy: Copy, 'config:import': ConfigImport}
