import request from 'undici/lib/api/api-request.js'
import buildConnector from 'undici/lib/core/connect.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import Pool from 'undici/lib/dispatcher/pool.js'

/**
 * What is used of undici, by its files: its index loads four times as much (fetch, WebSocket, caches, mocks), which a
 * short run would wait for. The files are internal, so the version in package.json is exact.
 */
export {buildConnector, Pool}

// as undici's index does it
Object.assign(Dispatcher.prototype, {request})
