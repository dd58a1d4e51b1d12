import {given, type Setting, type Words} from './words.js'

/** The choice of images, their names and the state of runs. */
export const runWords = {
  'separate-names': (setting) =>
    `Keep the images apart${given(setting.flag('map-host'), (host) => ` with ${host} keep, or place one of them with ${setting.flag('map')} or ${setting.flag('rewrite')}`) || ': give one of them another name'}.`,
  'name-image': ({flag}, {image}) =>
    given(flag('map'), (map) => `Name it with ${map} FILE, in which a line says: ${image} REPOSITORY:TAG.`) ||
    'Name the image.',
  'choose-digest': ({flag}, {digest}) =>
    given(
      flag('map'),
      (map) => `Choose one with ${map} FILE, in which a line says: ${digest} REPOSITORY:TAG.`,
    ) || 'Choose one by its digest.',
  'choose-platform-of-name': ({flag}) =>
    `Choose one${given(flag('platform'), (platform) => ` with ${platform} OS/ARCH`) || ' platform'}.`,
  'tag-image': ({flag}) => `Give the image a tag${given(flag('map'), (map) => ` with ${map}`)}.`,
  'check-choice': ({flag}, {flag: name}) =>
    given(
      flag(name),
      (choice) =>
        `Check ${choice}${given(flag('dry-run'), (dry) => `; ${dry} without it lists the images`)}.`,
    ) || 'Check which images were chosen.',
  'choose-platform': ({flag}) =>
    `Choose one platform${given(flag('platform'), (platform) => ` with ${platform}`)}${given(flag('sparse-index'), (sparse) => `, or use ${sparse} prune`)}.`,
  'choose-other-platform': ({flag}) =>
    `Choose a platform that it has, too${given(flag('exclude'), (exclude) => `, or leave the image out with ${exclude}`)}.`,
  'allow-sparse-index': ({flag}) =>
    given(
      flag('sparse-index'),
      (sparse) => `Use ${sparse} auto, prune, platform or as-is to push what is there.`,
    ) || 'Use a source that has all of the index.',
  'push-in-parts': (setting) => `Take a part of the images at a time${choice(setting)}.`,
  'give-login-apart': ({sided}) =>
    `Write HOST[:PORT][/NAMESPACE]${given(sided('username'), (username) => `, and give the login with ${username} and ${sided('password-stdin')}`)}.`,
  'leave-out-scheme': ({sided}) =>
    `Write HOST[:PORT][/NAMESPACE]${given(sided('plain-http'), (plain) => `; HTTPS is spoken unless ${plain} is given`)}.`,
  'give-targets': ({flag}) =>
    `Give the job targets in the job file${given(flag('private-registry'), (registry) => `, or use ${registry}`)}.`,
  'name-import-format': ({flag}) =>
    `Check the file${given(flag('from'), (from) => `, or say with ${from} skopeo or ${from} regsync which it is`)}.`,
  'force-tag': ({flag}) =>
    `${given(flag('force'), (force) => `Use ${force} to overwrite it, or take`) || 'Take'} the image out of the list.`,
  'allow-pruning': ({flag}) =>
    `Check that the list is complete${given(flag('prune-max'), (most) => `, or allow more with ${most}`)}.`,
  'free-state': ({flag}) =>
    `Make room there${given(flag('state'), (state) => `, name another directory with ${state}`)}${given(flag('no-state'), (without) => `, or use ${without}`)}.`,
  'use-another-state': ({flag}) =>
    `Name a directory that is writable, on a file system that has hard links${given(flag('state'), (state) => `, with ${state}`)}.`,
  'raise-timeout': ({flag}) =>
    `Run it again: it sends only what is missing${given(flag('timeout'), (timeout) => `; a longer ${timeout} gives it more time`)}.`,
  'wait-for-lock': ({flag}) =>
    `Wait for it to end${given(flag('wait'), (wait) => ` with ${wait} 1h`)}; if it died on another host, that is noticed after two minutes.`,
} satisfies Partial<Words>

function choice({flag}: Setting): string {
  const ways = ['images', 'include'].map(flag).filter((way) => way !== undefined)
  return ways.length === 0 ? '' : `, with ${ways.join(' or ')}`
}
