import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { descriptorFile } from '@a2sf/contracts';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

/** FileDescriptorSet of the health and reflection services. */
const platformDescriptorFile = fileURLToPath(new URL('../descriptors.binpb', import.meta.url));

/** A field as its FileDescriptorProto tells it. */
export interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  /** FieldDescriptorProto.Type: 9 string, 11 message, 14 enum, ... */
  readonly type: number;
  readonly repeated: boolean;
  /** Full name of the message or enum, without the leading dot. */
  readonly typeName: string;
}

/** One .proto file: its bytes as they were compiled, and what they declare. */
export interface ProtoFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly imports: readonly string[];
}

interface EnumJson {
  name: string;
  value?: { number?: number }[];
}

interface FieldJson {
  name: string;
  number: number;
  type: number;
  label: number;
  typeName?: string;
}

interface MessageJson {
  name: string;
  field?: FieldJson[];
  nestedType?: MessageJson[];
  enumType?: EnumJson[];
}

interface FileJson {
  name: string;
  package?: string;
  dependency?: string[];
  messageType?: MessageJson[];
  enumType?: EnumJson[];
  service?: { name: string; method?: { name: string; inputType: string }[] }[];
}

/** Field 1 of a FileDescriptorSet, each entry as it stands in the bytes. */
function* filesOf(set: Uint8Array): Generator<Uint8Array> {
  const reader = protobuf.Reader.create(set);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) yield reader.bytes();
    else reader.skipType(tag & 7);
  }
}

/** An index over compiled .proto files, by file name and by full name of what they declare. */
export class Descriptors {
  readonly files = new Map<string, ProtoFile>();
  /** The file that declares a message, field, enum, service or method. */
  readonly fileBySymbol = new Map<string, ProtoFile>();
  readonly messages = new Map<string, readonly FieldDescriptor[]>();
  readonly enums = new Map<string, ReadonlySet<number>>();
  /** Full names of request messages by method path (`/package.Service/Method`). */
  readonly requestTypes = new Map<string, string>();

  /** @param sets - bytes of FileDescriptorSets. */
  constructor(sets: Iterable<Uint8Array>) {
    for (const set of sets) {
      for (const bytes of filesOf(set)) this.addFile(bytes);
    }
  }

  /** The file and everything it imports, each once, the file first; imports that are not known are left out. */
  withImports(file: ProtoFile): ProtoFile[] {
    const found = new Set([file]);
    for (const { imports } of found) {
      for (const name of imports) {
        const imported = this.files.get(name);
        if (imported !== undefined) found.add(imported);
      }
    }
    return [...found];
  }

  private addFile(bytes: Uint8Array): void {
    const json = descriptor.FileDescriptorProto.decode(bytes) as unknown as FileJson;
    const file: ProtoFile = { name: json.name, bytes, imports: [...(json.dependency ?? [])] };
    this.files.set(file.name, file);
    const scope = json.package === undefined || json.package === '' ? '' : `${json.package}.`;
    for (const message of json.messageType ?? []) this.addMessage(file, scope, message);
    for (const entry of json.enumType ?? []) this.addEnum(file, scope, entry);
    for (const service of json.service ?? []) {
      this.fileBySymbol.set(scope + service.name, file);
      for (const method of service.method ?? []) {
        this.fileBySymbol.set(`${scope}${service.name}.${method.name}`, file);
        this.requestTypes.set(`/${scope}${service.name}/${method.name}`, method.inputType.replace(/^\./, ''));
      }
    }
  }

  private addMessage(file: ProtoFile, scope: string, message: MessageJson): void {
    const name = scope + message.name;
    this.fileBySymbol.set(name, file);
    const fields = (message.field ?? []).map((field) => ({
      name: field.name,
      number: field.number,
      type: field.type,
      repeated: field.label === 3,
      typeName: (field.typeName ?? '').replace(/^\./, ''),
    }));
    this.messages.set(name, fields);
    for (const field of fields) this.fileBySymbol.set(`${name}.${field.name}`, file);
    for (const nested of message.nestedType ?? []) this.addMessage(file, `${name}.`, nested);
    for (const nested of message.enumType ?? []) this.addEnum(file, `${name}.`, nested);
  }

  private addEnum(file: ProtoFile, scope: string, entry: EnumJson): void {
    this.fileBySymbol.set(scope + entry.name, file);
    this.enums.set(scope + entry.name, new Set((entry.value ?? []).map(({ number }) => number ?? 0)));
  }
}

let loaded: Descriptors | undefined;

/** The descriptors of the contract and of the platform's own services, read once. */
export function suiteDescriptors(): Descriptors {
  loaded ??= new Descriptors([readFileSync(descriptorFile), readFileSync(platformDescriptorFile)]);
  return loaded;
}
