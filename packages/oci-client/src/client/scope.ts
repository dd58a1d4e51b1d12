import type {RegistryClient} from './client.js'
import {pullScope, pushScope} from './endpoints.js'

/**
 * A target is asked with the right to push, so that one token serves later requests. On a source that would be refused.
 */
export function scopeOf({side}: RegistryClient, repository: string): string {
  return side === 'target' ? pushScope(repository) : pullScope(repository)
}
