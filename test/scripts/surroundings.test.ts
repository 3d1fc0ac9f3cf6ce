import test from 'ava';
import { gatewayOf } from '../../scripts/testing/surroundings.mjs';

test('the host is the gateway of the default network, or the first address where none is named', (t) => {
  t.is(gatewayOf('172.18.0.1 172.18.0.0/16\n'), '172.18.0.1');
  t.is(gatewayOf(' 172.17.0.0/16\n'), '172.17.0.1');
});
