export interface Pipeline {
  readonly 'mirror-sync': {readonly script: readonly string[]}
}

export interface CronJob {
  readonly spec: {
    readonly schedule: string
    readonly jobTemplate: {readonly spec: {readonly template: {readonly spec: PodSpec}}}
  }
}

interface PodSpec {
  readonly securityContext: {readonly runAsUser: number; readonly runAsGroup: number}
  readonly containers: readonly [
    {
      readonly command: readonly string[]
      readonly args: readonly string[]
      readonly env: readonly {readonly name: string; readonly value: string}[]
      readonly volumeMounts: readonly {readonly name: string; readonly readOnly?: boolean}[]
    },
  ]
  readonly volumes: readonly {
    readonly name: string
    readonly configMap?: {readonly name: string}
    readonly persistentVolumeClaim?: {readonly claimName: string}
  }[]
}

export interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly {readonly alert: string; readonly expr: string}[]
  }[]
}
