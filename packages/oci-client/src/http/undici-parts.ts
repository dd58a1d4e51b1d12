import request from 'undici/lib/api/api-request.js'
import buildConnector from 'undici/lib/core/connect.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import Pool from 'undici/lib/dispatcher/pool.js'

/**
 * The used parts of undici, imported by file. Its index loads four times as much (fetch, WebSocket, caches, mocks),
 * which would delay a short run.
 * The files are internal, so the version in package.json is exact.
 */
export {buildConnector, Pool}

// undici's index does the same.
Object.assign(Dispatcher.prototype, {request})
