import {targetRegistryFlags} from '../../settings/registry-flags.js'

/** Flags of `mirror logout`. */
export const logoutFlags = {'docker-config': targetRegistryFlags['docker-config']}
