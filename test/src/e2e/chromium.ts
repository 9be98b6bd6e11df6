import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The browser's command, undefined where there is none. */
export const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0,
);

type Message = Readonly<Record<string, unknown>>;
type Answer = { readonly id?: number; readonly method?: string; readonly params?: Message; readonly error?: Message };

/** A tab of a headless Chromium, driven over the DevTools protocol on a pipe. */
export class Tab {
  readonly #child;
  readonly #profile: string;
  readonly #waiting = new Map<number, (answer: Answer & { readonly result?: Message }) => void>();
  readonly #events: Answer[] = [];
  #listeners: (() => void)[] = [];
  #next = 1;
  #session: string | undefined;

  private constructor(command: string) {
    this.#profile = mkdtempSync(join(tmpdir(), 'a2sf-chromium-'));
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'];
    this.#child = spawn(
      command,
      [...flags, '--remote-debugging-pipe', `--user-data-dir=${this.#profile}`, 'about:blank'],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
    let text = '';
    (this.#child.stdio[4] as Readable).setEncoding('utf8').on('data', (part: string) => {
      const messages = (text + part).split('\0');
      text = messages.pop()!;
      for (const message of messages) this.#receive(JSON.parse(message) as Answer);
    });
  }

  static async open(command: string): Promise<Tab> {
    const tab = new Tab(command);
    const { targetId } = await tab.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await tab.send('Target.attachToTarget', { targetId, flatten: true });
    tab.#session = sessionId as string;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await tab.send(`${domain}.enable`);
    return tab;
  }

  async send(method: string, params: Message = {}): Promise<Message> {
    const id = this.#next++;
    const answer = new Promise<Answer & { readonly result?: Message }>((resolve) => this.#waiting.set(id, resolve));
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    const { error, result } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${String(error['message'])}`);
    return result ?? {};
  }

  /** Loads a page and forgets what happened before. */
  async load(url: string): Promise<void> {
    this.#events.length = 0;
    await this.send('Page.navigate', { url });
    while (this.events('Page.loadEventFired').length === 0) {
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  /** What the page's events of a kind told since it was loaded. */
  events(method: string): Message[] {
    return this.#events.filter((event) => event.method === method).map((event) => event.params ?? {});
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (answer['exceptionDetails'] !== undefined) throw new Error(JSON.stringify(answer['exceptionDetails']));
    return (answer['result'] as Message)['value'];
  }

  /** The whole page as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
    return Buffer.from(data as string, 'base64');
  }

  async close(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#session = undefined;
    await Promise.all([exit, this.send('Browser.close').catch(() => undefined)]);
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #receive(message: Answer): void {
    if (message.id === undefined) {
      this.#events.push(message);
      for (const listener of this.#listeners.splice(0)) listener();
      return;
    }
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }
}
