/**
 * Where those are served who answer from elsewhere (protocol.ts). It outlives one question, and the boot's failure: who
 * has logged in is told of each, and of the end.
 */

import type { Syscalls } from "../../../syscalls/index.ts";
import type { Log } from "../log.ts";
import type { BootLine, BootWord, Request } from "./protocol.ts";
import { type Client, askSocket, listenForAnswers } from "./socket.ts";

/** An answer that came by the socket. Its bytes are to be overwritten by who asked. */
export interface DeskAnswer {
  readonly bytes: Uint8Array;
  /** "SSH from 10.0.2.2" */
  readonly from: string;
}

export class Desk {
  private readonly sys: Syscalls;
  private readonly log: Log;
  private readonly path: string;
  private readonly clients = new Set<Client>();
  private readonly soon = Promise.withResolvers<void>();
  private readonly now = Promise.withResolvers<void>();
  private socket: ReturnType<typeof listenForAnswers>;
  /** How things stand when nothing is asked; undefined is told by `waitsFor`. */
  private state: BootLine | undefined;
  private question: { readonly words: string; readonly take: (answer: DeskAnswer) => void } | undefined;
  private answering: Client | undefined;
  private left: (() => void) | undefined;
  private listening = false;
  private waitsFor: () => readonly string[] = () => [];
  /** Why no shell is given to who has logged in, a sentence; undefined when one is. */
  shellObstacle: () => string | undefined = () => "No shell is given here.";

  constructor(sys: Syscalls, log: Log, path = askSocket) {
    this.sys = sys;
    this.log = log;
    this.path = path;
  }

  /** Resolves when a question may come soon, and when one is open. */
  get events(): { readonly expected: Promise<void>; readonly asked: Promise<void> } {
    return { expected: this.soon.promise, asked: this.now.promise };
  }

  /** A question may come soon: what it takes to answer from elsewhere may begin. */
  expect(): void {
    this.soon.resolve();
  }

  /** Begins to listen. */
  open(): void {
    if (this.listening) return;
    this.listening = true;
    this.socket = listenForAnswers(
      this.sys,
      this.log,
      {
        connected: (client) => {
          this.clients.add(client);
          const { word, rest } = this.howItStands();
          client.send(word, rest);
        },
        asks: (client, request) => this.serve(client, request),
        left: (client) => {
          this.clients.delete(client);
          if (this.clients.size === 0) this.left?.();
        },
      },
      this.path,
    );
  }

  /** Asks all who are connected, and those who come; `take` gets the first answer. */
  ask(words: string, take: (answer: DeskAnswer) => void): void {
    this.open();
    this.expect();
    this.now.resolve();
    this.state = undefined;
    this.question = { words, take };
    this.broadcast("ask", words);
  }

  /** The question is over: answered elsewhere, or withdrawn when `from` is undefined. */
  settle(from: string | undefined): void {
    const wasOpen = this.question !== undefined;
    this.question = undefined;
    if (from === undefined && wasOpen) this.broadcast("closed");
    if (from === undefined) return;
    for (const client of this.clients) if (client !== this.answering) client.send("taken", from);
  }

  /** Tells all what became of the last answer, a sentence. */
  tell(verdict: "ok" | "wrong", words: string): void {
    this.answering = undefined;
    this.broadcast(verdict, words);
  }

  /** The boot goes on, or is tried again. @param waitsFor what it waits for, clauses */
  goOn(waitsFor: () => readonly string[]): void {
    this.waitsFor = waitsFor;
    this.state = undefined;
  }

  /** Nothing is asked for a while, and this is why. */
  rest(words: string): void {
    this.state = { word: "wait", rest: words };
    if (this.listening) this.broadcast("wait", words);
  }

  /** The boot has failed. */
  fail(words: string): void {
    this.state = { word: "failed", rest: words };
    if (this.listening) this.broadcast("failed", words);
  }

  /** Nothing more is asked: tells all, and waits until they have left, at most so long. Takes the socket away. */
  async end(words: string, patience_ms: number): Promise<void> {
    if (!this.listening) return;
    this.state = { word: "end", rest: words };
    this.broadcast("end", words);
    for (const client of this.clients) client.end();
    if (this.clients.size > 0) {
      const empty = Promise.withResolvers<void>();
      this.left = empty.resolve;
      const timer = setTimeout(empty.resolve, patience_ms);
      await empty.promise;
      clearTimeout(timer);
    }
    this.socket?.close();
    this.listening = false;
  }

  private howItStands(): BootLine {
    if (this.question !== undefined) return { word: "ask", rest: this.question.words };
    if (this.state !== undefined) return this.state;
    const clauses = this.waitsFor();
    return { word: "wait", rest: clauses.length === 0 ? "the boot goes on" : clauses.join("; ") };
  }

  private serve(client: Client, request: Request): void {
    const { question } = this;
    switch (request.kind) {
      case "from":
        client.name = request.name;
        return;
      case "shell": {
        const obstacle = this.shellObstacle();
        return obstacle === undefined ? client.send("shell") : client.send("refused", obstacle);
      }
      case "nonsense":
        client.send("refused", request.why);
        return client.end();
      case "answer":
        // Nobody asks: when somebody does, it is told.
        if (question === undefined) return void request.bytes.fill(0);
        if (request.bytes.length === 0) return client.send("ask", question.words);
        this.answering = client;
        client.send("trying");
        return question.take({ bytes: request.bytes, from: client.name });
    }
  }

  private broadcast(word: BootWord, rest?: string): void {
    for (const client of this.clients) client.send(word, rest);
  }
}
