import test from 'ava';
import { type Fact, Facts } from '../../orchestrator/kernel/index.ts';

const PICKED: Fact = { type: 'replica.picked', server: 'a', replica: 'a-1' };
const TROUBLE: Fact = { type: 'trouble', where: 'here', message: 'it broke' };

test('whoever listens hears what he wants, in order, until he stops', (t) => {
  const facts = new Facts();
  const heard: string[] = [];
  const stopAll = facts.listen(({ type }) => heard.push(`all ${type}`));
  facts.listen(
    ({ type }) => heard.push(`trouble ${type}`),
    (type) => type === 'trouble',
  );
  facts.state(PICKED);
  facts.state(TROUBLE);
  stopAll();
  facts.state(PICKED);
  facts.state(TROUBLE);
  t.deepEqual(heard, ['all replica.picked', 'all trouble', 'trouble trouble', 'trouble trouble']);
});

test('whoever begins to listen later hears types that were stated before, from then on', (t) => {
  const facts = new Facts();
  facts.state(TROUBLE);
  const heard: Fact[] = [];
  facts.listen((fact) => heard.push(fact));
  facts.state(TROUBLE);
  t.deepEqual(heard, [TROUBLE]);
});
