import type { MeshControl, RegistrationView } from '../../orchestrator/http/index.ts';
import { GantryError, type PlaceView } from '../../orchestrator/kernel/index.ts';

export const REGISTRATION: RegistrationView = {
  id: 'weather-10.1.2.3-8080',
  service: 'weather',
  url: 'http://10.1.2.3:8080/mcp',
  tags: ['blue'],
  metadata: { zone: 'a' },
  ttlMs: 300_000,
  expiresAt: Date.UTC(2026, 0, 1),
};

export const PLACE: PlaceView = {
  replica: 'everything-1',
  state: 'ready',
  idle: false,
  breaker: 'closed',
  callsInFlight: 2,
  reason: null,
  url: null,
  registeredAs: null,
};

/** Controls of a mesh in which `everything` has one place, and one registration is known. */
export function fakeMeshControl(overrides: Partial<MeshControl> = {}): MeshControl {
  const known = (name: string): void => {
    if (name !== 'everything' && name !== REGISTRATION.service)
      throw new GantryError('server_not_found', `No server is called "${name}".`);
  };
  const registered = async (id: string): Promise<RegistrationView> => {
    if (/^f+$/.test(id)) throw new GantryError('registration_not_found', 'Not registered.');
    return REGISTRATION;
  };
  return {
    register: async () => 'registered',
    renew: registered,
    deregister: registered,
    registrations: () => [REGISTRATION],
    places: (name) => {
      known(name);
      return [PLACE];
    },
    probe: async (name) => known(name),
    call: async ({ server, method, params }) => {
      known(server);
      const raw = `{"big":12345678901234567890,"method":"${method}","params":${JSON.stringify(params)}}`;
      return { outcome: { ok: true, result: {}, raw }, replica: 'everything-1' };
    },
    tune: async (_tune, server) => {
      if (server !== null) known(server);
      return ['everything'];
    },
    untune: async () => ['everything'],
    ...overrides,
  };
}
