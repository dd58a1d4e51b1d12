export interface Pipeline {
  readonly 'mirror-sync': {readonly script: readonly string[]}
}

export interface CronJob {
  readonly spec: {
    readonly schedule: string
    readonly jobTemplate: {readonly spec: {readonly template: {readonly spec: PodSpec}}}
  }
}

/** The Job of shards. */
export interface FillJob {
  readonly spec: {
    readonly completions: number
    readonly template: {readonly spec: PodSpec}
  }
}

export interface MirrorContainer {
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: readonly {readonly name: string; readonly value: string}[]
}

interface PodSpec {
  readonly securityContext: {readonly runAsUser: number; readonly runAsGroup: number}
  readonly containers: readonly [MirrorContainer]
}

export interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly {readonly alert: string; readonly expr: string}[]
  }[]
}
