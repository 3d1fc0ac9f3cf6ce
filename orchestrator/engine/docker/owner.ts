const OWNER_LABEL = 'gantry.owner';

/** Goes onto everything the adapter makes by itself: networks, helpers, imported images. */
export function ownerLabels(owner: string): Record<string, string> {
  return { [OWNER_LABEL]: owner };
}

/** The same as an image setting, a Dockerfile instruction: an import takes no labels. */
export function ownerChange(owner: string): string {
  return `LABEL ${OWNER_LABEL}=${JSON.stringify(owner)}`;
}

/** Docker's filter for what belongs to an owner. */
export function ownedBy(owner: string): { readonly label: string[] } {
  return { label: [`${OWNER_LABEL}=${owner}`] };
}
