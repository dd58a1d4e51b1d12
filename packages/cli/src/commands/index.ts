import {Push} from './push.js'

/** What `mirror` can do, by name. */
export const commands = {push: Push}
