import test from 'ava';
import { additionOf } from '../../scripts/add/addition.ts';

test('a secret header of a server elsewhere goes into a file, and one in its address is refused', (t) => {
  const input = (id: string) => ({ type: 'promptString', id, password: true });
  const document = {
    servers: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
      far: { type: 'http', url: 'https://x/mcp', headers: { Authorization: 'Bearer ${input:key}' } },
    },
    inputs: [input('key')],
  };
  const { entries, secrets, problems } = additionOf(document, { key: 's3cret' }, null);
  t.deepEqual(problems, []);
  const headers = { Authorization: { file: 'secrets/far.Authorization' } };
  t.deepEqual(entries.get('far'), { url: 'https://x/mcp', headers });
  t.deepEqual([...secrets], [['secrets/far.Authorization', 'Bearer s3cret']]);
  const shown = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
    servers: { far: { url: 'https://x/mcp?key=${input:key}' } },
    inputs: [input('key')],
  };
  t.regex(
    additionOf(shown, { key: 's3cret' }, null).problems[0]?.message ?? '',
    /^is a secret .* in an address/,
  );
});
