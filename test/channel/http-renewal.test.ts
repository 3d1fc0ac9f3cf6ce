import test from 'ava';
import { greeted, textIn, tool } from './http-rig.ts';

const WAYS_TO_FORGET = [
  { status: 400, message: 'Bad Request: No valid session ID provided' },
  { status: 400, message: 'Bad Request: Server not initialized' },
  { status: 400, message: 'Session not found' },
] as const;

test('a session that the server has forgotten is begun anew, and what was asked is asked again', async (t) => {
  const { remote, link } = await greeted(t);
  remote.forgetSessions();
  const both = await Promise.all([tool(link, 'echo', { text: 'a' }), tool(link, 'echo', { text: 'b' })]);
  t.deepEqual(both.map(textIn), ['a', 'b']);
  t.is(
    remote.methods().filter((method) => method === 'initialize').length,
    2,
    'both calls shared one renewal',
  );
  t.is(remote.sessions, 1);
});

test('where a client has state in it, a forgotten session ends the channel instead', async (t) => {
  const { remote, link, channel } = await greeted(t, {}, { renews: false });
  remote.forgetSessions();
  await t.throwsAsync(tool(link, 'echo'), { message: 'over' });
  const end = await channel.closed;
  t.true(end.why === 'remote' && end.message.endsWith('has ended the session.'));
});

for (const forgetsWith of WAYS_TO_FORGET) {
  test(`400 with the words "${forgetsWith.message}" says that a session is forgotten`, async (t) => {
    const { remote, link } = await greeted(t, { forgetsWith });
    remote.forgetSessions();
    t.is(textIn(await tool(link, 'echo', { text: 'on' })), 'on');
    t.is(greetings(remote.methods()), 2);
  });
}

test('400 with other words is the answer to its call, and costs no session', async (t) => {
  const { remote, link } = await greeted(t);
  for (const text of ['text is not wanted', 'no such file']) {
    const outcome = await tool(link, 'refused', { text });
    t.deepEqual(outcome, { ok: false, error: { code: -32602, message: text } });
  }
  t.is(greetings(remote.methods()), 1);
  t.is(remote.methods().filter((method) => method === 'tools/call').length, 2, 'none was sent again');
  t.is(remote.sessions, 1);
});

test('a session that was given up without need is left, once nothing asked in it goes on', async (t) => {
  const { remote, link } = await greeted(t);
  const hanging = tool(link, 'hang');
  while (!remote.methods().includes('tools/call')) await tool(link, 'echo');
  t.like(await tool(link, 'refused', { text: 'invalid session of a browser' }), { ok: false });
  t.is(greetings(remote.methods()), 2);
  await tool(link, 'echo');
  t.is(remote.sessions, 2, 'the call that hangs goes on in the earlier one');
  remote.cutHanging();
  await t.throwsAsync(hanging, { message: /may have run/ });
  while (remote.sessions > 1) await tool(link, 'echo');
  t.is(textIn(await tool(link, 'echo', { text: 'on' })), 'on');
});

test('a call that fails while a session is begun anew fails alone', async (t) => {
  const { remote, link } = await greeted(t);
  const hanging = tool(link, 'hang');
  while (!remote.methods().includes('tools/call')) await tool(link, 'echo');
  const greeting = remote.holdGreetings();
  remote.forgetSessions();
  const call = tool(link, 'echo', { text: 'on' });
  await greeting.asked;
  remote.cutHanging();
  await t.throwsAsync(hanging, { message: /may have run/ });
  greeting.release();
  t.is(textIn(await call), 'on');
  t.true(link.open);
});

function greetings(methods: readonly string[]): number {
  return methods.filter((method) => method === 'initialize').length;
}
