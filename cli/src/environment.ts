/** The environment variables that the command line reads; it reads them nowhere else. */

/** What the environment says. */
export interface Environment {
  /** Origin of the server that is called: STORELENS_URL. */
  readonly url: string | undefined;
  /** File with the operator key: STORELENS_OPERATOR_KEY_FILE. */
  readonly operatorKeyFile: string | undefined;
  /** Account that commands act for: STORELENS_TENANT_ID, STORELENS_CLIENT_ID, STORELENS_CLIENT_SECRET. */
  readonly tenantId: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  /** Name of a stored account: STORELENS_PROFILE. */
  readonly profile: string | undefined;
  /** File of a private authority to trust: STORELENS_CA. */
  readonly ca: string | undefined;
  /** No colours and no drawing characters: NO_COLOR is set, or TERM is dumb. */
  readonly plain: boolean;
  /** Width of the terminal, where standard output is none: COLUMNS. */
  readonly columns: number | undefined;
  /** All variables, for the settings table of `serve` and the place of the profiles. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Reads the variables of a process; an empty one counts as not set. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  return {
    url: variables.STORELENS_URL || undefined,
    operatorKeyFile: variables.STORELENS_OPERATOR_KEY_FILE || undefined,
    tenantId: variables.STORELENS_TENANT_ID || undefined,
    clientId: variables.STORELENS_CLIENT_ID || undefined,
    clientSecret: variables.STORELENS_CLIENT_SECRET || undefined,
    profile: variables.STORELENS_PROFILE || undefined,
    columns: /^[1-9]\d{0,3}$/.test(variables.COLUMNS ?? '') ? Number(variables.COLUMNS) : undefined,
    ca: variables.STORELENS_CA || undefined,
    plain: Boolean(variables.NO_COLOR) || variables.TERM === 'dumb',
    variables,
  };
}
