import type { ExecutionContext } from 'ava';
import { type ErrorCode, GantryError } from '../orchestrator/kernel/index.ts';

/** The typed error that something ends with; any other, and no error at all, is thrown. */
export async function failure(promise: Promise<unknown>): Promise<GantryError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GantryError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export async function failsWith(
  t: ExecutionContext,
  promise: Promise<unknown>,
  code: ErrorCode,
): Promise<void> {
  t.is((await failure(promise)).code, code);
}
