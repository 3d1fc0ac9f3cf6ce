import { GantryError } from '../kernel/index.ts';

/** @returns whether it worked; false where the store does not answer, so that it is for a later try */
export async function reached(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof GantryError && error.code === 'registry_unavailable') return false;
    throw error;
  }
}
