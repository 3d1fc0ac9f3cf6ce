import test from 'ava';
import { helperLabels, isHelper } from '../../../orchestrator/engine/docker/helpers.ts';
import { ownerChange } from '../../../orchestrator/engine/docker/owner.ts';

test('helpers carry their owner, and are told apart from replicas', (t) => {
  const labels = helperLabels('chown', 'team-a');
  t.is(labels['gantry.owner'], 'team-a');
  t.true(isHelper(labels));
  t.false(isHelper({ 'gantry.owner': 'team-a' }));
  t.false(isHelper(undefined));
});

test('an imported image gets its owner by an instruction, quoted', (t) => {
  t.is(ownerChange('team-a'), 'LABEL gantry.owner="team-a"');
});
