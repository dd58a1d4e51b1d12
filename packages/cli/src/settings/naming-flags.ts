import {namingSettings} from '../job/shared-settings.js'
import {defaults} from './defaults.js'
import {repeatedFlag, sharedFlag} from './define-flag.js'

const place = {helpGroup: 'NAMING'}

/** Names in the private registry. */
export const namingFlags = {
  'map-host': sharedFlag('map-host', namingSettings['map-host'], {...place, initial: defaults.mapHost}),
  rewrite: repeatedFlag('rewrite', namingSettings.rewrite, place),
  map: sharedFlag('map', namingSettings.map, place),
  'max-depth': sharedFlag('max-depth', namingSettings['max-depth'], place),
}
