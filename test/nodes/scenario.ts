/** A scenario on a node in its own network. */
export interface Scenario {
  readonly target: 'containerd' | 'podman' | 'crio'
  /** The name of the target, for `--for`. */
  readonly version?: string
  /** The configuration is for the hosts among the flags, not for the list of images. */
  readonly isListless?: boolean
  /** For `config emit` and for `push` as far as they are about names, besides what every scenario gives it. */
  readonly flags: readonly string[]
  /** Left out of what is pushed, though the configuration is written for it. */
  readonly missing?: string
  readonly pulls: readonly Pull[]
}

export interface Pull {
  readonly by: 'cri' | 'ctr' | 'podman' | 'skopeo'
  readonly image: string
}

/** The end of a pull. */
export interface Pulled extends Pull {
  readonly succeeded: boolean
  readonly output: string
}

export interface Outcome {
  readonly pulled: readonly Pulled[]
  /** Requests to the registries of the internet. */
  readonly asked: readonly string[]
}
