import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isA2sfError } from '@a2sf/errors';
import { resolveModelFolder } from '@a2sf/model-zoo';
import { ChatTemplate } from './chat-template.js';
import type { LanguageModelInfo, PromptInput } from './language-model-types.js';
import { preparePromptIds } from './prompt-ids.js';
import { Tokenizer } from './tokenizer.js';

const fixture = fileURLToPath(new URL('../../../test/fixtures/chat-template', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-chat-'));
after(() => rmSync(folder, { recursive: true }));
const embedded = resolveModelFolder(undefined, 'llm').folder;
cpSync(join(embedded, 'tokenizer.json'), join(folder, 'tokenizer.json'));

function tokenizerWith(template: unknown): Tokenizer {
  const config: object = JSON.parse(readFileSync(join(embedded, 'tokenizer_config.json'), 'utf8'));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ ...config, chat_template: template }));
  return Tokenizer.load(folder)!;
}

function failsWith(work: () => unknown, reason: string, pattern: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(isA2sfError(error), String(error));
    assert.deepEqual([error.code, error.reason], ['FAILED_PRECONDITION', reason]);
    assert.match(error.message, pattern);
    return true;
  });
}

const render = (template: string, prompt = 'hello') =>
  ChatTemplate.load(folder, { bos_token: '<s>', eos_token: '</s>', chat_template: template })!.render(prompt);

describe('a chat template', () => {
  test('of the name default is rendered as jinja2 does, with the special tokens', () => {
    const config: object = JSON.parse(readFileSync(join(fixture, 'tokenizer_config.json'), 'utf8'));
    assert.equal(ChatTemplate.load(fixture, config)!.render(' hello '), '<s>A hello B C');
  });

  test('of ChatML makes its known form', () => {
    const chatMl =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    assert.equal(render(chatMl), '<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n');
  });

  test('in a file of its own goes before that of the config', () => {
    const own = mkdtempSync(join(tmpdir(), 'a2sf-chat-'));
    writeFileSync(join(own, 'chat_template.jinja'), 'file {{ messages[0].content }}');
    assert.equal(ChatTemplate.load(own, { chat_template: 'config' })!.render('x'), 'file x');
    rmSync(own, { recursive: true });
  });

  test('leaves the prompt as it is, Jinja in it too', () => {
    assert.equal(render('{{ messages[0].content }}', '{{ bos_token }} {% if %}'), '{{ bos_token }} {% if %}');
  });

  test('is absent when the config holds none', () => {
    for (const config of [{}, { chat_template: null }, { chat_template: [] }, { chat_template: [{ name: 'rag' }] }]) {
      assert.equal(ChatTemplate.load(folder, config), undefined);
    }
    assert.equal(Tokenizer.load(embedded)!.hasChatTemplate, false);
  });

  test('that is broken, refuses, or makes too much is FAILED_PRECONDITION', () => {
    failsWith(() => render('{{ 1 +'), 'bad-chat-template', /cannot be parsed/);
    failsWith(() => render("{{ raise_exception('no') }}"), 'bad-chat-template', /fails on a user message/);
    failsWith(() => render('{{ bos_token * 2 }}'), 'bad-chat-template', /fails/);
    failsWith(() => render(''), 'bad-chat-template', /empty/);
    failsWith(() => render('x'.repeat((1 << 20) + 1)), 'bad-chat-template', /longer than 1048576/);
    const many = (count: number) => `{% for i in range(${count}) %}x{% endfor %}`;
    assert.equal(render(many(65556), 'hello').length, 65556);
    failsWith(() => render(many(65557), 'hello'), 'bad-chat-template', /65557 characters .* limit of 65556/);
  });
});

describe('a prompt wrapped as a chat', () => {
  const info = { maxPromptTokens: 64, contextTokens: 128, vocab: 1 << 20 } as LanguageModelInfo;
  const prompt = (text: string, maxPromptTokens = 0): PromptInput => ({
    source: { text },
    truncate: true,
    maxPromptTokens,
    wrap: 'chat',
  });

  test('holds the start token once, where the template writes it', () => {
    const tokenizer = tokenizerWith('{{ bos_token }}user: {{ messages[0].content }}');
    assert.equal(tokenizer.hasChatTemplate, true);
    const { ids } = preparePromptIds(prompt('hello'), 0, tokenizer, info);
    assert.deepEqual(ids, tokenizer.encode('user: hello'));
    const bare = tokenizerWith('user: {{ messages[0].content }}');
    assert.deepEqual(preparePromptIds(prompt('hello'), 0, bare, info).ids, ids.slice(1));
  });

  test('is cut before it is wrapped, so that the template stays whole', () => {
    const tokenizer = tokenizerWith('BEGIN {{ messages[0].content }} END');
    const long = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');
    const { ids, truncated } = preparePromptIds(prompt(long, 16), 0, tokenizer, info);
    assert.equal(truncated, true);
    const text = tokenizer.decode(ids);
    assert.match(text, /^\s*BEGIN/);
    assert.match(text, /END$/);
    const uncut = preparePromptIds({ ...prompt(long, 16), wrap: 'none' }, 0, tokenizer, info).ids;
    assert.equal(text.trim(), `BEGIN ${tokenizer.decode(uncut)} END`);
  });

  test('of a model without a template is FAILED_PRECONDITION', () => {
    const plain = Tokenizer.load(embedded);
    failsWith(
      () => preparePromptIds(prompt('hello'), 0, plain, info),
      'no-chat-template',
      /^wrap: the model has no chat/,
    );
  });

  test('with a broken template fails alone: the same model takes it unwrapped', () => {
    const broken = tokenizerWith('{% if %}');
    failsWith(() => preparePromptIds(prompt('hello'), 0, broken, info), 'bad-chat-template', /parsed/);
    assert.deepEqual(
      preparePromptIds({ ...prompt('hello'), wrap: 'none' }, 0, broken, info).ids,
      broken.encode('hello'),
    );
  });
});
