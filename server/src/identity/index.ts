/** Who is calling: roles and callers as the other parts see them. */

/** What an application may do. `Manager` reads and ingests, `Reader` reads, `Ingestor` ingests; others nothing. */
export type Right = 'read' | 'ingest';

/** The caller of an API request, resolved from its token or from the operator key. */
export interface Caller {
  readonly tenantId: string;
  readonly accountId: string;
  /** Client id, or `operator` for ingestion with the operator key. */
  readonly applicationId: string;
  readonly role: string;
}

/** Whether a role gives a right. */
export function allows(role: string, right: Right): boolean {
  switch (role) {
    case 'Manager':
      return true;
    case 'Reader':
      return right === 'read';
    case 'Ingestor':
      return right === 'ingest';
    default:
      return false;
  }
}
