import type {TestRegistry} from '@airgap-mirror/test/registry'

/** Planted, each in one place, none a part of another; with what a careless program would change in them. */
export const planted = {
  password: 'pw-Xq7%/+"mZ',
  identity: 'idt-9fK2vL0c.aBcD',
  bearer: 'rgt-5tYu8iOp_zzQ',
  helper: 'hlp-3eDc4rFv5tGb',
  proxy: 'prx-7uJm8iK9olP',
  realm: 'rlm-1qAz2wSx3eDc',
  signature: 'sig-6yHn7uJm8iK',
} as const
export const USER = 'someone'

/** Returns every form in which a reader could recognise a secret. */
export function formsOf(secret: string): readonly string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`${USER}:${secret}`).toString('base64'),
    Buffer.from(`<token>:${secret}`).toString('base64'),
  ]
}

/** Returns the secrets in a text: the names of planted secrets, and the tokens and states of this run. */
export function leaksIn(said: string, registry?: TestRegistry): readonly string[] {
  const own: string[] = []
  for (const {authorization, path} of registry?.requests ?? []) {
    if (authorization !== undefined) own.push(authorization.split(' ')[1] ?? authorization)
    for (const [, value = ''] of path.matchAll(/[?&]_(?:state|sig)=([^&]{8,})/g)) own.push(value)
  }
  return [
    ...Object.entries(planted).flatMap(([name, secret]) =>
      formsOf(secret).some((form) => said.includes(form)) ? [name] : [],
    ),
    ...new Set(own.filter((secret) => said.includes(secret))),
  ]
}
