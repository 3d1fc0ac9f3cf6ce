import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DockerAddress, dockerEngine } from '../../orchestrator/engine/index.ts';

/** The engine the test harness brought up. There is no skipping: without it these tests fail and say why. */
export function realEngine() {
  return dockerEngine({ address: engineAddress(), owner: 'e2e', helperImage: testImage() });
}

/** An image in that engine with sh, node and python3. */
export function testImage(): string {
  return required('GANTRY_TEST_IMAGE');
}

/** Where it is, and the certificates to be let in. */
export function engineAddress(): DockerAddress {
  const certificates = required('GANTRY_TEST_ENGINE_CERTS');
  const file = (name: string) => readFileSync(join(certificates, name));
  return {
    host: required('GANTRY_TEST_ENGINE_HOST'),
    port: Number(required('GANTRY_TEST_ENGINE_PORT')),
    ca: file('ca.pem'),
    cert: file('cert.pem'),
    key: file('key.pem'),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: run these tests by "npm test", which brings a real engine up`);
  }
  return value;
}
