import {ConfigImport} from './config-import.js'
import {Push} from './push.js'

/** What `mirror` can do, by name. */
export const commands = {push: Push, 'config:import': ConfigImport}
