/** What stands in a line for a client. */
export interface InLine {
  readonly client: string;
}

/** Times that others may go past one that there is no room for; after that the line waits for it. */
const maxOvertaken = 16;

interface Place<T> {
  readonly item: T;
  overtaken: number;
}

/**
 * A line in which clients take turns: each turn goes to the client that was served longest ago, and to what it brought
 * first. What there is no room for now lets others go ahead, yet not for ever.
 */
export class FairLine<T extends InLine> {
  /** By client, the one to be served next first. */
  private readonly clients = new Map<string, Place<T>[]>();

  get length(): number {
    let sum = 0;
    for (const places of this.clients.values()) sum += places.length;
    return sum;
  }

  join(item: T): void {
    const places = this.clients.get(item.client) ?? [];
    places.push({ item, overtaken: 0 });
    this.clients.set(item.client, places);
  }

  /** Takes out the first in turn that there is room for. */
  take(hasRoom: (item: T) => boolean): T | undefined {
    const passed: Place<T>[] = [];
    for (const [client, places] of this.clients) {
      for (const place of places) {
        if (hasRoom(place.item)) {
          for (const other of passed) other.overtaken++;
          this.clients.delete(client);
          const rest = places.filter((other) => other !== place);
          if (rest.length > 0) this.clients.set(client, rest);
          return place.item;
        }
        if (place.overtaken >= maxOvertaken) return undefined;
        passed.push(place);
      }
    }
    return undefined;
  }

  /** Takes out all that have left. */
  drop(hasLeft: (item: T) => boolean): void {
    for (const [client, places] of this.clients) {
      const rest = places.filter(({ item }) => !hasLeft(item));
      if (rest.length > 0) this.clients.set(client, rest);
      else this.clients.delete(client);
    }
  }
}
