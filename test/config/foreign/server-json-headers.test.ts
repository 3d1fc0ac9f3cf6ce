import test from 'ava';
import { parseServerBody } from '../../../orchestrator/config/index.ts';

/** A server elsewhere that wants a secret header, another one, and would take a third. */
const document = {
  name: 'io.github.example/far',
  remotes: [
    {
      type: 'streamable-http',
      url: 'https://a/',
      headers: [
        {
          name: 'Authorization',
          value: 'Bearer {key}',
          variables: { key: { isRequired: true, isSecret: true } },
        },
        { name: 'X-Zone', isRequired: true, choices: ['eu', 'us'] },
        { name: 'X-Other' },
      ],
    },
  ],
};

test('headers of a remote server become those of the entry', (t) => {
  const parsed = parseServerBody({ ...document, answers: { key: 's3cret', 'X-Zone': 'eu' } });
  t.deepEqual(parsed.ok ? parsed.value[0]?.entry : parsed.problems, {
    url: 'https://a/',
    headers: { Authorization: 'Bearer s3cret', 'X-Zone': 'eu' },
  });
});

test('headers that are required are asked for', (t) => {
  const [remote] = document.remotes;
  const headers = [...(remote?.headers ?? []), { name: 'X-Other', nonsense: true }];
  const problemsOf = (body: object) => {
    const parsed = parseServerBody(body);
    return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
  };
  t.deepEqual(problemsOf(document), [
    'remotes[0].headers[0].variables.key: key is required and secret: give it as answers.key',
    'remotes[0].headers[1]: X-Zone is required: give it as answers.X-Zone',
  ]);
  const unknown = problemsOf({ ...document, remotes: [{ ...remote, headers }] });
  t.regex(unknown.join(), /^remotes\[0\]\.headers\[3\]\.nonsense: is not a known key/);
});
