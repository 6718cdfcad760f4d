/** The environment variables that the command line reads; it reads them nowhere else. */

/** What the environment says. */
export interface Environment {
  /** Origin of the server that management commands call: STORELENS_URL. */
  readonly url: string | undefined;
  /** File with the operator key: STORELENS_OPERATOR_KEY_FILE. */
  readonly operatorKeyFile: string | undefined;
  /** All variables, for the settings table of `serve`. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Reads the variables of a process; an empty one counts as not set. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  return {
    url: variables.STORELENS_URL || undefined,
    operatorKeyFile: variables.STORELENS_OPERATOR_KEY_FILE || undefined,
    variables,
  };
}
