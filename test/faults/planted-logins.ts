import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {argv} from '../e2e/argv.js'
import {planted, USER} from './planted-secrets.js'

/** A way to give a credential, with its secret planted. */
export interface Login {
  readonly flags: readonly string[]
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}
export type MakeLogin = (place: string, host: string) => Promise<Login>

function fileLogin(entry: (host: string) => unknown): MakeLogin {
  return async (place, host) => {
    const path = join(place, 'planted-config.json')
    await writeFile(path, JSON.stringify(entry(host)))
    return {flags: argv`--docker-config ${path}`}
  }
}

function helperLogin(answer: string, exit: number): MakeLogin {
  return async (place, host) => {
    const bin = join(place, 'planted-bin')
    await mkdir(bin)
    const helper = join(bin, 'docker-credential-planted')
    await writeFile(helper, `#!/bin/sh\ncat >/dev/null\ncat <<'END'\n${answer}\nEND\nexit ${exit}\n`)
    await chmod(helper, 0o755)
    const login = await fileLogin(() => ({credHelpers: {[host]: 'planted'}}))(place, host)
    return {...login, env: {PATH: `${bin}:${process.env['PATH'] ?? ''}`}}
  }
}

export const logins: Readonly<Record<string, MakeLogin>> = {
  '--password': () => Promise.resolve({flags: argv`--username ${USER} --password ${planted.password}`}),
  '--password-stdin': () =>
    Promise.resolve({flags: argv`--username ${USER} --password-stdin`, stdin: planted.password}),
  'the environment': () =>
    Promise.resolve({flags: [], env: {MIRROR_USERNAME: USER, MIRROR_PASSWORD: planted.password}}),
  'a docker config': fileLogin((host) => ({
    auths: {[host]: {auth: Buffer.from(`${USER}:${planted.password}`).toString('base64')}},
  })),
  'an identity token': fileLogin((host) => ({auths: {[host]: {auth: '', identitytoken: planted.identity}}})),
  'a registry token': fileLogin((host) => ({auths: {[host]: {registrytoken: planted.bearer}}})),
  'a helper': helperLogin(JSON.stringify({ServerURL: 'x', Username: '<token>', Secret: planted.helper}), 0),
  'a helper with a password': helperLogin(
    JSON.stringify({ServerURL: 'x', Username: USER, Secret: planted.password}),
    0,
  ),
}

/** Logins that cannot be read: what is wrong with them is told without quoting them. */
export const broken: Readonly<Record<string, MakeLogin>> = {
  'a helper that fails aloud': helperLogin(`error storing ${planted.helper}: no keychain`, 1),
  'a helper that answers no JSON': helperLogin(`{"Username":"${USER}","Secret":"${planted.helper}"`, 0),
  'a docker config that is not JSON': async (place) => {
    const path = join(place, 'planted-config.json')
    await writeFile(path, `{"auths":{"x":{"auth": ${planted.identity}}}}`)
    return {flags: argv`--docker-config ${path}`}
  },
  'a docker config whose auth has no colon': fileLogin((host) => ({
    auths: {[host]: {auth: Buffer.from(planted.identity).toString('base64')}},
  })),
  'a docker config whose auth is no base64': fileLogin((host) => ({
    auths: {[host]: {auth: `${planted.identity}!`}},
  })),
}
