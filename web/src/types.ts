// What the API answers. api_types.ts is made from central/rest/api.def; here is what a list and an event add.
import type {
  Charger, Command, CommandState, Connection, Connector, Message, Numbers, Person, Reading, Tag, Transaction,
} from './api_types.ts';

export type { Charger, Command, CommandState, Connector, Message, Numbers, Person, Reading, Tag, Transaction };
export type ConnectionState = Connection;

export interface List<T> {
  seq: number;
  at: string;
  items: T[];
  next?: number;
}

export type LiveEvent = { seq: number; at: string } & (
  | { topic: 'chargers'; kind: 'charger'; data: Charger }
  | { topic: 'chargers'; kind: 'connector'; data: Connector & { charger: string } }
  | { topic: 'chargers'; kind: 'connection'; data: { charger?: string; event: string; reason?: string } }
  | { topic: 'transactions'; kind: 'transaction'; data: Transaction }
  | { topic: 'transactions'; kind: 'reading'; data: Reading }
  | { topic: 'messages'; kind: 'message'; data: Message }
  | { topic: 'commands'; kind: 'command'; data: Command }
);

export interface Frame {
  seq: number;
  at: string;
  events?: LiveEvent[];
  dropped?: number;
  resync?: boolean;
}
