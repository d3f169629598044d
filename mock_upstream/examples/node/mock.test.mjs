// The mock from Node's own test runner and fetch: no package is needed.
//
//   gateproof mock &
//   node --test mock.test.mjs        (MOCK_URL=http://127.0.0.1:8089 is the default)
//
// In your tests the client below is your gateway or your app, configured with `${origin}/v1`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const origin = process.env.MOCK_URL ?? 'http://127.0.0.1:8089';
const deadline = 20_000;

/** A request to the control API; what it answers, as an object. */
async function control(method, path, body) {
  const answer = await fetch(`${origin}/_gateproof/${path}`, {
    method,
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(deadline),
  });
  const document = await answer.json();
  assert.equal(answer.status, 200, document.error?.message);
  return document;
}

function ask(model, signal = AbortSignal.timeout(deadline)) {
  return fetch(`${origin}/v1/responses`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model, stream: true, input: 'Hi.' }),
    signal,
  });
}

/** The events of an answer, one by one as they come. */
async function* events(answer) {
  let text = '';
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const data = text.slice(0, end).split('\n').find((line) => line.startsWith('data: '));
      if (data) yield JSON.parse(data.slice('data: '.length));
    }
  }
}

async function until(stream, type) {
  for (let next; !(next = await stream.next()).done; ) {
    if (next.value.type === type) return next.value;
  }
  assert.fail(`the stream ended before ${type}`);
}

test('a turn that fails in mid-stream', async () => {
  await control('PUT', 'scripts/node-failed', {
    when: { model: 'node-failed' },
    calls: [{ say: [{ text: ['Hel', 'lo'] }, { failed: { code: 'server_error' } }] }],
  });

  const types = [];
  for await (const event of events(await ask('node-failed'))) types.push(event.type);

  assert.deepEqual(types.slice(-3), ['response.output_text.delta', 'response.output_text.delta', 'response.failed']);
});

test('a stream that is held and released', async () => {
  await control('PUT', 'scripts/node-held', {
    when: { model: 'node-held' },
    calls: [{ say: [{ text: 'one' }, { hold: 'seen' }, { text: 'two' }] }],
  });

  const stream = events(await ask('node-held'));
  assert.equal((await until(stream, 'response.output_text.delta')).delta, 'one');
  assert.deepEqual(await control('GET', 'barriers/node-held/seen?within=10'), { reached: true, released: false });

  await control('POST', 'barriers/node-held/seen');
  assert.equal((await until(stream, 'response.output_text.delta')).delta, 'two');
  await until(stream, 'response.completed');

  const { calls } = await control('GET', 'journal?script=node-held&calls=1&ended=1&within=10');
  assert.equal(calls.length, 1);
  assert.equal(calls[0].ended, 'played');
  assert.equal(calls[0].json.input, 'Hi.');
});

test('a client that goes away is seen', async () => {
  await control('PUT', 'scripts/node-left', {
    when: { model: 'node-left' },
    calls: [{ say: [{ text: 'one' }, { hold: 'never' }, { text: 'two' }] }],
  });

  const abort = new AbortController();
  const stream = events(await ask('node-left', abort.signal));
  await until(stream, 'response.output_text.delta');
  abort.abort();
  await assert.rejects(until(stream, 'response.completed'), { name: 'AbortError' });

  const { calls } = await control('GET', 'journal?script=node-left&calls=1&ended=1&within=10');
  assert.equal(calls[0].ended, 'client went away');
});
