/** The principal of callers without a token; standing replicas with data hold this one's volume. */
export const ANONYMOUS = 'anonymous';
