import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../setup/run.mjs';

/**
 * What end-to-end tests have to know about the stack they run against: where its API is, and how its engine and its
 * Redis are reached from the host, which no user can.
 * @param {import('../setup/stack.mjs').Stack} stack
 * @returns {Promise<Record<string, string>>}
 */
export async function surroundings(stack) {
  const answer = async (options, ...args) =>
    (
      await run('The test stack did not answer', stack.compose(...args), { ...stack.options, ...options })
    ).trim();
  const ask = (...args) => answer({}, ...args);
  const certs = join(stack.stateDir, 'certs');
  await rm(certs, { recursive: true, force: true });
  await mkdir(certs, { recursive: true });
  await ask('cp', 'dind:/certs/client/.', certs);
  await chmod(certs, 0o700);
  const password = await answer({ isSecret: true }, 'exec', '-T', 'redis', 'cat', '/secret/redis-password');
  return {
    GANTRY_TEST_URL: stack.url,
    GANTRY_TEST_ADMIN_TOKEN: await stack.adminToken(),
    GANTRY_TEST_COMPOSE: JSON.stringify(stack.compose()),
    GANTRY_TEST_CONFIG_DIR: stack.env.GANTRY_CONFIG_DIR,
    GANTRY_TEST_ENGINE_HOST: await addressOf(stack, 'dind'),
    GANTRY_TEST_ENGINE_PORT: '2376',
    GANTRY_TEST_ENGINE_CERTS: certs,
    GANTRY_TEST_IMAGE: await ask('exec', '-T', 'orchestrator', 'cat', '/opt/gantry/bridge-image/tag'),
    GANTRY_TEST_REDIS_URL: `redis://:${encodeURIComponent(password)}@${await addressOf(stack, 'redis')}:6379/1`,
  };
}

/** A container's address on the first of its networks: the host is on all of them. */
async function addressOf(stack, service) {
  const failure = `The address of ${service} could not be found`;
  const id = (await run(failure, stack.compose('ps', '-q', service), stack.options)).trim();
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
  return (await run(failure, ['docker', 'inspect', '-f', format, id])).trim().split(' ')[0] ?? '';
}

/** The address of the host that containers of the engine can reach: tests serve a package index there. */
export async function hostAddress() {
  const format = '{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}';
  const command = ['docker', 'network', 'inspect', 'bridge', '-f', format];
  const answer = await run('The default network of the engine could not be inspected', command);
  return gatewayOf(answer);
}

/** @param {string} text `GATEWAY SUBNET`; an engine that chose by itself names no gateway: then it is the first address */
export function gatewayOf(text) {
  const [first, subnet = first] = text.trim().split(' ');
  if (!first.includes('/')) return first;
  return subnet.replace(/\.\d+\/\d+$/, '.1');
}
