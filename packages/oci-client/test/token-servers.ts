import {afterEach} from 'vitest'
import type {AuthorizeOptions} from '#src/auth/authorize.js'
import {
  clientOf,
  startRegistry,
  startTokenServer,
  type Client,
  type RegistryRules,
  type RegistryServer,
  type TokenRules,
  type TokenServer,
} from './auth-servers.js'

interface Setting {
  readonly tokenServer: TokenServer
  readonly registry: RegistryServer
  readonly client: Client
}

type Start = (
  options: Partial<AuthorizeOptions>,
  tokenRules?: Partial<TokenRules>,
  rules?: Partial<RegistryRules>,
) => Promise<Setting>

/** For a test file: a registry, the token server it sends clients to, and a client; all closed after each test. */
export function useTokenServers(): Start {
  const open: {close(): Promise<void>}[] = []
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  return async (options, tokenRules = {}, rules = {}) => {
    const tokenServer = await startTokenServer(tokenRules)
    const registry = await startRegistry({auth: {kind: 'bearer', tokenServer}, ...rules})
    const client = clientOf(registry, options)
    open.push(client, registry, tokenServer)
    return {tokenServer, registry, client}
  }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
