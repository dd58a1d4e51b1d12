import {Completion} from './completion/completion.js'
import {ConfigCheck} from './config/check.js'
import {ConfigEmit} from './config/emit.js'
import {ConfigExplain} from './config/explain.js'
import {ConfigImport} from './config/import.js'
import {Copy} from './copy/copy.js'
import {Doctor} from './doctor/doctor.js'
import {Inspect} from './inspect/inspect.js'
import {Login} from './login/login.js'
import {Logout} from './logout/logout.js'
import {Push} from './push/push.js'
import {Save} from './save/save.js'
import {Serve} from './serve/serve.js'
import {Sync} from './sync/sync.js'
import {Verify} from './verify/verify.js'

/** The commands of `mirror`, by name. */
export const commands = {
  push: Push,
  sync: Sync,
  copy: Copy,
  save: Save,
  inspect: Inspect,
  verify: Verify,
  serve: Serve,
  'config:import': ConfigImport,
  'config:explain': ConfigExplain,
  'config:emit': ConfigEmit,
  'config:check': ConfigCheck,
  login: Login,
  logout: Logout,
  doctor: Doctor,
  completion: Completion,
}
