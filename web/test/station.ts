// A station for the browser test, on npm's ocpp-rpc: a foreign implementation whose every step the test decides.
import { RPCClient } from 'ocpp-rpc';

const now = (): string => new Date().toISOString();

export class Station {
  private client: any;
  readonly running = new Map<number, { transactionId: number; wh: number }>();

  constructor(endpoint: string, readonly id: string) {
    this.client = new RPCClient({ endpoint, identity: id, protocols: ['ocpp1.6'], strictMode: true, reconnect: false } as any);
    this.client.handle('RemoteStartTransaction', ({ params }: any) => {
      setTimeout(() => void this.start(params.connectorId ?? 1, params.idTag), 0);
      return { status: 'Accepted' };
    });
    this.client.handle('RemoteStopTransaction', ({ params }: any) => {
      const [connector] = [...this.running].find(([, r]) => r.transactionId === params.transactionId) ?? [0];
      if (connector) setTimeout(() => void this.stop(connector, 'Remote'), 0);
      return { status: connector ? 'Accepted' : 'Rejected' };
    });
    this.client.handle('UnlockConnector', () => ({ status: 'Unlocked' }));
  }

  async connect(vendor = 'Foreign', connectors = 2): Promise<void> {
    await this.client.connect();
    await this.client.call('BootNotification', { chargePointVendor: vendor, chargePointModel: 'Peer One', firmwareVersion: '1.0.0' });
    for (let c = 0; c <= connectors; c++) await this.status(c, 'Available');
  }

  async status(connectorId: number, status: string, errorCode = 'NoError'): Promise<void> {
    await this.client.call('StatusNotification', { connectorId, status, errorCode, timestamp: now() });
  }

  async start(connectorId: number, idTag: string): Promise<number> {
    const r = await this.client.call('StartTransaction', { connectorId, idTag, meterStart: 1000, timestamp: now() });
    this.running.set(connectorId, { transactionId: r.transactionId, wh: 1000 });
    await this.status(connectorId, 'Charging');
    return r.transactionId;
  }

  async meter(connectorId: number, add: number, kw: number, soc: number): Promise<void> {
    const r = this.running.get(connectorId)!;
    r.wh += add;
    const sample = (measurand: string, unit: string, value: number) => ({ value: String(value), measurand, unit });
    await this.client.call('MeterValues', {
      connectorId, transactionId: r.transactionId,
      meterValue: [{
        timestamp: now(),
        sampledValue: [
          sample('Energy.Active.Import.Register', 'Wh', r.wh), sample('Power.Active.Import', 'kW', kw), sample('Current.Import', 'A', 32.2),
          sample('Voltage', 'V', 230), sample('Temperature', 'Celsius', 41), sample('SoC', 'Percent', soc),
        ],
      }],
    });
  }

  async stop(connectorId: number, reason: string): Promise<void> {
    const r = this.running.get(connectorId)!;
    this.running.delete(connectorId);
    await this.client.call('StopTransaction', { transactionId: r.transactionId, meterStop: r.wh, timestamp: now(), reason });
    await this.status(connectorId, 'Finishing');
    await this.status(connectorId, 'Available');
  }

  async close(): Promise<void> {
    await this.client.close({ force: true });
  }
}
